import type { Work } from '../../access/work.ts'
import { notify } from '../../accounts/notifications/notification.service.ts'
import { findAccount, findAccountById, fullName } from '../../accounts/users/user.service.ts'
import { findLink, spendLink } from '../../credentials/links/link.service.ts'
import type { PasswordHasher } from '../../credentials/passwords/hasher.ts'
import { readPasswordRules } from '../../credentials/passwords/password-rules.service.ts'
import { mustBeAcceptable } from '../../credentials/passwords/password.service.ts'
import { replacePassword } from '../../credentials/passwords/replace.service.ts'
import type { Queries } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { tokenInvalid } from '../../shared/errors.ts'
import { proveFirst } from '../email-verification/first-proof.service.ts'
import { mailLink } from '../mail-requests/link-mail.ts'
import type { MailRequest } from '../mail-requests/mail-request.service.ts'

/**
 * Mails the link behind which a new password is chosen, where the address is a login; as *system*. None goes to a
 * login that an administrator changed and its owner has not confirmed: that mailbox may be anybody's.
 */
export async function mailPasswordReset(work: Work, { email }: MailRequest): Promise<void> {
  const account = await findAccount(work, email)
  if (!account || (account.provenAt && !account.emailVerifiedAt)) return
  await mailLink(work, account, { kind: 'PASSWORD_RESET', email }, data => ({
    template: 'passwordReset',
    data,
  }))
}

export interface HashTools {
  /** Queries that run as *system*. */
  system: Queries
  hasher: PasswordHasher
  now: Date
}

/**
 * Holds the new password of whoever a link belongs to against the policy and hashes it, outside any transaction: a
 * hash is slow on purpose. The link is not used up, so a refused password may be chosen again.
 *
 * @throws {AppError} `BAD_USER_INPUT`: `TOKEN_INVALID`, or every rule that the password does not meet.
 */
export async function hashNewPassword(
  { system, hasher, now }: HashTools,
  { token, newPassword }: { token: string; newPassword: string },
): Promise<string> {
  const link = await findLink({ db: system, now }, token, 'PASSWORD_RESET')
  if (!link) throw tokenInvalid(['input', 'token'])
  mustBeAcceptable(newPassword, await readPasswordRules(system, { userId: link.userId }), [
    'input',
    'newPassword',
  ])
  return hasher.hash(newPassword)
}

/**
 * Replaces a password through a mailed link; as *system*. Every session, pending link and challenge ends, none begins.
 * The link proves the mailbox: where none was proven before, whatever was set up until now is void.
 *
 * @param passwordHash hashed already, for that is slow.
 * @throws {AppError} `BAD_USER_INPUT` / `TOKEN_INVALID`.
 */
export async function resetPassword(
  work: Work,
  token: string,
  passwordHash: string,
): Promise<{ email: string }> {
  const link = await spendLink(work, token, 'PASSWORD_RESET', ['input', 'token'])
  const account = await findAccountById(work, link.userId)
  if (!account || account.email !== link.email) throw tokenInvalid(['input', 'token'])
  if (account.provenAt) await replacePassword(work, account.id, passwordHash)
  else await proveFirst(work, account.id, { passwordHash })
  const name = fullName(account)
  await record(work, 'user.password_reset', {
    organisationId: null,
    target: { kind: 'User', id: account.id, name },
    actor: { userId: account.id, principalId: null, name },
  })
  await notify(work, {
    userId: account.id,
    topic: 'user.password_reset',
    organisationId: null,
    text: { template: 'passwordChanged', data: { at: work.now.toISOString() } },
  })
  return { email: account.email }
}
