import { lockAccount } from '../../credentials/callers/standing.ts'
import type { Work } from '../../access/work.ts'
import { notify } from '../../accounts/notifications/notification.service.ts'
import {
  findAccount,
  findAccountById,
  fullName,
  type Account,
} from '../../accounts/users/user.service.ts'
import { writeUserWords } from '../../accounts/users/user-words.ts'
import { closeLinks, createLink, spendLink } from '../../credentials/links/link.service.ts'
import { mustBeOwnSession } from '../../credentials/sessions/confined.ts'
import { sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { queueMail } from '../../outbox/mail/mail.service.ts'
import type { EmailChangeNotice } from '../../outbox/mail/templates/email-change.ts'
import { conflict, forbidden, tokenInvalid, unauthenticated } from '../../shared/errors.ts'
import { followAddress } from './follow-address.ts'

const TOKEN = ['token']

/** Whose account it is, and the session in which they ask; null on a page, where they have just proven themselves. */
export interface Owner {
  userId: string
  sessionId: string | null
}

/**
 * Asks to move the account in use to another address; as *system*. A link goes to the new one and word of it to the old
 * one; nothing changes before the link is used. Whether the new address is taken shows neither here nor later: its
 * owner is told instead.
 */
export async function requestEmailChange(
  work: Work,
  person: Owner,
  email: string,
): Promise<{ email: string }> {
  const account = await ownAccount(work, person)
  if (!account.provenAt)
    throw forbidden('POLICY_FORBIDS', 'Confirm your address first, by the link mailed to you.')
  if (account.email === email)
    throw conflict('STATE_MISMATCH', 'This is the address of your account already.')
  const taken = await findAccount(work, email)
  const link = await createLink(work, { userId: account.id, kind: 'EMAIL_CHANGE', email })
  const { firstName } = account
  const expiresAt = link.expiresAt.toISOString()
  if (taken)
    // an answer to what was asked, like the link that would have gone there
    await queueMail(work, {
      to: taken.email,
      locale: taken.locale,
      mail: { template: 'addressWanted', data: { firstName: taken.firstName } },
      reader: { userId: taken.id, categories: [] },
    })
  else
    await queueMail(work, {
      to: email,
      locale: account.locale,
      expiresAt: link.expiresAt,
      mail: { template: 'emailChange', data: { firstName, url: link.url, expiresAt } },
      reader: { userId: account.id, categories: [] },
    })
  const at = work.now.toISOString()
  await tell(work, account, 'user.email_change_requested', { email, what: 'requested', at })
  await record(work, 'user.email_change_requested', about(account))
  return { email }
}

/**
 * Moves the account in use to the address that the link was mailed to; as *system*. Sessions stay, other links end, and
 * every membership follows.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `TOKEN_INVALID`, also for a link of somebody else and for an address that has
 * been taken meanwhile.
 */
export async function confirmEmailChange(
  work: Work,
  person: Owner,
  token: string,
): Promise<{ email: string }> {
  const { userId, email } = await spendLink(work, token, 'EMAIL_CHANGE', TOKEN)
  if (userId !== person.userId) throw tokenInvalid(TOKEN)
  const account = await ownAccount(work, person)
  if (await findAccount(work, email)) throw tokenInvalid(TOKEN)
  await work.db.rows(sql`
    update user_account set email = ${email}, email_verified_at = ${work.now}, updated_at = ${work.now}
    where id = ${userId}`)
  await writeUserWords(work, [userId])
  await closeLinks(work, userId)
  await followAddress(work, userId, email)
  await record(work, 'user.email_changed', {
    ...about(account),
    changes: [{ field: 'email', before: account.email, after: email }],
  })
  const at = work.now.toISOString()
  await tell(work, account, 'user.email_changed', { email, what: 'changed', at })
  return { email }
}

/** Calls a pending change off, if there is one; as *system*. */
export async function cancelEmailChange(work: Work, person: Owner): Promise<void> {
  const account = await ownAccount(work, person)
  const closed = await closeLinks(work, person.userId, ['EMAIL_CHANGE'])
  if (closed.length) await record(work, 'user.email_change_cancelled', about(account))
}

/** The account in use, locked; the account is no business of a session that acts in one organisation only. */
async function ownAccount(work: Work, person: Owner): Promise<Account> {
  await lockAccount(work, person.userId)
  await mustBeOwnSession(work, person)
  const account = await findAccountById(work, person.userId)
  if (!account) throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  return account
}

const about = (account: Account) => ({
  // an account is the person's, whichever organisation they are in
  organisationId: null,
  target: { kind: 'User', id: account.id, name: fullName(account) },
  actor: { userId: account.id, principalId: null, name: fullName(account) },
})

/** Tells the address that the account is to leave, or has left, whatever its owner wants to be told of. */
const tell = (
  work: Work,
  { id: userId, email: to }: Account,
  topic: 'user.email_change_requested' | 'user.email_changed',
  data: Omit<EmailChangeNotice, 'firstName'>,
) =>
  notify(work, {
    userId,
    topic,
    organisationId: null,
    security: true,
    to,
    text: { template: 'emailChangeNotice', data },
  })
