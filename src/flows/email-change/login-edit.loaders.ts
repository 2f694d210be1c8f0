import { loaderById, type ReadIn } from '../../database/loader.ts'
import { sql } from '../../database/sql.ts'

/**
 * Whether members' accounts belong to one organisation alone and are no operator's: the one bit that it may learn of
 * them elsewhere.
 *
 * @param read as *system*, for an organisation sees none of its members' other memberships.
 */
export const createLoginLoaders = (read: ReadIn) => ({
  soleAccount: loaderById<{ id: string; sole: boolean }>(
    read,
    ids => sql`
      select m.id, not u.operator and not exists (
        select from principal o where o.user_id = u.id and o.removed_at is null and o.id <> m.id) as sole
      from principal m join user_account u on u.id = m.user_id and u.deleted_at is null
      where m.id = any(${ids}::uuid[])`,
  ),
})
