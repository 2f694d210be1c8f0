import { must, type Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { notify } from '../../accounts/notifications/notification.service.ts'
import { findAccountById } from '../../accounts/users/user.service.ts'
import { replacePassword } from '../../credentials/passwords/replace.service.ts'
import {
  lockSession,
  renewSession,
  type RenewedSession,
} from '../../credentials/sessions/session.service.ts'
import type { Instant } from '../../database/columns.ts'
import { firstRow, join, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { conflict, notFound, unauthenticated } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { visible } from '../../tenancy/memberships/member.list.ts'
import { memberColumns } from '../../tenancy/memberships/member.loaders.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { queueRequest } from '../mail-requests/mail-request.service.ts'
import { wrongCredentials } from '../sign-in/entry.service.ts'

export interface PasswordChange {
  /** When the password that was found right had been set. */
  provenSetAt: Instant | null
  /** Hashed already, for that is slow. */
  passwordHash: string
}

/**
 * Replaces the password of whoever is signed in; as *system*. The other sessions and what is pending end; this one
 * goes on with new tokens.
 *
 * @throws {AppError} `UNAUTHENTICATED` where the password was replaced since it was proven, or the session ended.
 */
export async function changePassword(
  work: Work,
  person: Person,
  { provenSetAt, passwordHash }: PasswordChange,
): Promise<RenewedSession> {
  const unchanged = await firstRow(
    work.db,
    sql`select id from user_account where id = ${person.userId} and deleted_at is null
      and password_changed_at is not distinct from ${provenSetAt}::timestamptz for no key update`,
  )
  const account = await findAccountById(work, person.userId)
  if (!unchanged || !account) throw wrongCredentials()
  const session = await lockSession(work, person.sessionId)
  if (!session || session.endedAt)
    throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  await replacePassword(work, account.id, passwordHash, session.id)
  const renewed = await renewSession(work, session, { retireTokens: true })
  await record(work, 'user.password_changed', {
    // it is the person's, whichever organisation they are in
    organisationId: null,
    target: { kind: 'User', id: account.id, name: person.name },
  })
  await notify(work, {
    userId: account.id,
    topic: 'user.password_changed',
    organisationId: null,
    text: { template: 'passwordChanged', data: { at: work.now.toISOString() } },
  })
  return renewed
}

/** A member who has an account, as far as the viewer's role shows them: anybody may be sent the usual link. */
export async function getMemberWithAccount(work: Work, id: string): Promise<Member> {
  const viewer = must(work.viewer, 'manageUser')
  if (!isId(id)) throw notFound('member')
  const here = [
    sql`m.id = ${id}`,
    sql`m.organisation_id = ${viewer.organisationId}`,
    sql`m.kind = 'MEMBER' and m.removed_at is null`,
  ]
  const member = await firstRow<Member>(
    work.db,
    sql`select ${memberColumns('m')} from principal m where ${join([...here, ...visible(viewer)], ' and ')}`,
  )
  if (!member) throw notFound('member')
  if (!member.userId)
    throw conflict('STATE_MISMATCH', 'This person has not accepted yet. Resend the invitation.')
  return member
}

/** Has the usual link for a new password mailed to a member. Whoever asks neither sees it nor learns of it. */
export async function requestMemberPasswordReset(work: Work, id: string): Promise<Member> {
  const member = await getMemberWithAccount(work, id)
  await queueRequest(work, { kind: 'PASSWORD_RESET', email: member.email, projectId: null })
  await record(work, 'member.password_reset_requested', {
    organisationId: member.organisationId,
    target: { kind: 'Member', id: member.id, name: member.name },
  })
  return member
}
