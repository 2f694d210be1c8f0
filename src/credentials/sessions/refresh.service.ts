import type { Work } from '../../access/work.ts'
import { toDate } from '../../database/columns.ts'
import { record } from '../../outbox/events/event.service.ts'
import { digest } from '../../shared/tokens.ts'
import { isGenuine, readRefreshToken, repeatToken } from './refresh-token.ts'
import { endSession, lockSession, renewSession, type RenewedSession } from './session.service.ts'

/** What became of a refresh token. Refusals are outcomes, for what they write must be committed. */
export type RefreshOutcome =
  | { renewed: RenewedSession }
  | { refused: 'CREDENTIALS_INVALID' | 'SESSION_ENDED' | 'REFRESH_TOKEN_REUSED' }

/**
 * Trades a refresh token for the next one; as *system*.
 *
 * The token in force moves on by one. Its direct parent, within the grace, yields the same successor once more, for
 * an answer may have been lost and tabs may race. A genuine token older than that means that somebody has a copy:
 * the whole session ends (RFC 9700, section 4.14.2).
 */
export async function refreshSession(work: Work, token: string): Promise<RefreshOutcome> {
  const read = readRefreshToken(token)
  const session = read && (await lockSession(work, read.sessionId))
  if (!read || !session || !isGenuine(work.server.keys, read, session.refreshSeed))
    return { refused: 'CREDENTIALS_INVALID' }
  if (session.endedAt) return { refused: 'SESSION_ENDED' }
  // a renewal counts as use: a session that ran out must not come back by it
  if (toDate(session.endsAt) <= work.now) {
    await endSession(work, session.id, 'it ran out')
    return { refused: 'SESSION_ENDED' }
  }

  if (read.counter === session.refreshCounter && digest(token) === session.refreshDigest)
    return { renewed: await renewSession(work, session) }

  const grace = work.server.config.REFRESH_GRACE_SECONDS * 1000
  const renewedAt = session.refreshedAt ? toDate(session.refreshedAt).getTime() : 0
  if (read.counter === session.refreshCounter - 1 && work.now.getTime() - renewedAt <= grace) {
    const same = repeatToken(
      work.server.keys,
      session.id,
      session.refreshCounter,
      session.refreshSeed,
      session.refreshDigest,
    )
    if (same)
      return {
        renewed: {
          id: session.id,
          userId: session.userId,
          refreshToken: same,
          delivery: session.delivery,
        },
      }
  }

  await endSession(work, session.id, 'a spent refresh token came back')
  await record(work, 'session.reuse_detected', {
    organisationId: session.organisationId,
    target: { kind: 'Session', id: session.id },
    outcome: 'DENIED',
    actor: {
      userId: session.userId,
      principalId: session.principalId,
      name: 'A copy of a session',
    },
  })
  return { refused: 'REFRESH_TOKEN_REUSED' }
}
