import { lockAccount } from '../../credentials/callers/standing.ts'
import {
  findChallenge,
  reserveGuess,
  spendChallenge,
} from '../../credentials/challenges/challenge.service.ts'
import type { RenewedSession } from '../../credentials/sessions/session.service.ts'
import type { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import type { MfaMethod } from '../../credentials/totp/mfa.type.ts'
import { findCode, useCode, type CodeTools } from '../../credentials/totp/second-factor.service.ts'
import { AppError, tokenInvalid } from '../../shared/errors.ts'
import { enter, wrongCredentials } from './entry.service.ts'

const CHALLENGE = ['input', 'challenge']
const CODE = ['input', 'code']

export interface Answer {
  challenge: string
  method: MfaMethod
  code: string
  delivery: TokenDelivery
}

/**
 * Answers a challenge: the guess is paid for before it is looked at, to the challenge and to the account; then
 * challenge and code are used up and the session begins, all at once or not at all.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `TOKEN_INVALID` for a challenge that is over, `BAD_USER_INPUT` / `CODE_INVALID`,
 * `UNAUTHENTICATED` / `CREDENTIALS_INVALID` for who was barred since, `RATE_LIMITED`.
 */
export async function verifyMfa(tools: CodeTools, answer: Answer): Promise<RenewedSession> {
  const challenge = await findChallenge(tools.system, answer.challenge, tools.now)
  if (!challenge) throw tokenInvalid(CHALLENGE)
  const { id, userId, method: firstMethod, wanted, confinedTo } = challenge
  const { method, code, delivery } = answer
  const found = await findCode(tools, {
    userId,
    code,
    method,
    path: CODE,
    // paid for with the other budgets, so that what they refuse leaves the challenge alone
    reserve: async () => {
      if (!(await reserveGuess(tools.system, id, tools.now))) throw tokenInvalid(CHALLENGE)
    },
  }).catch(error => {
    // whose code was guessed at is for the platform to know
    if (error instanceof AppError)
      error.concern = { organisationId: null, target: { kind: 'User', id: userId, name: null } }
    throw error
  })
  const session = await tools.asSystem(async work => {
    // the account first, as everything that concerns its factors
    await lockAccount(work, userId)
    if (!(await spendChallenge(work, id))) throw tokenInvalid(CHALLENGE)
    await useCode(work, found, CODE)
    const entry = { userId, wanted, method: firstMethod, confinedTo, delivery, secondFactor: true }
    const entered = await enter(work, entry)
    if (!('session' in entered)) throw wrongCredentials()
    return entered.session
  })
  await found.handBack()
  return session
}
