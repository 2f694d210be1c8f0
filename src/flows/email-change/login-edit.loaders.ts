import DataLoader from 'dataloader'
import type { Accounts } from '../../credentials/totp/mfa.loaders.ts'
import { SYSTEM } from '../../database/context.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { sql } from '../../database/sql.ts'

/** Batches what is asked about logins. */
export const createLoginLoaders = (_read: ReadIn, { contextOf, read }: Accounts) => ({
  /**
   * Whether members' accounts belong to one organisation alone and are no operator's: the one bit that it may learn of
   * them elsewhere. As *system*, for an organisation sees none of its members' other memberships.
   */
  soleAccount: loaderById<{ id: string; sole: boolean }>(
    () => read(SYSTEM),
    ids => sql`
      select m.id, not u.operator and not exists (
        select from principal o where o.user_id = u.id and o.removed_at is null and o.id <> m.id) as sole
      from principal m join user_account u on u.id = m.user_id and u.deleted_at is null
      where m.id = any(${ids}::uuid[])`,
  ),
  /** The address that an account waits to be moved to, at a moment. */
  pendingEmail: new DataLoader<{ userId: string; now: Date }, string | null, string>(
    async keys => {
      const groups = [
        ...Map.groupBy(keys, ({ userId }) => JSON.stringify(contextOf(userId))).values(),
      ]
      const found = await Promise.all(
        groups.map(some =>
          read(contextOf(some[0]!.userId)).rows<{ userId: string; email: string }>(sql`
            select user_id as "userId", email from link where kind = 'EMAIL_CHANGE' and spent_at is null
              and expires_at > ${some[0]!.now} and user_id = any(${some.map(({ userId }) => userId)}::uuid[])`),
        ),
      )
      const emails = new Map(found.flat().map(({ userId, email }) => [userId, email]))
      return keys.map(({ userId }) => emails.get(userId) ?? null)
    },
    { cacheKeyFn: ({ userId }) => userId },
  ),
})
