import type { Work } from '../../access/work.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { digest, newId, newToken } from '../../shared/tokens.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'
import { countUnused } from '../recovery-codes/recovery-code.service.ts'
import type { MfaMethod } from '../totp/mfa.type.ts'

/** Guesses at one challenge; with the last one it is over. */
const MOST_GUESSES = 5

/** What a right first factor was for. */
export interface FirstFactor {
  userId: string
  method: SignInMethod
  /** The organisation asked for. */
  wanted: string | null
  /** The only organisation that the session may act in. */
  confinedTo: string | null
}

/** The question that a client must answer before there is a session. */
export interface Question {
  token: string
  methods: MfaMethod[]
  expiresAt: Date
}

/** A challenge that can still be answered. */
export interface OpenChallenge extends FirstFactor {
  id: string
}

/** Remembers that a first factor was right; as *system*. Only the digest of its token is kept. */
export async function createChallenge(work: Work, first: FirstFactor): Promise<Question> {
  const token = newToken()
  const expiresAt = new Date(work.now.getTime() + work.server.config.MFA_CHALLENGE_SECONDS * 1_000)
  await work.db.rows(sql`
    insert into challenge (id, created_at, user_id, token_digest, method, wanted_id, confined_to_id, expires_at)
    values (${newId()}, ${work.now}, ${first.userId}, ${digest(token)}, ${first.method}, ${first.wanted},
      ${first.confinedTo}, ${expiresAt})`)
  const left = await countUnused(work.db, first.userId)
  return { token, methods: left ? ['TOTP', 'RECOVERY_CODE'] : ['TOTP'], expiresAt }
}

// the digest is unique, and the token 256 random bits: comparing in the database tells a guesser nothing
const OPEN = (now: Date) =>
  sql`spent_at is null and expires_at > ${now} and guesses < ${MOST_GUESSES}`

/** The challenge behind a token, while it can be answered; as *system*. */
export const findChallenge = (
  system: Queries,
  token: string,
  now: Date,
): Promise<OpenChallenge | undefined> =>
  firstRow<OpenChallenge>(
    system,
    sql`select id, user_id as "userId", method, wanted_id as "wanted", confined_to_id as "confinedTo"
      from challenge where token_digest = ${digest(token)} and ${OPEN(now)}`,
  )

/** Pays for a guess before it is looked at; false where none is left. In a statement of its own, so that a refusal keeps the count. */
export const reserveGuess = async (system: Queries, id: string, now: Date): Promise<boolean> =>
  (
    await system.rows(
      sql`update challenge set guesses = guesses + 1 where id = ${id} and ${OPEN(now)} returning id`,
    )
  ).length > 0

/** Uses a challenge up, once whoever asks; as *system*. */
export const spendChallenge = async (work: Work, id: string): Promise<boolean> =>
  (
    await work.db.rows(
      sql`update challenge set spent_at = ${work.now} where id = ${id} and spent_at is null and expires_at > ${work.now} returning id`,
    )
  ).length > 0

/**
 * Ends what waits for a second factor of an account, and would yet become a session; as *system*.
 *
 * @param confinedTo those alone whose session could act in no other organisation. Default: all.
 */
export const dropChallenges = (
  work: Work,
  userId: string,
  confinedTo: string | null = null,
): Promise<unknown[]> =>
  work.db.rows(sql`
    update challenge set spent_at = ${work.now} where user_id = ${userId} and spent_at is null
      and (${confinedTo}::uuid is null or confined_to_id = ${confinedTo})`)
