import type { Work } from '../../access/work.ts'
import { forgetChoices } from '../../accounts/notifications/preference.service.ts'
import { clearOut } from '../../credentials/links/clear-out.service.ts'
import { dropSecondFactors } from '../../credentials/totp/mfa.service.ts'
import { sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'

export interface FirstProof {
  /** The password that whoever proved the mailbox chose; null leaves the account without one. */
  passwordHash: string | null
  /** The session in which it happens, which goes on. */
  keep?: string | null
}

/**
 * The mailbox of an account is proven for the first time; as *system*. Whoever set the account up before need not have
 * been its owner, so all that they set up is void: password, sessions, second factors, keys, pending links,
 * and what they wanted to be told of.
 *
 * @returns false where a mailbox of the account was proven before: then nothing was done.
 */
export async function proveFirst(work: Work, userId: string, proof: FirstProof): Promise<boolean> {
  const { passwordHash, keep } = proof
  const proven = await work.db.rows<{ email: string; name: string }>(sql`
    update user_account set email_verified_at = ${work.now}, proven_at = ${work.now}, password_hash = ${passwordHash},
      password_changed_at = ${passwordHash ? work.now : null}, updated_at = ${work.now}
    where id = ${userId} and proven_at is null
    returning email, btrim(first_name || ' ' || last_name) as name`)
  if (!proven[0]) return false
  // members before sessions, as wherever both are locked
  await work.db.rows(
    sql`select from principal where user_id = ${userId} and removed_at is null order by id for no key update`,
  )
  await clearOut(work, userId, { reason: 'the mailbox was proven', keep })
  await dropSecondFactors(work, userId)
  await forgetChoices(work, userId)
  await work.db.rows(sql`
    update api_key set revoked_at = ${work.now}, updated_at = ${work.now} where revoked_at is null
      and owner_id in (select id from principal where user_id = ${userId})`)
  await work.db.rows(sql`
    update principal set unproven_project_id = null where user_id = ${userId}
      and removed_at is null`)
  const { name } = proven[0]
  await record(work, 'user.email_verified', {
    organisationId: null,
    target: { kind: 'User', id: userId, name },
    actor: { userId, principalId: null, name },
  })
  return true
}
