import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { readCursor } from '../../shared/cursor.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { memberColumns } from './member.loaders.ts'
import type { Member } from './member.type.ts'

/** Where a person belongs, in the order in which they joined; read as *self*. */
export async function listMemberships(
  queries: Queries,
  ring: KeyRing,
  userId: string,
  args: PageArgs,
): Promise<Page<Member>> {
  const size = pageSize(args)
  const list = ['memberships', userId]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const matching = sql`m.user_id = ${userId} and m.removed_at is null`
  const beyond = after ? sql`and m.id > ${after.id}::uuid` : sql``
  const rows = await queries.rows<Member>(sql`
    select ${memberColumns('m')} from principal m where ${matching} ${beyond} order by m.id limit ${size + 1}`)
  return pageOf({
    ring,
    list,
    args,
    rows,
    position: row => ({ key: '', id: row.id }),
    count: async () =>
      (
        await firstRow<{ count: number }>(
          queries,
          sql`select count(*)::int as count from principal m where ${matching}`,
        )
      )?.count ?? 0,
  })
}
