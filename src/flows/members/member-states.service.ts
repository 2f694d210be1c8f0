import { inSession, must } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { revokeKeysOf } from '../../credentials/api-keys/api-key.service.ts'
import { isActive, type Status } from '../../credentials/callers/standing.ts'
import { endSessionsOf } from '../../credentials/sessions/session.service.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, conflict, notFound } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { getManagedMember, getMember } from '../../tenancy/memberships/member.service.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { endMembership } from '../../tenancy/memberships/membership.service.ts'
import { lockAdministration } from '../../tenancy/organisations/administration.ts'
import { readReason, targetOf } from './member-acts.service.ts'

/** Bars a member, until a moment or until told; their sessions here end at once. */
export async function suspendMember(
  work: Work,
  id: string,
  reason: string | null,
  until: Date | null,
): Promise<Member> {
  if (until && until <= work.now)
    throw badInput(['input', 'until'], 'OUT_OF_RANGE', 'A suspension ends in the future.')
  return barMember(work, id, 'SUSPENDED', until, reason)
}

/** Bars a member until further notice; their sessions here end at once. */
export const deactivateMember = (work: Work, id: string, reason: string | null): Promise<Member> =>
  barMember(work, id, 'INACTIVE', null, reason)

async function barMember(
  work: Work,
  id: string,
  status: 'SUSPENDED' | 'INACTIVE',
  until: Date | null,
  reason: string | null,
): Promise<Member> {
  const viewer = must(work.viewer, 'manageUser')
  const words = readReason(reason)
  const keepAdministrator = await lockAdministration(work, viewer.organisationId)
  const member = await getManagedMember(work, viewer, id)
  mustBeAccepted(member)
  await work.db.rows(sql`
    update principal set status = ${status}, suspended_until = ${until}, updated_at = ${work.now} where id = ${member.id}`)
  await endSessionsOf(work, member.id, 'the member was barred')
  await keepAdministrator()
  await record(work, status === 'SUSPENDED' ? 'member.suspended' : 'member.deactivated', {
    organisationId: viewer.organisationId,
    target: targetOf(member),
    changes: [{ field: 'status', before: member.status, after: status }],
    reason: words,
  })
  return getMember(work, member.id)
}

/** Readmits a suspended or inactive member. */
export async function activateMember(work: Work, id: string): Promise<Member> {
  const viewer = must(work.viewer, 'manageUser')
  const member = await getManagedMember(work, viewer, id)
  mustBeAccepted(member)
  if (member.status === 'ACTIVE') return member
  await work.db.rows(sql`
    update principal set status = 'ACTIVE', suspended_until = null, updated_at = ${work.now} where id = ${member.id}`)
  await record(work, 'member.activated', {
    organisationId: viewer.organisationId,
    target: targetOf(member),
    changes: [{ field: 'status', before: member.status, after: 'ACTIVE' }],
  })
  return getMember(work, member.id)
}

function mustBeAccepted(member: Member): void {
  if (member.status === 'INVITED')
    throw conflict(
      'STATE_MISMATCH',
      'This person has not accepted yet. Revoke the invitation instead.',
    )
}

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
