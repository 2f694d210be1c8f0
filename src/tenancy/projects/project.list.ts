import { can, tenantOf, type TenantViewer } from '../../access/viewer.ts'
import { readChildren } from '../../database/child-pages.ts'
import { columns } from '../../database/columns.ts'
import type { DatabaseContext } from '../../database/context.ts'
import type { ReadIn } from '../../database/loader.ts'
import { beginning, readPage } from '../../database/keyset.ts'
import { firstRow, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { notFound } from '../../shared/errors.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import {
  PLACES,
  PROJECT_ACCESS_FIELDS,
  PROJECT_FIELDS,
  type Confinement,
  type createProjectLoaders,
} from './project.loaders.ts'
import type { Project, ProjectAccess } from './project.type.ts'

type Read = (context: DatabaseContext) => Queries

/** Projects that the viewer can enter; all of them for those who manage projects. */
export function visibleProjects(viewer: TenantViewer): Sql {
  const live = sql`p.organisation_id = ${viewer.organisationId} and p.deleted_at is null`
  const confined = viewer.confinedTo
    ? sql` and p.id = any(${[...viewer.confinedTo]}::uuid[])`
    : sql``
  if (can(viewer, 'manageProject') || viewer.administrator) return sql`${live}${confined}`
  return sql`${live}${confined} and p.id in (select a.project_id from project_access a where a.principal_id = ${viewer.principalId})`
}

export async function getVisibleProject(
  read: Read,
  viewer: TenantViewer,
  id: string,
): Promise<Project> {
  const project = isId(id)
    ? await firstRow<Project>(
        read(tenantOf(viewer)),
        sql`select ${columns('p', PROJECT_FIELDS)} from project p where p.id = ${id} and ${visibleProjects(viewer)}`,
      )
    : undefined
  if (!project) throw notFound('project')
  return project
}

/** Projects by name; `search` matches the beginning of the name. */
export function listProjects(
  read: Read,
  ring: KeyRing,
  viewer: TenantViewer,
  args: PageArgs & { search?: string | null },
): Promise<Page<Project>> {
  return readPage<Project>({
    queries: read(tenantOf(viewer)),
    ring,
    list: ['projects', viewer.organisationId, args.search ?? ''],
    args,
    select: columns('p', PROJECT_FIELDS),
    from: sql`from project p where ${visibleProjects(viewer)} and ${beginning(raw('p.sort_name'), args.search)}`,
    id: raw('p.id'),
    sort: { column: raw('p.sort_name'), type: 'text', key: row => row.sortName },
  })
}

const ACCESS = raw(
  'project_access a join principal m on m.id = a.principal_id and m.removed_at is null',
)
// the index of names goes by kind first
const BOTH_KINDS = raw(`m.kind = any('{MEMBER,SERVICE_ACCOUNT}')`)

/** Who can enter a project, as far as the viewer's role shows them; `search` matches the beginning of the name. */
export function listAccessTo(
  read: Read,
  ring: KeyRing,
  viewer: TenantViewer,
  projectId: string,
  args: PageArgs & { search?: string | null },
): Promise<Page<ProjectAccess>> {
  return readPage<ProjectAccess>({
    queries: read(tenantOf(viewer)),
    ring,
    list: ['access', viewer.organisationId, projectId, args.search ?? ''],
    args,
    select: columns('a', PROJECT_ACCESS_FIELDS),
    from: sql`from ${ACCESS} where a.project_id = ${projectId} and a.organisation_id = ${viewer.organisationId}`,
    id: raw('a.id'),
    narrowed: args.search
      ? { table: ACCESS, by: [BOTH_KINDS, beginning(raw('m.sort_name'), args.search)] }
      : null,
  })
}

/** The places of one principal in projects, in the order in which they were granted. */
export const listProjectAccess = (
  read: ReadIn,
  loaders: ReturnType<typeof createProjectLoaders>['places'],
  ring: KeyRing,
  { id, organisationId }: { id: string; organisationId: string },
  args: PageArgs,
  confinedTo: Confinement,
): Promise<Page<ProjectAccess>> =>
  readChildren({
    read,
    ring,
    identity: ['projectAccess', organisationId, id],
    list: PLACES,
    loaders,
    parent: { organisationId, id, scope: confinedTo },
    args,
  })
