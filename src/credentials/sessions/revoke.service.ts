import { can, inSession, tenantOf, type Person, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, join, sql, type Sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { notFound } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { getManagedMember } from '../../tenancy/memberships/member.service.ts'
import { visible } from '../../tenancy/memberships/member.list.ts'
import { SESSION_WITH_LIMITS, sessionEnds } from '../../tenancy/policies/session-end.ts'
import { dropChallenges } from '../challenges/challenge.service.ts'
import { describeSession, ownSessions, SESSION_FIELDS } from './session.loaders.ts'
import { endSession } from './session.service.ts'
import type { Session } from './session.type.ts'

/**
 * Ends one session: one of the caller's own, wherever it acts, or one that acts in the organisation in use where they
 * manage people; as *self*. A session that is over already is answered as it stands.
 *
 * An administrator's kill also keeps sessions begun earlier from switching back in.
 *
 * @throws {AppError} `NOT_FOUND`, or `FORBIDDEN` / `EXCEEDS_OWN_PERMISSIONS` for a member who holds more.
 */
export async function revokeSession(work: Work, id: string): Promise<Session> {
  const viewer = inSession(work.viewer)
  if (!isId(id)) throw notFound('session')
  const own = await find(work, viewer, [sql`s.id = ${id}`, ...ownSessions(viewer)])
  if (own) return end(work, viewer, own, 'revoked')
  if (!can(viewer, 'manageUser')) throw notFound('session')
  const here = viewer as Person & TenantViewer
  return work.as(tenantOf(here), () => revokeHere(work, here, id))
}

async function revokeHere(work: Work, viewer: Person & TenantViewer, id: string): Promise<Session> {
  const shown = visible(viewer)
  const session = await find(work, viewer, [
    sql`s.id = ${id}`,
    sql`s.organisation_id = ${viewer.organisationId}`,
    ...(shown.length
      ? [sql`s.principal_id in (select m.id from principal m where ${join(shown, ' and ')})`]
      : []),
  ])
  if (!session?.principalId) throw notFound('session')
  const member = await getManagedMember(work, viewer, session.principalId)
  await work.db.rows(
    sql`update principal set sessions_revoked_at = ${work.now} where id = ${member.id}`,
  )
  return end(work, viewer, session, 'revoked by an administrator')
}

/**
 * Ends every session of the caller but the one in use, and the sign-ins that wait for a second factor; as *self*. Answers
 * how many sessions were still live.
 */
export async function revokeOtherSessions(work: Work): Promise<number> {
  const viewer = inSession(work.viewer)
  // before sessions are locked, as where one is answered
  await work.as(SYSTEM, () => dropChallenges(work, viewer.userId, viewer.boundToId))
  const { idle, absolute } = endsOf(work)
  const ended = await work.db.rows<{ live: boolean }>(sql`
    update session e set ended_at = ${work.now}, end_reason = 'revoked'
    from (select s.id, least(${idle}, ${absolute}) > ${work.now}::timestamptz as live from ${SESSION_WITH_LIMITS}
      where ${join(ownSessions(viewer), ' and ')} and s.id <> ${viewer.sessionId} and s.ended_at is null) as other
    where e.id = other.id and e.ended_at is null returning other.live`)
  const count = ended.filter(({ live }) => live).length
  await record(work, 'session.others_ended', {
    // how many there are elsewhere is no organisation's business
    organisationId: null,
    target: { kind: 'User', id: viewer.userId, name: viewer.name },
    changes: [{ field: 'sessions', before: String(count + 1), after: '1' }],
  })
  return count
}

async function end(work: Work, viewer: Person, session: Session, reason: string): Promise<Session> {
  if (!(await endSession(work, session.id, reason))) return session
  await record(work, 'session.ended', {
    organisationId: session.organisationId,
    target: { kind: 'Session', id: session.id },
    // elsewhere one is that membership, by the login that both know
    ...(session.userId === viewer.userId && {
      actor: {
        userId: viewer.userId,
        principalId: session.principalId,
        name: session.principalId === viewer.principalId ? viewer.name : viewer.email,
      },
    }),
  })
  return { ...session, endedAt: work.now }
}

async function find(work: Work, viewer: Person, where: Sql[]): Promise<Session | undefined> {
  const { idle, absolute } = endsOf(work)
  const row = await firstRow<Session>(
    work.db,
    sql`select ${columns('s', SESSION_FIELDS)}, ${idle} as "idleExpiresAt", ${absolute} as "expiresAt"
      from ${SESSION_WITH_LIMITS} where ${join(where, ' and ')}`,
  )
  return row && describeSession(row, viewer)
}

const endsOf = ({ server: { config } }: Work) =>
  sessionEnds({ idle: config.SESSION_IDLE_SECONDS, lifetime: config.SESSION_LIFETIME_SECONDS })
