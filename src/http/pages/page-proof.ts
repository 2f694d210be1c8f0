import type { Work } from '../../access/work.ts'
import {
  findCode,
  useCode,
  type CodeTools,
  type FoundCode,
} from '../../credentials/totp/second-factor.service.ts'
import { isReplaced, readPerson, wrongCredentials } from '../../flows/sign-in/entry.service.ts'
import { provePassword, type ProvenPassword } from '../../flows/sign-in/sign-in.service.ts'
import { AppError } from '../../shared/errors.ts'
import { readPlatform } from '../../tenancy/policies/policy.ts'
import { requestInfo } from '../authenticate.ts'
import type { Fault } from './invitation-faults.ts'
import { fieldOf } from './page-guard.ts'
import { inPlaceOf, isAnswered } from './page-refusals.ts'
import { asSystem, systemOf, type Visit } from './page-visit.ts'

/** What stands for a session on a page: the right password, and the right code where there is a second factor. */
export interface OwnerProof {
  password: ProvenPassword
  code: FoundCode | null
}

/**
 * Looks at the password and the code that were typed for a login, as a sign-in would: each guess is paid for.
 *
 * @returns what is at fault, where something is.
 */
export async function proveOwner(visit: Visit, email: string): Promise<OwnerProof | Fault[]> {
  const typed = fieldOf(visit.request, 'password')
  if (!typed) return [{ field: 'password', reason: 'REQUIRED' }]
  const { node, request, now } = visit
  const system = systemOf(visit)
  const tools = { system, hasher: node.hasher, request: requestInfo(request), now }
  const prove = () =>
    inPlaceOf(visit, 'signIn', () => provePassword(tools, email, typed, null), { input: { email } })
  const password = await orNull(visit, prove, 'UNAUTHENTICATED')
  if (!password) return [{ field: 'password', reason: 'CREDENTIALS_INVALID' }]
  const person = await readPerson(system, { id: password.userId })
  const { mfaEnabled } = await readPlatform(system)
  if (!person?.secondFactor || !mfaEnabled) return { password, code: null }
  const code = fieldOf(request, 'code')
  if (!code) return [{ field: 'code', reason: 'REQUIRED' }]
  const guess = () => inPlaceOf(visit, 'verifyMfa', () => guessCode(visit, password.userId, code))
  const found = await orNull(visit, guess, 'BAD_USER_INPUT')
  return found ? { password, code: found } : [{ field: 'code', reason: 'CODE_INVALID' }]
}

/** Looks at a code; whose it was guessed at for is for the platform to know. */
const guessCode = (visit: Visit, userId: string, code: string): Promise<FoundCode> =>
  findCode(codeToolsOf(visit), { userId, code, path: ['code'] }).catch((error: unknown) => {
    if (error instanceof AppError)
      error.concern = { organisationId: null, target: { kind: 'User', id: userId, name: null } }
    throw error
  })

/** Uses a proof up in the transaction of the act; refused where the password was replaced since. */
export async function spendProof(work: Work, { password, code }: OwnerProof): Promise<string> {
  const person = await readPerson(work.db, { id: password.userId }, true)
  if (!person || isReplaced(password.passwordSetAt, person)) throw wrongCredentials()
  if (code) await useCode(work, code, ['code'])
  return person.id
}

/** What a guess at a code needs. */
export const codeToolsOf = (visit: Visit): CodeTools => ({
  system: systemOf(visit),
  asSystem: unit => asSystem(visit, unit),
  keys: visit.node.server.keys,
  request: requestInfo(visit.request),
  now: visit.now,
})

async function orNull<Result>(
  visit: Visit,
  step: () => Promise<Result>,
  code: AppError['code'],
): Promise<Result | null> {
  try {
    return await step()
  } catch (error) {
    if (isAnswered(visit, error, refusal => refusal.code === code)) return null
    throw error
  }
}
