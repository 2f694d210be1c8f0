import { must } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { resendInvitation } from '../../flows/invitations/invitation.service.ts'
import { AppError, conflict } from '../../shared/errors.ts'
import type { Outcome } from '../../shared/outcome.ts'
import { findManagedMembers, readMembers } from '../../tenancy/memberships/member.service.ts'
import type { Made } from './bulk.service.ts'

/** Mails the open invitations of several members again, one after the other: each has a link and rules of its own. */
export async function resendInvitations(work: Work, ids: string[]): Promise<Outcome<Made>[]> {
  const viewer = must(work.viewer, 'manageUser')
  const managed = await findManagedMembers(work, viewer, ids)
  const open = await work.db.rows<{ id: string; principalId: string }>(sql`
    select id, principal_id as "principalId" from invitation
    where principal_id = any(${ids}::uuid[]) and organisation_id = ${viewer.organisationId} and closed_at is null`)
  const invitationOf = new Map(open.map(({ id, principalId }) => [principalId, id]))
  const outcomes: Outcome<Made>[] = []
  for (const id of ids) {
    const member = managed(id)
    if ('refusal' in member) outcomes.push(member)
    else outcomes.push(await resend(work, id, invitationOf.get(id)))
  }
  return outcomes
}

async function resend(
  work: Work,
  memberId: string,
  invitationId: string | undefined,
): Promise<Outcome<Made>> {
  if (!invitationId)
    return { refusal: conflict('STATE_MISMATCH', 'This person has no open invitation.') }
  try {
    await work.savepoint(() => resendInvitation(work, invitationId, true))
  } catch (error) {
    if (error instanceof AppError) return { refusal: error }
    throw error
  }
  const member = (await readMembers(work, [memberId])).get(memberId)
  return { done: { member: member ?? null, invitationUrl: null } }
}
