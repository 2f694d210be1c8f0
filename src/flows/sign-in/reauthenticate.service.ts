import type { Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import {
  lockSession,
  renewSession,
  type RenewedSession,
} from '../../credentials/sessions/session.service.ts'
import { record } from '../../outbox/events/event.service.ts'
import { unauthenticated } from '../../shared/errors.ts'

/** Marks the session in use as fresh, once its person has proven who they are; as *system*. Renews its tokens. */
export async function confirmSession(work: Work, viewer: Person): Promise<RenewedSession> {
  const session = await lockSession(work, viewer.sessionId)
  if (!session || session.endedAt)
    throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  const renewed = await renewSession(work, session, { proven: true, retireTokens: true })
  await record(work, 'session.confirmed', {
    organisationId: viewer.organisationId,
    target: { kind: 'Session', id: session.id },
  })
  return renewed
}
