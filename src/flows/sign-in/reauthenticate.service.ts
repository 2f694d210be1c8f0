import type { Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { accountMayEnter, membershipMayBeEntered } from '../../credentials/callers/standing.ts'
import { lockOwnMembership } from '../../credentials/sessions/entry-rules.ts'
import {
  lockSession,
  renewSession,
  type RenewedSession,
} from '../../credentials/sessions/session.service.ts'
import { useCode, type FoundCode } from '../../credentials/totp/second-factor.service.ts'
import type { Queries } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { AppError, forbidden, unauthenticated } from '../../shared/errors.ts'
import { proveByMagicLink } from '../magic-links/magic-link.service.ts'
import { isReplaced, readPersonAndPlatform, wrongCredentials } from './entry.service.ts'
import type { ProvenPassword } from './sign-in.service.ts'

/** What was found right. */
export type Proof = { password: ProvenPassword } | { code: FoundCode } | { magicLinkToken: string }

/**
 * Marks the session in use as fresh, once its person has proven who they are; as *system*. Renews its tokens. Who is
 * locked by now, here or everywhere, is refused as if the proof had been wrong.
 *
 * @throws {AppError} `UNAUTHENTICATED`, `MFA_REQUIRED` where the account has a second factor and another proof was
 * given.
 */
export async function confirmSession(
  work: Work,
  viewer: Person,
  proof: Proof,
): Promise<RenewedSession> {
  const { person, platform } = await readPersonAndPlatform(work.db, { id: viewer.userId }, true)
  if (!person || !accountMayEnter(person, work.now)) throw wrongCredentials()
  const { organisationId } = viewer
  if (organisationId) {
    const membership = await lockOwnMembership(work, person.id, organisationId)
    if (!membership || !membershipMayBeEntered(membership, work.now)) throw wrongCredentials()
  }
  if (!('code' in proof) && person.secondFactor && platform.mfaEnabled) throw codeNeeded()
  if ('password' in proof) {
    const { userId, passwordSetAt } = proof.password
    if (userId !== person.id || isReplaced(passwordSetAt, person)) throw wrongCredentials()
  }
  if ('code' in proof) await useCode(work, proof.code, ['input', 'code'])
  if ('magicLinkToken' in proof) {
    if (person.passwordHash)
      throw forbidden('POLICY_FORBIDS', 'This account has a password: prove who you are by it.')
    await proveByMagicLink(work, viewer, proof.magicLinkToken, ['input', 'magicLinkToken'])
  }
  const session = await lockSession(work, viewer.sessionId)
  if (!session || session.endedAt)
    throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  const secondFactor = 'code' in proof
  const renewed = await renewSession(work, session, {
    proven: true,
    secondFactor,
    retireTokens: true,
  })
  await record(work, 'session.confirmed', {
    organisationId,
    target: { kind: 'Session', id: session.id },
  })
  return renewed
}

/** An account with a second factor proves that: its password is not even looked at. */
export async function mustDoWithoutCode(system: Queries, userId: string): Promise<void> {
  const { person, platform } = await readPersonAndPlatform(system, { id: userId })
  if (person?.secondFactor && platform.mfaEnabled) throw codeNeeded()
}

const codeNeeded = () =>
  new AppError('MFA_REQUIRED', 'Prove your second factor: pass `code`. Nothing else will do.')
