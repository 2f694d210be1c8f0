import type { Work } from '../../access/work.ts'
import { accountMayEnter, type AccountStanding } from '../../credentials/callers/standing.ts'
import { createChallenge, type Question } from '../../credentials/challenges/challenge.service.ts'
import {
  createSession,
  type PlaceOfSession,
  type RenewedSession,
} from '../../credentials/sessions/session.service.ts'
import type { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import { toDate, type Instant } from '../../database/columns.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { unauthenticated } from '../../shared/errors.ts'
import { PLATFORM_COLUMNS, type PlatformRow } from '../../tenancy/policies/policy.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'
import { UNPROVEN_PROJECT } from '../../tenancy/projects/project-entry.service.ts'
import { landing, type Arrival, type Candidate } from './landing.ts'

/** What decides whether a person may come in. */
export interface PersonRow extends AccountStanding {
  id: string
  name: string
  email: string
  emailVerifiedAt: string | null
  provenAt: string | null
  operator: boolean
  secondFactor: boolean
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

const PERSON = sql`u.id, btrim(u.first_name || ' ' || u.last_name) as name, u.email, u.email_verified_at as "emailVerifiedAt",
  u.proven_at as "provenAt", u.operator, u.second_factor as "secondFactor",
  u.last_organisation_id as "lastOrganisationId", u.password_hash as "passwordHash",
  u.password_changed_at as "passwordChangedAt", u.status,
  u.suspended_until as "suspendedUntil", u.locked_at as "lockedAt", u.deleted_at as "deletedAt"`

type Whose = { email: string } | { id: string }

const personBy = (by: Whose, lock: boolean) =>
  sql`select ${PERSON} from user_account u
    where ${'email' in by ? sql`u.email = ${by.email}` : sql`u.id = ${by.id}`} and u.deleted_at is null
    ${lock ? sql`for no key update` : sql``}`

export const readPerson = (queries: Queries, by: Whose, lock = false) =>
  firstRow<PersonRow>(queries, personBy(by, lock))

/** A person, null for nobody, and what the platform asks of them, in one statement. */
export async function readPersonAndPlatform(
  queries: Queries,
  by: Whose,
  lock = false,
): Promise<{ person: PersonRow | null; platform: PlatformRow }> {
  const row = await firstRow<PlatformRow & (PersonRow | { id: null })>(
    queries,
    sql`select ${PLATFORM_COLUMNS}, p.* from platform_settings s left join lateral (${personBy(by, lock)}) as p on true`,
  )
  if (!row) throw new Error('The platform has no settings yet.')
  return { person: row.id === null ? null : row, platform: row }
}

/** Where a person wants to go, and how they came. */
export type Wish = Pick<Arrival, 'wanted' | 'method' | 'confinedTo'>

/** Where this person would land, or null where they may not come in at all. */
export function mayCome(
  person: PersonRow,
  candidates: Candidate[],
  wish: Wish,
  now: Date,
): PlaceOfSession | null {
  if (!accountMayEnter(person, now)) return null
  return landing({
    ...wish,
    candidates,
    last: person.lastOrganisationId,
    proven: person.provenAt != null,
    operator: person.operator,
    now,
  })
}

/**
 * The memberships of a person, with those that their organisations ended: whoever was put out everywhere does not come
 * in, unless somebody has invited them since, for they accept in a session of their own.
 */
// a shared lock would not do: two sign-ins of one person would each wait for the other to write
export const readCandidates = (queries: Queries, userId: string | null, lock = false) =>
  queries.rows<Candidate>(sql`
    select m.id, m.organisation_id as "organisationId", m.created_at as "createdAt", m.status,
      m.suspended_until as "suspendedUntil", m.locked_at as "lockedAt", m.removed_at as "removedAt", m.vouched,
      o.sign_in_methods as "signInMethods", ${UNPROVEN_PROJECT} as "unprovenProjectId",
      o.suspended_at as "organisationSuspendedAt", o.deleted_at as "organisationDeletedAt"
    from principal m join organisation o on o.id = m.organisation_id
    where m.user_id = ${userId} and o.deleted_at is null and (m.removed_at is null or m.return_barred and not exists (
      select from user_account u join invitation i on i.email = u.email
      where u.id = m.user_id and i.closed_at is null and u.email_verified_at is not null))
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
  /** When the password had been set that was right: with one that was replaced since, nobody comes in. */
  passwordSetAt?: Instant | null
  /** A second factor was right too. */
  secondFactor?: boolean
}

/** What a first factor leads to: a session, or the question for the second. */
export type Entered = { session: RenewedSession } | { challenge: Question }

/**
 * Decides, for every way in alike, what a right first factor leads to; as *system*. Whether the person may come in is
 * asked again with their account and memberships locked against change, for they may have been barred since. An account
 * with a second factor gets a challenge, unless second factors are switched off.
 */
export async function enter(work: Work, entry: Entry): Promise<Entered> {
  // sent together, run in this order: an account is locked before its memberships
  const [{ person, platform }, candidates] = await Promise.all([
    readPersonAndPlatform(work.db, { id: entry.userId }, true),
    readCandidates(work.db, entry.userId, true),
  ])
  const place = person && mayCome(person, candidates, entry, work.now)
  if (!person || !place || isReplaced(entry.passwordSetAt, person)) throw wrongCredentials()
  if (person.secondFactor && platform.mfaEnabled && !entry.secondFactor) {
    work.afterCommit(() => work.server.metrics.signIn('challenged'))
    return { challenge: await createChallenge(work, entry) }
  }
  const session = await createSession(work, {
    person,
    place,
    method: entry.method,
    confinedTo: entry.confinedTo,
    secondFactor: entry.secondFactor,
    delivery: entry.delivery,
    lifetime: Math.min(
      work.server.config.SESSION_LIFETIME_SECONDS,
      platform.sessionLifetimeHours * 3_600,
    ),
    most: platform.sessionMaxPerUser,
  })
  work.afterCommit(() => work.server.metrics.signIn('succeeded'))
  return { session }
}

/** A password that was compared before the account was locked may have been replaced in between. */
export function isReplaced(
  setAt: Instant | null | undefined,
  { passwordChangedAt }: Pick<PersonRow, 'passwordChangedAt'>,
): boolean {
  if (setAt === undefined) return false
  const moment = (instant: Instant | null) => (instant ? toDate(instant).getTime() : 0)
  return moment(setAt) !== moment(passwordChangedAt)
}
