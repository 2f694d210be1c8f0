import type { Work } from '../../access/work.ts'
import { toDate } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { AppError, forbidden } from '../../shared/errors.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'
import { UNPROVEN_PROJECT } from '../../tenancy/projects/project-entry.service.ts'
import {
  accountMayEnter,
  membershipMayBeEntered,
  reachOf,
  type AccountStanding,
  type MembershipStanding,
} from '../callers/standing.ts'
import type { LockedSession } from './session.service.ts'

const HOUR_MS = 3_600_000

/** A membership of one's own, with what its organisation asks of sessions. */
export interface OwnMembership extends MembershipStanding {
  id: string
  organisationId: string
  sessionsRevokedAt: string | null
  /** Longest life of sessions that act there; null where the platform's holds. */
  sessionLifetimeHours: number | null
  signInMethods: SignInMethod[]
  /** The platform or the organisation insists on a second factor. */
  mfaRequired: boolean
  /** The account has one. */
  secondFactor: boolean
}

/**
 * Who is locked everywhere goes on where they are, and gets in nowhere anew.
 *
 * @throws {AppError} `FORBIDDEN` / `POLICY_FORBIDS`.
 */
export function mustBeLetIn(account: AccountStanding | undefined, now: Date): void {
  if (!account || !accountMayEnter(account, now))
    throw closed('Your account gets in nowhere anew at the moment. Ask who runs this platform.')
}

/** Locks a membership of a person's own; as *system*. */
export const lockOwnMembership = (work: Work, userId: string, organisationId: string) =>
  firstRow<OwnMembership>(
    work.db,
    sql`select m.id, m.organisation_id as "organisationId", m.status, m.suspended_until as "suspendedUntil",
        m.locked_at as "lockedAt", m.removed_at as "removedAt", m.vouched, m.sessions_revoked_at as "sessionsRevokedAt",
        m.second_factor as "secondFactor", o.session_lifetime_hours as "sessionLifetimeHours",
        o.sign_in_methods as "signInMethods", ${UNPROVEN_PROJECT} as "unprovenProjectId",
        t.mfa_enabled and (t.mfa_required or o.mfa_required) as "mfaRequired",
        o.suspended_at as "organisationSuspendedAt", o.deleted_at as "organisationDeletedAt"
      from principal m join organisation o on o.id = m.organisation_id and o.deleted_at is null
      cross join platform_settings t
      where m.user_id = ${userId} and m.organisation_id = ${organisationId} and m.removed_at is null
      for no key update of m`,
  )

const closed = (message: string) => forbidden('POLICY_FORBIDS', message)

/**
 * Whether a session may go on in an organisation: what the membership allows, and what the organisation asks of
 * sessions.
 *
 * @throws {AppError} `FORBIDDEN` / `POLICY_FORBIDS`, or `MFA_REQUIRED` where a second factor is to be proven first.
 */
export function mustSuit(
  session: LockedSession,
  membership: OwnMembership,
  proven: boolean,
  now: Date,
): void {
  if (session.confinedToId && session.confinedToId !== membership.organisationId)
    throw closed('This session was begun for another organisation. Sign in anew to go elsewhere.')
  if (!membershipMayBeEntered(membership, now))
    throw closed('Your membership of this organisation is closed at the moment.')
  if (reachOf(membership, proven) === 'NONE')
    throw closed('Prove your address first, by the link mailed to you.')
  const begun = toDate(session.createdAt)
  const { sessionsRevokedAt, sessionLifetimeHours } = membership
  if (sessionsRevokedAt && begun <= toDate(sessionsRevokedAt))
    throw closed('An administrator ended your sessions there. Sign in again to enter.')
  if (sessionLifetimeHours && now.getTime() - begun.getTime() >= sessionLifetimeHours * HOUR_MS)
    throw closed('This session is too old for that organisation. Sign in again to enter.')
  if (!membership.signInMethods.includes(session.method))
    throw closed(
      session.method === 'PASSWORD'
        ? 'That organisation takes no sign-ins by password. Sign in by a mailed link to enter.'
        : 'That organisation takes no sign-ins by mailed link. Sign in with your password to enter.',
    )
  if (membership.mfaRequired && !(membership.secondFactor && session.mfaVerifiedAt))
    throw new AppError(
      'MFA_REQUIRED',
      membership.secondFactor
        ? 'Prove your second factor with `reauthenticate`, then switch.'
        : 'That organisation insists on a second factor. Add one with `startTotpEnrolment`, then switch.',
    )
}
