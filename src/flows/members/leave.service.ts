import { begunElsewhere, inSession } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { revokeKeysOf } from '../../credentials/api-keys/api-key.service.ts'
import { isActive, type Status } from '../../credentials/callers/standing.ts'
import { endSessionsOf } from '../../credentials/sessions/session.service.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { notFound } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { endMembership } from '../../tenancy/memberships/membership.service.ts'
import { lockAdministration } from '../../tenancy/organisations/administration.ts'

interface OwnMembership extends Status {
  id: string
  name: string
  lockedAt: string | null
}

/**
 * Gives up a membership of one's own, whichever organisation is in use; as *system*. Who leaves while barred or locked
 * stays barred.
 */
export async function leaveOrganisation(work: Work, organisationId: string): Promise<string> {
  const person = inSession(work.viewer)
  if (!isId(organisationId)) throw notFound('organisation')
  if (person.boundToId && person.boundToId !== organisationId) throw begunElsewhere()
  const keepAdministrator = await lockAdministration(work, organisationId)
  const membership = await firstRow<OwnMembership>(
    work.db,
    sql`select m.id, m.name, m.status, m.suspended_until as "suspendedUntil", m.locked_at as "lockedAt" from principal m join organisation o on o.id = m.organisation_id
      where m.user_id = ${person.userId} and m.organisation_id = ${organisationId} and m.removed_at is null
        and o.deleted_at is null for update of m`,
  )
  if (!membership) throw notFound('organisation')
  const barred = membership.lockedAt != null || !isActive(membership, work.now)
  await endMembership(work, membership.id, barred)
  await revokeKeysOf(work, membership.id)
  await endSessionsOf(work, membership.id, 'the membership ended')
  await keepAdministrator()
  await record(work, 'member.left', {
    organisationId,
    target: { kind: 'Member', id: membership.id, name: membership.name },
    actor: { userId: person.userId, principalId: membership.id, name: membership.name },
  })
  return membership.id
}
