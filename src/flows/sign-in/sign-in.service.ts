import type { RequestInfo, Work } from '../../access/work.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { accountMayEnter, type AccountStanding } from '../../credentials/callers/standing.ts'
import type { PasswordHasher } from '../../credentials/passwords/hasher.ts'
import {
  createSession,
  type PlaceOfSession,
  type RenewedSession,
} from '../../credentials/sessions/session.service.ts'
import type { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import { reserveAttempt } from '../../credentials/throttle/throttle.service.ts'
import { record } from '../../outbox/events/event.service.ts'
import { unauthenticated } from '../../shared/errors.ts'
import { readPlatform } from '../../tenancy/policies/policy.ts'
import { landing, type Candidate } from './landing.ts'

/** What proving a password needs, all of it outside the transaction of the act. */
export interface ProofTools {
  /** Queries that run as *system*. */
  system: Queries
  hasher: PasswordHasher
  request: RequestInfo
  now: Date
}

interface PersonRow extends AccountStanding {
  id: string
  name: string
  email: string
  emailVerifiedAt: string | null
  operator: boolean
  lastOrganisationId: string | null
  passwordHash: string | null
}

/** One answer for every failure: an unknown login, a wrong password, a barred account. */
const wrongCredentials = () =>
  unauthenticated(
    'CREDENTIALS_INVALID',
    'This login and password do not fit, or the account may not sign in.',
  )

const readPerson = (queries: Queries, by: { email: string } | { id: string }, lock = false) =>
  firstRow<PersonRow>(
    queries,
    sql`select u.id, btrim(u.first_name || ' ' || u.last_name) as name, u.email, u.email_verified_at as "emailVerifiedAt",
        u.operator, u.last_organisation_id as "lastOrganisationId", u.password_hash as "passwordHash", u.status,
        u.suspended_until as "suspendedUntil", u.locked_at as "lockedAt", u.deleted_at as "deletedAt"
      from user_account u where ${'email' in by ? sql`u.email = ${by.email}` : sql`u.id = ${by.id}`} and u.deleted_at is null
      ${lock ? sql`for no key update` : sql``}`,
  )

/**
 * Compares a password, outside any transaction: a hash is slow on purpose. The guess is paid for before it is looked
 * at, and handed back when it was right and the person may come in; a barred account pays as for a wrong password.
 *
 * @param wanted organisation the person wants to act in.
 * @throws {AppError} `UNAUTHENTICATED` / `CREDENTIALS_INVALID`, or `RATE_LIMITED`.
 */
export async function provePassword(
  tools: ProofTools,
  login: string,
  password: string,
  wanted: string | null,
): Promise<{ userId: string }> {
  const { system, hasher, request, now } = tools
  const platform = await readPlatform(system)
  const rules = {
    limit: platform.failedSignInLimit,
    windowMinutes: platform.failedSignInWindowMinutes,
  }
  const attempt = await reserveAttempt(system, 'sign-in', login, request.ipAddress, rules, now)
  const person = await readPerson(system, { email: login })
  const matches = await hasher.verify(person?.passwordHash, password)
  // looked up for strangers too, so that both take as long
  const candidates = await readCandidates(system, person?.id ?? null)
  if (!person || !matches || !mayCome(person, candidates, wanted, now)) throw wrongCredentials()
  await attempt.handBack()
  return { userId: person.id }
}

function mayCome(
  person: PersonRow,
  candidates: Candidate[],
  wanted: string | null,
  now: Date,
): PlaceOfSession | null {
  if (!accountMayEnter(person, now)) return null
  return landing({
    candidates,
    wanted,
    last: person.lastOrganisationId,
    proven: person.emailVerifiedAt != null,
    operator: person.operator,
    now,
  })
}

// a shared lock would not do: two sign-ins of one person would each wait for the other to write
const readCandidates = (queries: Queries, userId: string | null, lock = false) =>
  queries.rows<Candidate>(sql`
    select m.id, m.organisation_id as "organisationId", m.created_at as "createdAt", m.status,
      m.suspended_until as "suspendedUntil", m.locked_at as "lockedAt", m.removed_at as "removedAt", m.vouched,
      o.suspended_at as "organisationSuspendedAt", o.deleted_at as "organisationDeletedAt"
    from principal m join organisation o on o.id = m.organisation_id
    where m.user_id = ${userId} and m.removed_at is null and o.deleted_at is null
    order by m.id ${lock ? sql`for no key update of m` : sql``}`)

export interface Entry {
  userId: string
  wanted: string | null
  method: 'PASSWORD'
  delivery: TokenDelivery
}

/**
 * Begins the session of a person who has proven who they are; as *system*. Whether they may come in is asked again
 * with their account and memberships locked against change, for they may have been barred since.
 */
export async function beginSession(work: Work, entry: Entry): Promise<RenewedSession> {
  const person = await readPerson(work.db, { id: entry.userId }, true)
  const candidates = await readCandidates(work.db, entry.userId, true)
  const place = person && mayCome(person, candidates, entry.wanted, work.now)
  if (!person || !place) throw wrongCredentials()
  const platform = await readPlatform(work.db)
  const session = await createSession(work, {
    userId: person.id,
    place,
    method: entry.method,
    delivery: entry.delivery,
    lifetime: Math.min(
      work.server.config.SESSION_LIFETIME_SECONDS,
      platform.sessionLifetimeHours * 3_600,
    ),
    most: platform.sessionMaxPerUser,
  })
  await record(work, 'session.started', {
    organisationId: place.organisationId,
    target: { kind: 'Session', id: session.id },
    actor: { userId: person.id, principalId: place.principalId, name: person.name },
  })
  return session
}
