import { readPasswordRules } from '../../credentials/passwords/password-rules.service.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { tokenInvalid } from '../../shared/errors.ts'
import { findByToken } from './invitation.service.ts'
import type { InvitationPreview } from './invitation.type.ts'

/** What the holder of a link may know before accepting; reading it changes nothing. */
export async function previewInvitation(
  system: Queries,
  token: string,
  now: Date,
): Promise<InvitationPreview> {
  const invitation = await findByToken({ db: system, now }, token)
  if (!invitation) throw tokenInvalid(['token'])
  const proven = await firstRow(
    system,
    sql`select id from user_account where email = ${invitation.email} and proven_at is not null and deleted_at is null`,
  )
  return {
    organisationName: invitation.organisationName,
    inviterName: invitation.inviterName,
    email: invitation.email,
    expiresAt: invitation.expiresAt,
    signInRequired: proven != null,
  }
}

/**
 * What makes a password acceptable to whoever accepts this link, who may have entered other organisations before anybody
 * proved the mailbox.
 *
 * @param about the names that they typed, which it must not be made from.
 */
export async function passwordRulesFor(
  system: Queries,
  token: string,
  now: Date,
  about: readonly string[],
) {
  const invitation = await findByToken({ db: system, now }, token)
  if (!invitation) throw tokenInvalid(['input', 'token'])
  const account = await firstRow<{ id: string }>(
    system,
    sql`select id from user_account where email = ${invitation.email} and deleted_at is null`,
  )
  return readPasswordRules(system, {
    userId: account?.id,
    organisationId: invitation.organisationId,
    about: [invitation.email, ...about],
  })
}
