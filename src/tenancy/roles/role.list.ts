import { tenantOf, type TenantViewer } from '../../access/viewer.ts'
import { columns } from '../../database/columns.ts'
import type { DatabaseContext } from '../../database/context.ts'
import { readPage } from '../../database/keyset.ts'
import { sql, type Queries, raw } from '../../database/sql.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
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
  const level = args.level ? sql`and r.level = ${args.level}` : sql``
  return readPage<Role>({
    queries: read(tenantOf(viewer)),
    ring,
    list: ['roles', viewer.organisationId, args.level ?? ''],
    args,
    select: columns('r', ROLE_FIELDS),
    from: sql`from role r where r.organisation_id = ${viewer.organisationId} and r.deleted_at is null ${level}`,
    id: raw('r.id'),
    sort: { column: raw('r.sort_name'), type: 'text', key: row => row.sortName },
  })
}
