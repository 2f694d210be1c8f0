import { unauthenticated, forbidden, notFound } from '../../shared/errors.ts'
import { organisationNotChosen, type Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { record } from '../../outbox/events/event.service.ts'
import { findEntry } from '../../tenancy/projects/project-entry.service.ts'
import { isId } from '../../shared/tokens.ts'
import { reachOf, lockAccount } from '../callers/standing.ts'
import { lockOwnMembership, mustBeLetIn, mustSuit } from './entry-rules.ts'
import { lockSession, renewSession, type RenewedSession } from './session.service.ts'

/**
 * Lets the session in use act in another organisation of its person; as *system*. Its tokens are renewed and those
 * issued before stop, so that nothing begun here goes on there.
 *
 * @throws {AppError} `NOT_FOUND` for an organisation that is not one's own, `FORBIDDEN` / `POLICY_FORBIDS` for one that
 * may not be entered now, `MFA_REQUIRED` where it asks for more than the session has proven.
 */
export async function switchOrganisation(
  work: Work,
  viewer: Person,
  organisationId: string,
  projectId: string | null = null,
): Promise<RenewedSession> {
  // account, membership, session: in the order in which sign-ins and kills lock them
  const account = await lockAccount(work, viewer.userId)
  const membership = isId(organisationId)
    ? await lockOwnMembership(work, viewer.userId, organisationId)
    : undefined
  const session = await lockSession(work, viewer.sessionId)
  if (!session || session.endedAt)
    throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  if (!membership) throw notFound('organisation')
  mustBeLetIn(account, work.now)
  mustSuit(session, membership, viewer.proven, work.now)
  const only = reachOf(membership, viewer.proven) === 'PROJECT' && membership.unprovenProjectId
  if (only && projectId && projectId !== only) throw unprovenElsewhere()

  const place = { organisationId, principalId: membership.id, projectId: only || projectId }
  const renewed = await renewSession(work, session, { place, retireTokens: true })
  await record(work, 'session.switched', {
    organisationId,
    target: { kind: 'Session', id: session.id },
    actor: { userId: viewer.userId, principalId: membership.id, name: viewer.name },
  })
  return renewed
}

const unprovenElsewhere = () =>
  forbidden('POLICY_FORBIDS', 'Prove your address first: until then you act in this project alone.')

/**
 * Lets the session in use act in a project, switching organisation where needed; null leaves the project. Moving
 * between projects of the organisation in use is no entry, so a lock does not bar it. As *system*.
 *
 * @throws {AppError} `NOT_FOUND` for a project that the person cannot enter.
 */
export async function switchProject(
  work: Work,
  viewer: Person,
  projectId: string | null,
): Promise<RenewedSession> {
  const entry = projectId ? await findEntry(work, viewer, projectId) : null
  if (projectId && !entry) throw notFound('project')
  const { confinedTo } = viewer
  if (
    confinedTo &&
    entry?.organisationId === viewer.organisationId &&
    !confinedTo.has(entry.projectId)
  )
    throw unprovenElsewhere()
  if (confinedTo && !entry) throw unprovenElsewhere()
  if (entry && entry.organisationId !== viewer.organisationId)
    return switchOrganisation(work, viewer, entry.organisationId, entry.projectId)
  const session = await lockSession(work, viewer.sessionId)
  if (!session || session.endedAt)
    throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  // the session may name a place that its organisation has closed to it
  const { organisationId, principalId } = viewer
  if (!organisationId || !principalId || session.organisationId !== organisationId)
    throw organisationNotChosen()
  const place = { organisationId, principalId, projectId: entry?.projectId ?? null }
  const renewed = await renewSession(work, session, { place, retireTokens: true })
  await record(work, 'session.switched', {
    organisationId,
    target: { kind: 'Session', id: session.id },
    changes: [{ field: 'project', before: viewer.projectId, after: place.projectId }],
  })
  return renewed
}
