import type { Work } from '../../access/work.ts'
import { accountMayEnter, type AccountStanding } from '../../credentials/callers/standing.ts'
import {
  createSession,
  type PlaceOfSession,
  type RenewedSession,
} from '../../credentials/sessions/session.service.ts'
import type { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import type { Instant } from '../../database/columns.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { unauthenticated } from '../../shared/errors.ts'
import { readPlatform } from '../../tenancy/policies/policy.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'
import { landing, type Candidate } from './landing.ts'
import type { MfaMethod } from './sign-in.type.ts'

/** What decides whether a person may come in. */
export interface PersonRow extends AccountStanding {
  id: string
  name: string
  email: string
  emailVerifiedAt: string | null
  operator: boolean
  lastOrganisationId: string | null
  passwordHash: string | null
  passwordChangedAt: Instant | null
}

/** One answer for every failure: an unknown login, a wrong password, a barred account. */
export const wrongCredentials = () =>
  unauthenticated(
    'CREDENTIALS_INVALID',
    'This login and password do not fit, or the account may not sign in.',
  )

export const readPerson = (
  queries: Queries,
  by: { email: string } | { id: string },
  lock = false,
) =>
  firstRow<PersonRow>(
    queries,
    sql`select u.id, btrim(u.first_name || ' ' || u.last_name) as name, u.email, u.email_verified_at as "emailVerifiedAt",
        u.operator, u.last_organisation_id as "lastOrganisationId", u.password_hash as "passwordHash",
        u.password_changed_at as "passwordChangedAt", u.status,
        u.suspended_until as "suspendedUntil", u.locked_at as "lockedAt", u.deleted_at as "deletedAt"
      from user_account u where ${'email' in by ? sql`u.email = ${by.email}` : sql`u.id = ${by.id}`} and u.deleted_at is null
      ${lock ? sql`for no key update` : sql``}`,
  )

/** Where this person would land, or null where they may not come in at all. */
export function mayCome(
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
export const readCandidates = (queries: Queries, userId: string | null, lock = false) =>
  queries.rows<Candidate>(sql`
    select m.id, m.organisation_id as "organisationId", m.created_at as "createdAt", m.status,
      m.suspended_until as "suspendedUntil", m.locked_at as "lockedAt", m.removed_at as "removedAt", m.vouched,
      o.suspended_at as "organisationSuspendedAt", o.deleted_at as "organisationDeletedAt"
    from principal m join organisation o on o.id = m.organisation_id
    where m.user_id = ${userId} and m.removed_at is null and o.deleted_at is null
    order by m.id ${lock ? sql`for no key update of m` : sql``}`)

/** A first factor was right: who it was, and where to. */
export interface Entry {
  userId: string
  /** The organisation asked for. */
  wanted: string | null
  /** The first factor that was right. */
  method: SignInMethod
  /** The only organisation that the session may act in. */
  confinedTo: string | null
  delivery: TokenDelivery
}

/** What a first factor leads to: a session, or the question for the second. */
export type Entered =
  | { session: RenewedSession }
  | { challenge: { token: string; methods: MfaMethod[]; expiresAt: Date } }

/**
 * Decides, for every way in alike, what a right first factor leads to; as *system*. Whether the person may come in is
 * asked again with their account and memberships locked against change, for they may have been barred since.
 */
export async function enter(work: Work, entry: Entry): Promise<Entered> {
  const person = await readPerson(work.db, { id: entry.userId }, true)
  const candidates = await readCandidates(work.db, entry.userId, true)
  const place = person && mayCome(person, candidates, entry.wanted, work.now)
  if (!person || !place) throw wrongCredentials()
  const platform = await readPlatform(work.db)
  const session = await createSession(work, {
    userId: person.id,
    place,
    method: entry.method,
    confinedTo: entry.confinedTo,
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
  return { session }
}
