import type { RequestInfo, Work } from '../../access/work.ts'
import { sql, type Queries } from '../../database/sql.ts'
import { badInput } from '../../shared/errors.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { readPlatform } from '../../tenancy/policies/policy.ts'
import { isUnused, useRecoveryCode } from '../recovery-codes/recovery-code.service.ts'
import { readRecoveryCode, recoveryDigests } from '../recovery-codes/recovery-code.ts'
import { reserveCode } from '../throttle/throttle.service.ts'
import { tellOfGuesses, tellOfRecoveryCode } from './mfa.notice.ts'
import type { MfaMethod } from './mfa.type.ts'
import { openSeed, sealSeed } from './seed.ts'
import { readTotpCode, stepsOf } from './totp.ts'

/** What a guess at a code needs, all of it outside the transaction of the act. */
export interface CodeTools {
  /** Queries that run as *system*. */
  system: Queries
  /** Runs a unit of work of its own as *system*. */
  asSystem<Result>(unit: (work: Work) => Promise<Result>): Promise<Result>
  keys: KeyRing
  request: RequestInfo
  now: Date
}

/** The tools of an operation. Its earlier reads are ended first: on PGlite they hold the only connection. */
export async function codeTools(
  context: Omit<CodeTools, 'keys'> & {
    node: { server: { keys: KeyRing } }
    close(): Promise<void>
  },
): Promise<CodeTools> {
  await context.close()
  const { system, asSystem, request, now, node } = context
  return { system, asSystem, request, now, keys: node.server.keys }
}

/** A code that was found right, to be used up in the transaction of the act; then it is handed back. */
export interface FoundCode {
  userId: string
  matches: StepMatch[]
  recoveryDigests: string[] | null
  handBack(): Promise<void>
}

interface StepMatch {
  factorId: string
  step: number
  /** The seed sealed anew, where an older key of the ring had sealed it. */
  resealed: string | null
}

export interface CodeGuess {
  userId: string
  code: string
  /** The kind of code that is expected; either, where it is left out. */
  method?: MfaMethod
  /** The factor whose code is expected; any of the account's, where it is left out. */
  factorId?: string
  /** Where the code stands in the arguments. */
  path: (string | number)[]
  /** Pays for the guess elsewhere too; throws where that is refused. */
  reserve?(): Promise<void>
}

export const codeInvalid = (path: (string | number)[]) =>
  badInput(path, 'CODE_INVALID', 'This code is wrong, or was used before. Try the next one.')

/**
 * Looks at a code, outside any transaction: the guess is paid for before, and what was paid is kept whatever comes
 * after. A code that is right is not used up yet: see `useCode`.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `CODE_INVALID`, or `RATE_LIMITED`.
 */
export async function findCode(tools: CodeTools, guess: CodeGuess): Promise<FoundCode> {
  const { system, request, now } = tools
  const platform = await readPlatform(system)
  const rules = {
    limit: platform.failedSignInLimit,
    windowMinutes: platform.failedSignInWindowMinutes,
  }
  const reserved = await reserveCode(system, guess.userId, request.ipAddress, rules, now)
  await guess.reserve?.().catch(async error => {
    await reserved.release()
    throw error
  })
  const found = await compare(tools, guess)
  if (found) return { userId: guess.userId, ...found, handBack: () => reserved.handBack() }
  if (reserved.last) await tools.asSystem(work => tellOfGuesses(work, guess.userId))
  throw codeInvalid(guess.path)
}

async function compare(
  tools: CodeTools,
  { userId, code, method, factorId }: CodeGuess,
): Promise<Pick<FoundCode, 'matches' | 'recoveryDigests'> | null> {
  const digits = method === 'RECOVERY_CODE' ? null : readTotpCode(code)
  if (digits) {
    const matches = await matchSteps(tools, userId, digits, factorId)
    return matches.length ? { matches, recoveryDigests: null } : null
  }
  const letters = method === 'TOTP' ? null : readRecoveryCode(code)
  if (!letters) return null
  const digests = recoveryDigests(tools.keys, userId, letters)
  return (await isUnused(tools.system, userId, digests))
    ? { matches: [], recoveryDigests: digests }
    : null
}

async function matchSteps(
  { system, keys, now }: CodeTools,
  userId: string,
  code: string,
  factorId: string | undefined,
): Promise<StepMatch[]> {
  const factors = await system.rows<{ id: string; sealedSeed: string }>(sql`
    select id, sealed_seed as "sealedSeed" from totp_factor
    where user_id = ${userId} and confirmed_at is not null and removed_at is null order by id`)
  return factors
    .filter(factor => !factorId || factor.id === factorId)
    .flatMap(({ id, sealedSeed }) => {
      const seed = openSeed(keys, id, sealedSeed)
      const resealed = keys.sealedByNewest(sealedSeed) ? null : sealSeed(keys, id, seed)
      return stepsOf(seed, code, now).map(step => ({ factorId: id, step, resealed }))
    })
}

/**
 * Uses a code up; as *system*, in the transaction of the act it allows. A step is accepted once and none before it
 * ever again, whoever asks and wherever: the conditional update decides.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `CODE_INVALID` where somebody was faster.
 */
export async function useCode(
  work: Work,
  found: FoundCode,
  path: (string | number)[],
): Promise<void> {
  const { userId } = found
  if (found.recoveryDigests) {
    const left = await useRecoveryCode(work, userId, found.recoveryDigests)
    if (left == null) throw codeInvalid(path)
    return tellOfRecoveryCode(work, userId, left)
  }
  for (const { factorId, step, resealed } of found.matches) {
    const used = await work.db.rows(sql`
      update totp_factor set last_step = ${step}, last_used_at = ${work.now},
        sealed_seed = coalesce(${resealed}, sealed_seed)
      where id = ${factorId} and user_id = ${userId} and confirmed_at is not null and removed_at is null
        and (last_step is null or last_step < ${step}) returning id`)
    if (used.length) return
  }
  throw codeInvalid(path)
}
