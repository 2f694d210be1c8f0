import type { Work } from '../../access/work.ts'
import { firstRow, sql, type Sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { enterFirst, enterMembership } from '../../tenancy/memberships/membership.service.ts'
import { digest, newId, newToken } from '../../shared/tokens.ts'
import { SESSION_WITH_LIMITS, sessionEnds } from '../../tenancy/policies/session-end.ts'
import { sighting, SIGHTING, tellOfDevice, type Sighting } from './new-device.service.ts'
import { refreshToken } from './refresh-token.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'
import type { TokenDelivery } from './session.type.ts'

/** Where a session acts; all null until an organisation is chosen. */
export interface PlaceOfSession {
  organisationId: string | null
  principalId: string | null
  projectId: string | null
}

export const NOWHERE: PlaceOfSession = { organisationId: null, principalId: null, projectId: null }

export interface NewSession {
  person: { id: string; name: string }
  place: PlaceOfSession
  method: SignInMethod
  /** The only organisation it may act in; null for all of its person's. */
  confinedTo?: string | null
  /** A second factor was proven with it. */
  secondFactor?: boolean
  delivery: TokenDelivery
  /** How long it lives at most, in seconds. */
  lifetime: number
  /** Most live sessions of one person on the platform; the least recent make way. */
  most: number
}

/** A session that was begun or renewed, and the refresh token that it goes by from now on. */
export interface RenewedSession {
  id: string
  userId: string
  refreshToken: string
  delivery: TokenDelivery
}

/** What beginning a session has found out. */
interface Begun extends Sighting {
  /** Nobody has acted through the membership before. */
  first: boolean | null
}

/**
 * Begins a session, with its event; as *system*. Several sign-ins of one person come one after the other: the account is
 * locked.
 */
export async function createSession(work: Work, session: NewSession): Promise<RenewedSession> {
  const { now, request, server } = work
  const { person, place, method, delivery } = session
  const userId = person.id
  const { organisationId, principalId, projectId } = place
  const id = newId()
  const seed = newToken()
  const token = refreshToken(server.keys, id, 0, seed)
  const expiresAt = new Date(now.getTime() + session.lifetime * 1000)
  // one statement for all that a sign-in leaves behind; its last part sees the account as it was before
  const beginning = firstRow<Begun>(
    work.db,
    sql`with started as (
        insert into session (id, created_at, user_id, organisation_id, principal_id, project_id, confined_to_id,
          method, authenticated_at, mfa_verified_at, last_active_at, expires_at, refresh_seed, refresh_digest,
          delivery, ip_address, user_agent)
        values (${id}, ${now}, ${userId}, ${organisationId}, ${principalId}, ${projectId}, ${session.confinedTo ?? null},
          ${method}, ${now}, ${session.secondFactor ? now : null}, ${now}, ${expiresAt}, ${seed}, ${digest(token)},
          ${delivery}, ${request.ipAddress}, ${request.userAgent})),
      membership as (
        update principal set last_active_at = ${now}, last_sign_in_at = ${now} where id = ${principalId}
        returning entered_at is null as first),
      account as (
        update user_account set last_sign_in_at = ${now},
          last_organisation_id = coalesce(${organisationId}, last_organisation_id)
        where id = ${userId}),
      ${sighting(work, userId)}
      select (select first from membership) as first, ${SIGHTING} from user_account u where u.id = ${userId}`,
  )
  // sent together, run in this order: the new one is not among those that make way
  const [begun] = await Promise.all([
    beginning,
    makeWay(
      work,
      sql`(${beyond(userId, session.most)}) union (${beyondIn(userId, organisationId)})`,
    ),
    record(work, 'session.started', {
      organisationId,
      target: { kind: 'Session', id },
      actor: { userId, principalId, name: person.name },
    }),
  ])
  if (!begun) throw new Error('The account could not be read.')
  await tellOfDevice(work, { id, userId, place }, begun)
  if (principalId && begun.first) await enterFirst(work, principalId)
  return { id, userId, refreshToken: token, delivery }
}

/** The least recent of a person's live sessions beyond `most`, counted everywhere. */
const beyond = (userId: string, most: number): Sql => sql`
  select id from session where user_id = ${userId} and ended_at is null
  order by last_active_at desc, id desc offset ${most}`

/** Those that act in an organisation beyond what it allows. */
const beyondIn = (userId: string, organisationId: string | null): Sql => sql`
  select s.id from session s where s.user_id = ${userId} and s.organisation_id = ${organisationId}
    and s.ended_at is null order by s.last_active_at desc, s.id desc
  offset (select coalesce(o.session_max_per_user, 1000) from organisation o where o.id = ${organisationId})`

// an array, for those few are found by their key, and not by reading all sessions
const makeWay = (work: Work, which: Sql) =>
  work.db.rows(
    sql`update session set ended_at = ${work.now}, end_reason = 'too many sessions' where id = any(array(${which}))`,
  )

/** What a renewal reads of a session, with the row locked until the transaction ends. */
export interface LockedSession {
  id: string
  userId: string
  organisationId: string | null
  principalId: string | null
  /** The only organisation it may act in. */
  confinedToId: string | null
  method: SignInMethod
  createdAt: string
  authenticatedAt: string
  mfaVerifiedAt: string | null
  endedAt: string | null
  /** When it ends by itself, unless it is used before; the past where it has. */
  endsAt: string
  refreshSeed: string
  refreshCounter: number
  refreshDigest: string
  refreshedAt: string | null
  delivery: TokenDelivery
}

/** Reads and locks a session; as *system*. Renewals of one session thus run one after the other. */
export function lockSession(work: Work, id: string): Promise<LockedSession | undefined> {
  const { SESSION_IDLE_SECONDS: idle, SESSION_LIFETIME_SECONDS: lifetime } = work.server.config
  const ends = sessionEnds({ idle, lifetime })
  return firstRow<LockedSession>(
    work.db,
    sql`select s.id, s.user_id as "userId", s.organisation_id as "organisationId", s.principal_id as "principalId",
        s.confined_to_id as "confinedToId", s.method, s.created_at as "createdAt", s.authenticated_at as "authenticatedAt",
        s.mfa_verified_at as "mfaVerifiedAt", s.ended_at as "endedAt",
        least(${ends.idle}, ${ends.absolute}) as "endsAt", s.refresh_seed as "refreshSeed",
        s.refresh_counter as "refreshCounter", s.refresh_digest as "refreshDigest",
        s.refreshed_at as "refreshedAt", s.delivery
      from ${SESSION_WITH_LIMITS} where s.id = ${id} for update of s`,
  )
}

export interface Renewal {
  /** Acts elsewhere from now on. */
  place?: PlaceOfSession
  /** Access tokens issued so far stop. */
  retireTokens?: boolean
  /** The person has just proven who they are. */
  proven?: boolean
  /** By a second factor. */
  secondFactor?: boolean
}

/** Gives a locked session its next refresh token; as *system*. */
export async function renewSession(
  work: Work,
  session: LockedSession,
  renewal: Renewal = {},
): Promise<RenewedSession> {
  const counter = session.refreshCounter + 1
  const token = refreshToken(work.server.keys, session.id, counter, session.refreshSeed)
  await work.db.rows(sql`
    update session set refresh_counter = ${counter}, refresh_digest = ${digest(token)}, refreshed_at = ${work.now},
      last_active_at = ${work.now}, generation = generation + ${renewal.retireTokens ? 1 : 0},
      authenticated_at = case when ${renewal.proven ?? false} then ${work.now} else authenticated_at end,
      mfa_verified_at = case when ${renewal.secondFactor ?? false} then ${work.now} else mfa_verified_at end
    where id = ${session.id}`)
  const { place } = renewal
  if (place) {
    await work.db.rows(sql`
      update session set organisation_id = ${place.organisationId}, principal_id = ${place.principalId},
        project_id = ${place.projectId} where id = ${session.id}`)
    await work.db.rows(
      sql`update user_account set last_organisation_id = ${place.organisationId} where id = ${session.userId}`,
    )
    await makeWay(work, beyondIn(session.userId, place.organisationId))
    if (place.principalId) await enterMembership(work, place.principalId)
  }
  return { id: session.id, userId: session.userId, refreshToken: token, delivery: session.delivery }
}

/** Ends one session, if it still lives. */
export async function endSession(work: Work, id: string, reason: string): Promise<boolean> {
  const ended = await work.db.rows(
    sql`update session set ended_at = ${work.now}, end_reason = ${reason} where id = ${id} and ended_at is null returning id`,
  )
  return ended.length > 0
}

/** Ends every session that acts through some memberships; how many each had. */
export async function endSessionsOfAll(
  work: Work,
  principalIds: string[],
  reason: string,
): Promise<Map<string, number>> {
  const ended = await work.db.rows<{ principalId: string }>(
    sql`update session set ended_at = ${work.now}, end_reason = ${reason}
      where principal_id = any(${principalIds}::uuid[]) and ended_at is null returning principal_id as "principalId"`,
  )
  return new Map(
    [...Map.groupBy(ended, session => session.principalId)].map(([id, some]) => [id, some.length]),
  )
}

/** Ends every session that acts through a membership. */
export async function endSessionsOf(
  work: Work,
  principalId: string,
  reason: string,
): Promise<number> {
  const ended = await work.db.rows(
    sql`update session set ended_at = ${work.now}, end_reason = ${reason}
      where principal_id = ${principalId} and ended_at is null returning id`,
  )
  return ended.length
}
