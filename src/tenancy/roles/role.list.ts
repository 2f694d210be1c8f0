import { tenantOf, type TenantViewer } from '../../access/viewer.ts'
import { columns } from '../../database/columns.ts'
import type { DatabaseContext } from '../../database/context.ts'
import { join, sql, type Queries } from '../../database/sql.ts'
import { readCursor } from '../../shared/cursor.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { ROLE_FIELDS } from './role.loaders.ts'
import type { AccessLevel, Role } from './role.type.ts'

/** The live roles of the organisation in use, by name. */
export async function listRoles(
  read: (context: DatabaseContext) => Queries,
  ring: KeyRing,
  viewer: TenantViewer,
  args: PageArgs & { level?: AccessLevel | null },
): Promise<Page<Role>> {
  const size = pageSize(args)
  const list = ['roles', viewer.organisationId, args.level ?? '']
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const queries = read(tenantOf(viewer))
  const matching = join(
    [
      sql`r.organisation_id = ${viewer.organisationId}`,
      sql`r.deleted_at is null`,
      ...(args.level ? [sql`r.level = ${args.level}`] : []),
    ],
    ' and ',
  )
  const beyond = after
    ? sql`and (r.sort_name, r.id) > (${after.key}::text, ${after.id}::uuid)`
    : sql``
  const rows = await queries.rows<Role>(sql`
    select ${columns('r', ROLE_FIELDS)} from role r where ${matching} ${beyond} order by r.sort_name, r.id limit ${size + 1}`)
  return pageOf({
    ring,
    list,
    args,
    rows,
    position: row => ({ key: row.sortName, id: row.id }),
    count: async () =>
      (
        await queries.rows<{ count: number }>(
          sql`select count(*)::int as count from role r where ${matching}`,
        )
      )[0]?.count ?? 0,
  })
}
