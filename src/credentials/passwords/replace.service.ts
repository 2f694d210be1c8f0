import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { clearOut } from '../links/clear-out.service.ts'

/**
 * Sets a person's password in place of the one before and ends what it had opened; as *system*.
 *
 * @param keep the session in which it happens, which goes on.
 */
export async function replacePassword(
  work: Work,
  userId: string,
  passwordHash: string,
  keep: string | null = null,
): Promise<void> {
  await work.db.rows(sql`
    update user_account set password_hash = ${passwordHash}, password_changed_at = ${work.now}, updated_at = ${work.now}
    where id = ${userId}`)
  await clearOut(work, userId, { reason: 'the password was changed', keep })
}
