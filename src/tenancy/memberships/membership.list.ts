import { readPage } from '../../database/keyset.ts'
import { sql, type Queries, raw } from '../../database/sql.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { memberColumns } from './member.loaders.ts'
import type { Member } from './member.type.ts'

/**
 * Where a person belongs, in the order in which they joined; read as *self*.
 *
 * @param only the one organisation to show; null for all.
 */
export async function listMemberships(
  queries: Queries,
  ring: KeyRing,
  userId: string,
  args: PageArgs,
  only: string | null,
): Promise<Page<Member>> {
  return readPage<Member>({
    queries,
    ring,
    list: ['memberships', userId],
    args,
    select: memberColumns('m'),
    from: sql`from principal m where m.user_id = ${userId} and m.removed_at is null
      ${only ? sql`and m.organisation_id = ${only}` : sql``}`,
    id: raw('m.id'),
  })
}
