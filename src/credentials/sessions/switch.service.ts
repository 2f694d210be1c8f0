import { unauthenticated, forbidden, notFound } from '../../shared/errors.ts'
import { organisationNotChosen, type Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { toDate } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { findEntry } from '../../tenancy/projects/project-entry.service.ts'
import { isId } from '../../shared/tokens.ts'
import { membershipMayBeEntered, type MembershipStanding } from '../callers/standing.ts'
import { lockSession, renewSession, type RenewedSession } from './session.service.ts'

const HOUR_MS = 3_600_000

interface OwnMembership extends MembershipStanding {
  id: string
  sessionsRevokedAt: string | null
  /** Longest life of sessions that act there; null where the platform's holds. */
  sessionLifetimeHours: number | null
}

/**
 * Lets the session in use act in another organisation of its person; as *system*. Its tokens are renewed and those
 * issued before stop, so that nothing begun here goes on there.
 *
 * @throws {AppError} `NOT_FOUND` for an organisation that is not one's own, `FORBIDDEN` / `POLICY_FORBIDS` for a
 * membership that may not be entered now.
 */
export async function switchOrganisation(
  work: Work,
  viewer: Person,
  organisationId: string,
  projectId: string | null = null,
): Promise<RenewedSession> {
  // account, membership, session: in the order in which sign-ins and kills lock them
  await work.db.rows(sql`select from user_account where id = ${viewer.userId} for no key update`)
  const membership = isId(organisationId)
    ? await findOwnMembership(work, viewer.userId, organisationId)
    : undefined
  const session = await lockSession(work, viewer.sessionId)
  if (!session || session.endedAt)
    throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  if (!membership) throw notFound('organisation')
  if (!membershipMayBeEntered(membership, viewer.emailVerified, work.now))
    throw forbidden(
      'POLICY_FORBIDS',
      'Your membership of this organisation is closed at the moment.',
    )
  const { sessionsRevokedAt } = membership
  if (sessionsRevokedAt && toDate(session.createdAt) <= toDate(sessionsRevokedAt))
    throw forbidden(
      'POLICY_FORBIDS',
      'An administrator ended your sessions there. Sign in again to enter.',
    )

  const { sessionLifetimeHours } = membership
  if (
    sessionLifetimeHours &&
    work.now.getTime() - toDate(session.createdAt).getTime() >= sessionLifetimeHours * HOUR_MS
  )
    throw forbidden(
      'POLICY_FORBIDS',
      'This session is too old for that organisation. Sign in again to enter.',
    )

  const place = { organisationId, principalId: membership.id, projectId }
  const renewed = await renewSession(work, session, { place, retireTokens: true })
  await record(work, 'session.switched', {
    organisationId,
    target: { kind: 'Session', id: session.id },
    actor: { userId: viewer.userId, principalId: membership.id, name: viewer.name },
  })
  return renewed
}

const findOwnMembership = (work: Work, userId: string, organisationId: string) =>
  firstRow<OwnMembership>(
    work.db,
    sql`select m.id, m.status, m.suspended_until as "suspendedUntil", m.locked_at as "lockedAt",
        m.removed_at as "removedAt", m.vouched, m.sessions_revoked_at as "sessionsRevokedAt",
        o.session_lifetime_hours as "sessionLifetimeHours", o.suspended_at as "organisationSuspendedAt", o.deleted_at as "organisationDeletedAt"
      from principal m join organisation o on o.id = m.organisation_id and o.deleted_at is null
      where m.user_id = ${userId} and m.organisation_id = ${organisationId} and m.removed_at is null
      for no key update of m`,
  )

/**
 * Lets the session in use act in a project, switching organisation where needed; null leaves the project. Moving
 * between projects of the organisation in use is no entry, so a lock does not bar it. As *system*.
 *
 * @throws {AppError} `NOT_FOUND` for a project that the person cannot enter.
 */
export async function switchProject(
  work: Work,
  viewer: Person,
  projectId: string | null,
): Promise<RenewedSession> {
  const entry = projectId ? await findEntry(work, viewer, projectId) : null
  if (projectId && !entry) throw notFound('project')
  if (entry && entry.organisationId !== viewer.organisationId)
    return switchOrganisation(work, viewer, entry.organisationId, entry.projectId)
  const session = await lockSession(work, viewer.sessionId)
  if (!session || session.endedAt)
    throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  const { organisationId, principalId } = session
  if (!organisationId || !principalId) throw organisationNotChosen()
  const place = { organisationId, principalId, projectId: entry?.projectId ?? null }
  const renewed = await renewSession(work, session, { place, retireTokens: true })
  await record(work, 'session.switched', {
    organisationId,
    target: { kind: 'Session', id: session.id },
    changes: [{ field: 'project', before: viewer.projectId, after: place.projectId }],
  })
  return renewed
}
