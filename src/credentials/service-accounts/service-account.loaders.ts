import type { TenantViewer } from '../../access/viewer.ts'
import { columns } from '../../database/columns.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { firstRow, raw, sql, type Queries } from '../../database/sql.ts'
import { readCursor } from '../../shared/cursor.ts'
import { notFound } from '../../shared/errors.ts'
import { afterPrefix, fold } from '../../shared/normalise.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import type { ServiceAccount } from './service-account.type.ts'

const FIELDS = [
  'id',
  'organisationId',
  'roleId',
  'name',
  'sortName',
  'description',
  'status',
  'createdById',
  'createdAt',
  'updatedAt',
] as const

export const serviceAccountColumns = raw(
  `${columns('m', FIELDS).text}, nullif(m.last_active_at, '-infinity') as "lastActiveAt", 'ServiceAccount' as "__typename"`,
)

/** Deleted service accounts included: what still names one must not break. */
export const createServiceAccountLoaders = (read: ReadIn) => ({
  serviceAccount: loaderById<ServiceAccount>(
    read,
    ids =>
      sql`select ${serviceAccountColumns} from principal m where m.id = any(${ids}::uuid[]) and m.kind = 'SERVICE_ACCOUNT'`,
  ),
})

export async function getServiceAccount(
  queries: Queries,
  viewer: TenantViewer,
  id: string,
  lock = false,
): Promise<ServiceAccount> {
  const account = isId(id)
    ? await firstRow<ServiceAccount>(
        queries,
        sql`select ${serviceAccountColumns} from principal m
          where m.id = ${id} and m.organisation_id = ${viewer.organisationId} and m.kind = 'SERVICE_ACCOUNT'
            and m.removed_at is null ${lock ? sql`for update` : sql``}`,
      )
    : undefined
  if (!account) throw notFound('service account')
  return account
}

/** Service accounts by name; `search` matches the beginning of the name. */
export async function listServiceAccounts(
  queries: Queries,
  ring: KeyRing,
  viewer: TenantViewer,
  args: PageArgs & { search?: string | null },
): Promise<Page<ServiceAccount>> {
  const size = pageSize(args)
  const start = args.search ? fold(args.search.trim()) : ''
  const list = ['serviceAccounts', viewer.organisationId, start]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const found = start
    ? sql`and m.sort_name >= ${start} and m.sort_name < ${afterPrefix(start)}`
    : sql``
  const from = sql`from principal m where m.organisation_id = ${viewer.organisationId} and m.kind = 'SERVICE_ACCOUNT'
    and m.removed_at is null ${found}`
  const beyond = after
    ? sql`and (m.sort_name, m.id) > (${after.key}::text, ${after.id}::uuid)`
    : sql``
  const rows = await queries.rows<ServiceAccount>(sql`
    select ${serviceAccountColumns} ${from} ${beyond} order by m.sort_name, m.id limit ${size + 1}`)
  return pageOf({
    ring,
    list,
    args,
    rows,
    position: row => ({ key: row.sortName, id: row.id }),
    count: async () =>
      (await firstRow<{ count: number }>(queries, sql`select count(*)::int as count ${from}`))
        ?.count ?? 0,
  })
}
