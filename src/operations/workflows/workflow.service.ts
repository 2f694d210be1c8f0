import { must, mustReach, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { isTopic } from '../../outbox/events/topics.ts'
import { badInput, conflict, type Path } from '../../shared/errors.ts'
import { newId } from '../../shared/tokens.ts'
import { lockOrganisation } from '../../tenancy/organisations/administration.ts'
import { getProject, mustSeeProject } from '../../tenancy/projects/project.service.ts'
import { readDescription, readTitle } from '../../shared/titles.ts'
import { asInputs, describeSteps, readSteps, writeSteps } from './steps.service.ts'
import { getWorkflow, readSteps as stepsOf } from './workflow.loaders.ts'
import type { CreateWorkflowInput, UpdateWorkflowInput, Workflow } from './workflow.type.ts'

const MOST_WORKFLOWS = 50

/**
 * Has steps run from now on when something happens, with what their author may do at the time.
 *
 * @throws {AppError} `CONFLICT` / `STATE_MISMATCH` where the organisation has as many as it may have, and what the
 *   mutations that do the same as a step would throw.
 */
export async function createWorkflow(work: Work, input: CreateWorkflowInput): Promise<Workflow> {
  const viewer = must(work.viewer, 'manageIntegration')
  const { organisationId } = viewer
  const name = readTitle(input.name, ['input', 'name'])
  const description = readDescription(input.description, ['input', 'description'])
  const topic = readTopic(input.trigger, ['input', 'trigger'])
  await makeRoom(work, organisationId)
  const projectId = await readProject(work, viewer, input.projectId ?? null)
  const path = ['input', 'steps']
  const steps = await readSteps(work, viewer, input.steps, projectId !== null, path)
  const id = newId()
  await work.db.rows(sql`
    insert into workflow (id, created_at, updated_at, organisation_id, name, description, topic, project_id, enabled,
      updated_by_id, updated_with_id)
    values (${id}, ${work.now}, ${work.now}, ${organisationId}, ${name}, ${description}, ${topic}, ${projectId},
      ${input.enabled}, ${viewer.principalId}, ${viewer.apiKeyId})`)
  await writeSteps(work, organisationId, id, steps)
  await record(work, 'workflow.created', {
    organisationId,
    target: targetOf({ id, name }),
    changes: [
      { field: 'trigger', before: null, after: topic },
      { field: 'steps', before: null, after: describeSteps(steps) },
    ],
  })
  return getWorkflow(work.db, viewer, id)
}

/**
 * Changes a workflow, which from now on acts with what the viewer may do. Where it is switched off, or gets other steps,
 * runs under way are stopped: none goes through steps that nobody answers for. Switching off, and nothing else, takes no
 * authority for the steps.
 */
export async function updateWorkflow(
  work: Work,
  id: string,
  input: UpdateWorkflowInput,
): Promise<Workflow> {
  const viewer = must(work.viewer, 'manageIntegration')
  const { organisationId } = viewer
  const before = await getWorkflow(work.db, viewer, id, true)
  mustReach(viewer, before.projectId)
  const was = await stepsOf(work.db, [before.id])
  const after = {
    name: input.name === undefined ? before.name : readTitle(input.name ?? '', ['input', 'name']),
    description:
      input.description === undefined
        ? before.description
        : readDescription(input.description, ['input', 'description']),
    topicName:
      input.trigger === undefined
        ? before.topicName
        : readTopic(required(input.trigger, ['input', 'trigger']), ['input', 'trigger']),
    projectId: input.projectId === undefined ? before.projectId : input.projectId,
    enabled: input.enabled ?? before.enabled,
  }
  const wanted =
    input.steps === undefined ? asInputs(was) : required(input.steps, ['input', 'steps'])
  const path = ['input', 'steps']
  const onlyOff = input.enabled === false && Object.keys(input).length === 1
  const projectId = onlyOff ? before.projectId : await readProject(work, viewer, after.projectId)
  const steps = onlyOff ? was : await readSteps(work, viewer, wanted, projectId !== null, path)
  const replaced = JSON.stringify(asInputs(steps)) !== JSON.stringify(asInputs(was))
  await work.db.rows(sql`
    update workflow set name = ${after.name}, description = ${after.description}, topic = ${after.topicName},
      project_id = ${projectId}, enabled = ${after.enabled}, updated_at = ${work.now},
      updated_by_id = ${viewer.principalId}, updated_with_id = ${viewer.apiKeyId}
    where id = ${before.id}`)
  if (replaced) {
    await work.db.rows(sql`delete from workflow_step where workflow_id = ${before.id}`)
    await writeSteps(work, organisationId, before.id, steps)
  }
  if (replaced || !after.enabled) await stopRuns(work, before.id)
  const { topicName: trigger, ...plain } = after
  await record(work, 'workflow.updated', {
    organisationId,
    target: targetOf({ id: before.id, name: after.name }),
    changes: changesBetween(
      { ...before, trigger: before.topicName, steps: describeSteps(was) },
      { ...plain, trigger, steps: describeSteps(steps) },
    ),
  })
  return getWorkflow(work.db, viewer, before.id)
}

/** Deletes a workflow. Its runs under way are stopped, and nothing that it named is named any more. */
export async function deleteWorkflow(work: Work, id: string): Promise<string> {
  const viewer = must(work.viewer, 'manageIntegration')
  const workflow = await getWorkflow(work.db, viewer, id, true)
  mustReach(viewer, workflow.projectId)
  await work.db.rows(
    sql`update workflow set enabled = false, deleted_at = ${work.now} where id = ${workflow.id}`,
  )
  await work.db.rows(sql`delete from workflow_step where workflow_id = ${workflow.id}`)
  await stopRuns(work, workflow.id)
  await record(work, 'workflow.deleted', {
    organisationId: viewer.organisationId,
    target: targetOf(workflow),
  })
  return workflow.id
}

/** A workflow as events name it. */
export const targetOf = ({ id, name }: Pick<Workflow, 'id' | 'name'>) => ({
  kind: 'Workflow',
  id,
  name,
})

/** A step that is being taken is waited for; none is taken after it. */
const stopRuns = (work: Work, workflowId: string) =>
  work.db.rows(sql`
    update workflow_run set status = 'CANCELLED', finished_at = ${work.now}
    where workflow_id = ${workflowId} and status = 'RUNNING'`)

function required<Value>(value: Value | null, path: Path): Value {
  if (value === null)
    throw badInput(path, 'REQUIRED', 'Every workflow has one. Leave it out to keep it.')
  return value
}

function readTopic(name: string, path: Path): string {
  if (!isTopic(name))
    throw badInput(
      path,
      'INVALID_FORMAT',
      'There is no such topic. `topics` lists them; a workflow waits for one of them.',
    )
  return name
}

async function readProject(
  work: Work,
  viewer: TenantViewer,
  id: string | null,
): Promise<string | null> {
  if (!id) {
    mustReach(viewer, null)
    return null
  }
  const project = await getProject(work, viewer, id)
  await mustSeeProject(work, viewer, project.id)
  return project.id
}

/** Counts under a lock, so that of two at once the later one sees the earlier. */
async function makeRoom(work: Work, organisationId: string): Promise<void> {
  await lockOrganisation(work, organisationId)
  const held = await firstRow<{ count: number }>(
    work.db,
    sql`select count(*)::int as count from workflow where organisation_id = ${organisationId} and deleted_at is null`,
  )
  if ((held?.count ?? 0) >= MOST_WORKFLOWS)
    throw conflict(
      'STATE_MISMATCH',
      `An organisation has at most ${MOST_WORKFLOWS} workflows. Delete one first.`,
    )
}
