import type { RequestInfo } from '../../access/work.ts'
import type { Instant } from '../../database/columns.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import type { PasswordHasher } from '../../credentials/passwords/hasher.ts'
import { reserveAttempt } from '../../credentials/throttle/throttle.service.ts'
import type { AppError } from '../../shared/errors.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'
import {
  mayCome,
  readCandidates,
  readPersonAndPlatform,
  wrongCredentials,
  type PersonRow,
} from './entry.service.ts'
import type { Candidate } from './landing.ts'

/** What proving a password needs, all of it outside the transaction of the act. */
export interface ProofTools {
  /** Queries that run as *system*. */
  system: Queries
  hasher: PasswordHasher
  request: RequestInfo
  now: Date
}

/** Whose password was right, and when it had been set: what `enter` asks for. */
export interface ProvenPassword {
  userId: string
  passwordSetAt: Instant | null
}

/** A password that was right, and a guess that still counts. */
interface RightGuess {
  proven: ProvenPassword
  /** The guess counts no more. */
  handBack: () => Promise<void>
}

/**
 * Compares a password, outside any transaction: a hash is slow on purpose. The guess is paid for before it is looked
 * at, and is to be handed back where it was right and the person may come in; a barred account pays as for a wrong
 * password.
 *
 * @param wanted organisation the person wants to act in.
 * @param method how the session began, where it is proven anew.
 * @throws {AppError} `UNAUTHENTICATED` / `CREDENTIALS_INVALID`, or `RATE_LIMITED`.
 */
export async function comparePassword(
  tools: ProofTools,
  login: string,
  password: string,
  wanted: string | null,
  method: SignInMethod = 'PASSWORD',
): Promise<RightGuess> {
  const { system, hasher, request, now } = tools
  const { person, platform } = await readPersonAndPlatform(system, { email: login })
  const rules = {
    limit: platform.failedSignInLimit,
    windowMinutes: platform.failedSignInWindowMinutes,
  }
  const [attempt, candidates] = await Promise.all([
    reserveAttempt(system, 'sign-in', login, request.ipAddress, rules, now),
    // looked up for strangers too, so that both take as long
    readCandidates(system, person?.id ?? null),
  ])
  const matches = await hasher.verify(person?.passwordHash, password)
  const wish = { wanted, method, confinedTo: null }
  if (!person || !matches || !mayCome(person, candidates, wish, now))
    throw await refusedSignIn(system, person ?? null, candidates, wanted)
  hasher.renew(person.passwordHash!, password, fresh =>
    system.rows(sql`update user_account set password_hash = ${fresh}
      where id = ${person.id} and password_hash = ${person.passwordHash}`),
  )
  return {
    proven: { userId: person.id, passwordSetAt: person.passwordChangedAt },
    handBack: () => attempt.handBack(),
  }
}

/** Compares a password as `comparePassword` does, and hands the guess back at once. */
export async function provePassword(
  ...asked: Parameters<typeof comparePassword>
): Promise<ProvenPassword> {
  const { proven, handBack } = await comparePassword(...asked)
  await handBack()
  return proven
}

/**
 * One answer for every failure, and for the trail whom it concerns. The organisation that the sign-in named is told, where
 * the person belongs to it; else the one that they belong to, where that is the only one; else the platform alone, for
 * no organisation is to learn of others. A stranger takes the same statements.
 */
async function refusedSignIn(
  system: Queries,
  person: PersonRow | null,
  candidates: Candidate[],
  wanted: string | null,
): Promise<AppError> {
  const belongs = candidates.filter(({ removedAt }) => removedAt === null)
  const place = wanted
    ? belongs.find(({ organisationId }) => organisationId === wanted)
    : belongs.length === 1
      ? belongs[0]
      : undefined
  const member = await firstRow<{ name: string }>(
    system,
    sql`select name from principal where id = ${place?.id ?? null}`,
  )
  const refused = wrongCredentials()
  if (person)
    refused.concern = {
      organisationId: place?.organisationId ?? null,
      target: place
        ? { kind: 'Member', id: place.id, name: member?.name ?? null }
        : { kind: 'User', id: person.id, name: person.name },
    }
  return refused
}
