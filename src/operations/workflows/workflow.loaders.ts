import DataLoader from 'dataloader'
import type { TenantViewer } from '../../access/viewer.ts'
import {
  childLoaders,
  readChildren,
  type ChildList,
  type ChildLoaders,
} from '../../database/child-pages.ts'
import { columns } from '../../database/columns.ts'
import { readPage } from '../../database/keyset.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { firstRow, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { notFound } from '../../shared/errors.ts'
import type { Page, PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import { readEvents } from '../audit/audit.list.ts'
import type { EventTarget } from '../audit/audit.type.ts'
import { STEP_TYPES, type WorkflowStep } from './step.type.ts'
import type { Workflow, WorkflowRun } from './workflow.type.ts'

const FIELDS = [
  'id',
  'organisationId',
  'name',
  'description',
  'projectId',
  'enabled',
  'updatedById',
  'updatedWithId',
  'createdAt',
  'updatedAt',
] as const
const RUN_FIELDS = ['id', 'organisationId', 'workflowId', 'event', 'status', 'finishedAt'] as const
const STEP_FIELDS = [
  'organisationId',
  'workflowId',
  'kind',
  'subject',
  'body',
  'webhookId',
  'projectId',
  'roleId',
  'minutes',
] as const

const workflowColumns = sql`${columns('w', FIELDS)}, w.topic as "topicName"`
// a member whom the viewer's role does not show is hidden by policy
const runColumns = sql`${columns('r', RUN_FIELDS)}, r.created_at as "startedAt",
  r.principal_id is null or exists (select from principal m where m.id = r.principal_id) as shown,
  case when r.problem_code is not null then json_build_object('code', r.problem_code, 'reason', r.problem_reason,
    'message', r.problem_message, 'path', json_build_array('steps', r.step::text)) end as problem`

/** The runs of one workflow, the newest first. */
const RUNS: ChildList<WorkflowRun, null> = {
  id: raw('r.id'),
  descending: true,
  select: () => runColumns,
  from: (_scope, workflow) => sql`from workflow_run r where r.workflow_id = ${workflow}`,
  order: raw('found.id desc'),
  parentOf: row => row.workflowId,
}

interface Place {
  organisationId: string
  id: string
}

const groupsOf = <Row extends Place>(places: readonly Row[]) => [
  ...Map.groupBy(places, ({ organisationId }) => organisationId),
]

export const createWorkflowLoaders = (read: ReadIn) => ({
  /** Deleted workflows included: what still names one must not break. */
  workflow: loaderById<Workflow>(
    read,
    ids => sql`select ${workflowColumns} from workflow w where w.id = any(${ids}::uuid[])`,
  ),
  runsOf: childLoaders(read, RUNS),
  stepsOf: new DataLoader<Place, WorkflowStep[], string>(
    async places => {
      const found = await Promise.all(
        groupsOf(places).map(([organisationId, some]) =>
          readSteps(
            read(organisationId),
            some.map(({ id }) => id),
          ),
        ),
      )
      const steps = Map.groupBy(found.flat(), ({ workflowId }) => workflowId)
      return places.map(({ id }) => steps.get(id) ?? [])
    },
    { cacheKeyFn: ({ id }) => id },
  ),
  /** What events were about; null for those that are kept no more. */
  targetOf: new DataLoader<Place, EventTarget | null, string>(
    async places => {
      const found = await Promise.all(
        groupsOf(places).map(([organisationId, some]) =>
          readEvents(
            read(organisationId),
            some.map(({ id }) => id),
          ),
        ),
      )
      const targets = new Map(found.flat().map(({ id, target }) => [id, target]))
      return places.map(({ id }) => targets.get(id) ?? null)
    },
    { cacheKeyFn: ({ id }) => id },
  ),
})

/** The steps of some workflows, in order. */
export async function readSteps(
  queries: Queries,
  workflows: string[],
): Promise<(WorkflowStep & { workflowId: string })[]> {
  const steps = await queries.rows<WorkflowStep & { workflowId: string }>(sql`
    select ${columns('s', STEP_FIELDS)} from workflow_step s
    where s.workflow_id = any(${workflows}::uuid[]) order by s.workflow_id, s.position`)
  return steps.map(step => ({ ...step, __typename: STEP_TYPES[step.kind] }))
}

export async function getWorkflow(
  queries: Queries,
  viewer: TenantViewer,
  id: string,
  lock = false,
): Promise<Workflow> {
  const workflow = isId(id) ? await findWorkflow(queries, viewer, id, lock) : undefined
  if (!workflow) throw notFound('workflow')
  return workflow
}

/** The workflows that somebody may know of: a key that is confined to projects, none that names another. */
function known({ organisationId, confinedTo }: TenantViewer): Sql {
  const all = sql`w.organisation_id = ${organisationId} and w.deleted_at is null`
  if (!confinedTo) return all
  const beyond = (project: Sql) => sql`${project} <> all(${[...confinedTo]}::uuid[])`
  return sql`${all} and ${beyond(raw('w.project_id'))} is not true and not exists (
    select from workflow_step s where s.workflow_id = w.id and ${beyond(raw('s.project_id'))})`
}

export const findWorkflow = (
  queries: Queries,
  viewer: TenantViewer,
  id: string,
  lock = false,
): Promise<Workflow | undefined> =>
  firstRow(
    queries,
    sql`select ${workflowColumns} from workflow w where w.id = ${id} and ${known(viewer)}
      ${lock ? sql`for update` : sql``}`,
  )

export const findRun = (
  queries: Queries,
  viewer: TenantViewer,
  id: string,
): Promise<WorkflowRun | undefined> =>
  firstRow(
    queries,
    sql`select ${runColumns} from workflow_run r join workflow w on w.id = r.workflow_id and ${known(viewer)}
      where r.id = ${id}`,
  )

/** Workflows of an organisation, the newest first. */
export const listWorkflows = (
  queries: Queries,
  ring: KeyRing,
  viewer: TenantViewer,
  args: PageArgs,
): Promise<Page<Workflow>> =>
  readPage<Workflow>({
    queries,
    ring,
    list: ['workflows', viewer.organisationId],
    args,
    select: workflowColumns,
    from: sql`from workflow w where ${known(viewer)}`,
    id: raw('w.id'),
    descending: true,
  })

/** Runs of one workflow, the newest first. */
export const listRuns = (
  read: ReadIn,
  loaders: ChildLoaders<WorkflowRun, null>,
  ring: KeyRing,
  { id, organisationId }: Workflow,
  args: PageArgs,
): Promise<Page<WorkflowRun>> =>
  readChildren({
    read,
    ring,
    identity: ['runs', id],
    list: RUNS,
    loaders,
    parent: { organisationId, id, scope: null },
    args,
  })
