import type { Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import { sql } from '../../database/sql.ts'
import { searchWords } from '../../shared/normalise.ts'

/**
 * Writes the words anew by which operators find some accounts, from their names and logins as they now stand. To be
 * called after either was changed, while the account's row is still locked by that.
 */
export const writeUserWords = (work: Work, ids: string[]): Promise<void> =>
  work.as(SYSTEM, async () => {
    const accounts = await work.db.rows<{
      id: string
      email: string
      firstName: string
      lastName: string
    }>(sql`
      select id, email, first_name as "firstName", last_name as "lastName" from user_account
      where id = any(${ids}::uuid[]) and deleted_at is null`)
    const words = accounts.flatMap(({ id, email, firstName, lastName }) =>
      searchWords(firstName, lastName, email).map(word => ({ id, word })),
    )
    await work.db.rows(sql`delete from user_word where user_id = any(${ids}::uuid[])`)
    await work.db.rows(sql`
      insert into user_word (user_id, word)
      select id, word from unnest(${words.map(each => each.id)}::uuid[], ${words.map(each => each.word)}::text[]) as w (id, word)`)
  })
