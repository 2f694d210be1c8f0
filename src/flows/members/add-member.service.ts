import { inSession, must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { findAccount, readName } from '../../accounts/users/user.service.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { queueMail } from '../../outbox/mail/mail.service.ts'
import { conflict, forbidden } from '../../shared/errors.ts'
import { getMember, readExternalId } from '../../tenancy/memberships/member.service.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { createMembership } from '../../tenancy/memberships/membership.service.ts'
import { inDomains } from '../../tenancy/policies/domains.ts'
import { grantAccess } from '../../tenancy/projects/project-access.service.ts'
import { getAssignableRole } from '../../tenancy/roles/role.service.ts'
import { createInvitation, getOrganisation } from '../invitations/invitation.service.ts'
import type { AddMemberInput } from './members.type.ts'

/**
 * Adds a person to the organisation in use. A login that was proven joins at once and is told by mail; anybody else
 * is invited, and nothing counts until they accept. Nothing else about the account shows in the answer.
 *
 * @throws {AppError} `CONFLICT` / `ALREADY_EXISTS` where the address or the external id is taken here.
 */
export async function addMember(
  work: Work,
  input: AddMemberInput,
): Promise<{ member: Member; invitationUrl: string | null }> {
  const viewer = must(work.viewer, 'manageUser')
  if (!input.sendInvitation) inSession(viewer)
  const names = readName(input, ['input'])
  const externalId = readExternalId(input.externalId, ['input', 'externalId'])
  const organisation = await getOrganisation(work, viewer)
  if (!inDomains(input.email, organisation.allowedEmailDomains))
    throw forbidden(
      'POLICY_FORBIDS',
      'The organisation allows people of certain mail domains only.',
    )
  const roleId = input.roleId ?? organisation.defaultRoleId
  const role = await getAssignableRole(work, viewer, roleId, 'ORGANISATION', null, [
    'input',
    'roleId',
  ])
  await mustBeNew(work, viewer, input.email, externalId)
  const account = await work.as(SYSTEM, () => findAccount(work, input.email))
  const proven = account?.emailVerifiedAt ? account : null

  const id = await createMembership(work, {
    organisationId: viewer.organisationId,
    roleId: role.id,
    email: input.email,
    ...names,
    externalId,
    userId: proven?.id,
  })
  await grantAccess(work, viewer, id, input.projectAccess ?? [], ['input', 'projectAccess'])
  await record(work, 'member.added', {
    organisationId: viewer.organisationId,
    target: { kind: 'Member', id, name: `${names.firstName} ${names.lastName}`.trim() },
    changes: [{ field: 'role', before: null, after: role.name }],
  })
  const inviter = { principalId: viewer.principalId, name: viewer.name }
  if (proven) {
    await queueMail(work, {
      to: input.email,
      locale: proven.locale,
      mail: {
        template: 'addedToOrganisation',
        data: {
          organisation: organisation.name,
          inviter: viewer.name,
          firstName: proven.firstName,
        },
      },
    })
    return { member: await getMember(work, id), invitationUrl: null }
  }
  const invitation = await createInvitation(work, {
    organisationId: viewer.organisationId,
    organisationName: organisation.name,
    principalId: id,
    email: input.email,
    firstName: names.firstName,
    inviter,
    lifetime: organisation.lifetime,
    sendMail: input.sendInvitation,
  })
  return { member: await getMember(work, id), invitationUrl: invitation.url }
}

/** A courtesy: the unique indexes are the rule. */
async function mustBeNew(
  work: Work,
  viewer: TenantViewer,
  email: string,
  externalId: string | null | undefined,
) {
  const there = await firstRow<{ email: string }>(
    work.db,
    sql`select email from principal where organisation_id = ${viewer.organisationId} and removed_at is null
      and (email = ${email} or external_id = ${externalId ?? null}) limit 1`,
  )
  if (there)
    throw conflict(
      'ALREADY_EXISTS',
      there.email === email
        ? 'This address belongs to the organisation already.'
        : 'Another member has this external id.',
    )
}
