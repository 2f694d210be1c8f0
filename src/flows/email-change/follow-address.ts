import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { writeWords } from '../../tenancy/memberships/member.service.ts'
import { endMembership } from '../../tenancy/memberships/membership.service.ts'
import { closeInvitation } from '../invitations/invitation.service.ts'

interface Followed {
  id: string
  organisationId: string
  name: string
  before: string
}

/**
 * Lets the memberships of an account follow its new address, search words too; as *system*. An invitation of that
 * address by an organisation where the person is a member already has nobody left to accept it, and is turned down.
 */
export async function followAddress(work: Work, userId: string, email: string): Promise<void> {
  const memberships = await work.db.rows<Followed>(sql`
    select m.id, m.organisation_id as "organisationId", m.name, m.email as before from principal m
    where m.user_id = ${userId} and m.removed_at is null order by m.id for no key update`)
  await declineInvitations(
    work,
    email,
    memberships.map(({ organisationId }) => organisationId),
  )
  for (const { id, organisationId, name, before } of memberships) {
    await work.db.rows(
      sql`update principal set email = ${email}, updated_at = ${work.now} where id = ${id}`,
    )
    await writeWords(work, organisationId, [{ id, name, email }])
    await record(work, 'member.updated', {
      organisationId,
      target: { kind: 'Member', id, name },
      changes: [{ field: 'email', before, after: email }],
    })
  }
}

async function declineInvitations(
  work: Work,
  email: string,
  organisationIds: string[],
): Promise<void> {
  const open = await work.db.rows<{ id: string; principalId: string; organisationId: string }>(sql`
    select i.id, i.principal_id as "principalId", i.organisation_id as "organisationId" from principal m
    join invitation i on i.principal_id = m.id and i.closed_at is null
    where m.email = ${email} and m.user_id is null and m.removed_at is null
      and m.organisation_id = any(${organisationIds}::uuid[]) order by m.id for no key update of m`)
  for (const { id, principalId, organisationId } of open) {
    await closeInvitation(work, id, 'DECLINED')
    await endMembership(work, principalId)
    await record(work, 'invitation.declined', {
      organisationId,
      target: { kind: 'Invitation', id, name: email },
    })
  }
}
