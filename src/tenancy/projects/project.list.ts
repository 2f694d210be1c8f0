import { can, tenantOf, type TenantViewer } from '../../access/viewer.ts'
import { columns } from '../../database/columns.ts'
import type { DatabaseContext } from '../../database/context.ts'
import type { ReadIn } from '../../database/loader.ts'
import { firstRow, join, sql, type Queries, type Sql } from '../../database/sql.ts'
import { readCursor } from '../../shared/cursor.ts'
import { notFound } from '../../shared/errors.ts'
import { afterPrefix, fold } from '../../shared/normalise.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import { PROJECT_ACCESS_FIELDS, PROJECT_FIELDS } from './project.loaders.ts'
import type { Project, ProjectAccess } from './project.type.ts'

type Read = (context: DatabaseContext) => Queries

/** Projects that the viewer can enter; all of them for those who manage projects. */
function visibleProjects(viewer: TenantViewer): Sql {
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
export async function listProjects(
  read: Read,
  ring: KeyRing,
  viewer: TenantViewer,
  args: PageArgs & { search?: string | null },
): Promise<Page<Project>> {
  const size = pageSize(args)
  const start = args.search ? fold(args.search.trim()) : ''
  const list = ['projects', viewer.organisationId, start]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const queries = read(tenantOf(viewer))
  const found = start
    ? sql`and p.sort_name >= ${start} and p.sort_name < ${afterPrefix(start)}`
    : sql``
  const matching = sql`${visibleProjects(viewer)} ${found}`
  const beyond = after
    ? sql`and (p.sort_name, p.id) > (${after.key}::text, ${after.id}::uuid)`
    : sql``
  const rows = await queries.rows<Project>(sql`
    select ${columns('p', PROJECT_FIELDS)} from project p where ${matching} ${beyond}
    order by p.sort_name, p.id limit ${size + 1}`)
  return pageOf({
    ring,
    list,
    args,
    rows,
    position: row => ({ key: row.sortName, id: row.id }),
    count: async () =>
      (
        await queries.rows<{ count: number }>(
          sql`select count(*)::int as count from project p where ${matching}`,
        )
      )[0]?.count ?? 0,
  })
}

/** Who can enter a project, as far as the viewer's role shows them; `search` matches the beginning of the name. */
export async function listAccessTo(
  read: Read,
  ring: KeyRing,
  viewer: TenantViewer,
  projectId: string,
  args: PageArgs & { search?: string | null },
): Promise<Page<ProjectAccess>> {
  const size = pageSize(args)
  const start = args.search ? fold(args.search.trim()) : ''
  const list = ['access', viewer.organisationId, projectId, start]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const queries = read(tenantOf(viewer))
  const found = start
    ? sql`and m.sort_name >= ${start} and m.sort_name < ${afterPrefix(start)}`
    : sql``
  const from = sql`from project_access a join principal m on m.id = a.principal_id and m.removed_at is null
    where a.project_id = ${projectId} and a.organisation_id = ${viewer.organisationId} ${found}`
  const beyond = after ? sql`and a.id > ${after.id}::uuid` : sql``
  const rows = await queries.rows<ProjectAccess>(
    sql`select ${columns('a', PROJECT_ACCESS_FIELDS)} ${from} ${beyond} order by a.id limit ${size + 1}`,
  )
  return pageOf({
    ring,
    list,
    args,
    rows,
    position: row => ({ key: '', id: row.id }),
    count: async () =>
      (await firstRow<{ count: number }>(queries, sql`select count(*)::int as count ${from}`))
        ?.count ?? 0,
  })
}

/** The places of one principal in projects, in the order in which they were granted. */
export async function listProjectAccess(
  readIn: ReadIn,
  ring: KeyRing,
  principal: { id: string; organisationId: string },
  args: PageArgs,
): Promise<Page<ProjectAccess>> {
  const size = pageSize(args)
  const list = ['projectAccess', principal.organisationId, principal.id]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const queries = readIn(principal.organisationId)
  const matching = join([sql`a.principal_id = ${principal.id}`, sql`p.deleted_at is null`], ' and ')
  const beyond = after ? sql`and a.id > ${after.id}::uuid` : sql``
  const rows = await queries.rows<ProjectAccess>(sql`
    select ${columns('a', PROJECT_ACCESS_FIELDS)} from project_access a join project p on p.id = a.project_id
    where ${matching} ${beyond} order by a.id limit ${size + 1}`)
  return pageOf({
    ring,
    list,
    args,
    rows,
    position: row => ({ key: '', id: row.id }),
    count: async () =>
      (
        await queries.rows<{ count: number }>(sql`
          select count(*)::int as count from project_access a join project p on p.id = a.project_id where ${matching}`)
      )[0]?.count ?? 0,
  })
}
