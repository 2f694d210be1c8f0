import { must } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { revokeKeysOf } from '../../credentials/api-keys/api-key.service.ts'
import { endSessionsOf } from '../../credentials/sessions/session.service.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput } from '../../shared/errors.ts'
import { getManagedMember, getMember } from '../../tenancy/memberships/member.service.ts'
import { lockAdministration } from '../../tenancy/organisations/administration.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { endMembership } from '../../tenancy/memberships/membership.service.ts'
import { closeInvitationsOf } from '../invitations/invitation.service.ts'

const LONGEST_REASON = 500

/** Bars new sign-ins and key use here; what is open runs on. Locking twice changes nothing. */
export async function lockMember(work: Work, id: string, reason: string | null): Promise<Member> {
  const viewer = must(work.viewer, 'manageUser')
  const words = readReason(reason)
  const keepAdministrator = await lockAdministration(work, viewer.organisationId)
  const member = await getManagedMember(work, viewer, id)
  if (member.lockedAt) return member
  await work.db.rows(
    sql`update principal set locked_at = ${work.now}, updated_at = ${work.now} where id = ${member.id}`,
  )
  await keepAdministrator()
  await record(work, 'member.locked', {
    organisationId: viewer.organisationId,
    target: targetOf(member),
    reason: words,
  })
  return getMember(work, member.id)
}

/** Lifts a lock. */
export async function unlockMember(work: Work, id: string): Promise<Member> {
  const viewer = must(work.viewer, 'manageUser')
  const member = await getManagedMember(work, viewer, id)
  if (!member.lockedAt) return member
  await work.db.rows(
    sql`update principal set locked_at = null, updated_at = ${work.now} where id = ${member.id}`,
  )
  await record(work, 'member.unlocked', {
    organisationId: viewer.organisationId,
    target: targetOf(member),
  })
  return getMember(work, member.id)
}

/** Ends a membership with its sessions, project access and open invitation. The account lives on. */
export async function removeMember(work: Work, id: string): Promise<Member> {
  const viewer = must(work.viewer, 'manageUser')
  const keepAdministrator = await lockAdministration(work, viewer.organisationId)
  const member = await getManagedMember(work, viewer, id)
  await endMembership(work, member.id, true)
  await revokeKeysOf(work, member.id)
  await endSessionsOf(work, member.id, 'the membership ended')
  await closeInvitationsOf(work, member.id)
  await keepAdministrator()
  await record(work, 'member.removed', {
    organisationId: viewer.organisationId,
    target: targetOf(member),
  })
  return member
}

/** Ends all sessions of a member here, and keeps sessions begun earlier elsewhere from switching back in. */
export async function revokeMemberSessions(work: Work, id: string): Promise<number> {
  const viewer = must(work.viewer, 'manageUser')
  const member = await getManagedMember(work, viewer, id)
  await work.db.rows(
    sql`update principal set sessions_revoked_at = ${work.now} where id = ${member.id}`,
  )
  const count = await endSessionsOf(work, member.id, 'revoked by an administrator')
  await record(work, 'member.sessions_revoked', {
    organisationId: viewer.organisationId,
    target: targetOf(member),
    changes: [{ field: 'sessions', before: String(count), after: '0' }],
  })
  return count
}

export const targetOf = (member: Member) => ({ kind: 'Member', id: member.id, name: member.name })

// lines and tabs are text; the rest of them no database takes or no reader sees
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

export function readReason(reason: string | null): string | null {
  const text = reason?.trim() ?? ''
  if (text.length > LONGEST_REASON)
    throw badInput(['reason'], 'OUT_OF_RANGE', `A reason has at most ${LONGEST_REASON} characters.`)
  if (CONTROL.test(text) || !text.isWellFormed())
    throw badInput(['reason'], 'INVALID_FORMAT', 'A reason is text without control characters.')
  return text || null
}
