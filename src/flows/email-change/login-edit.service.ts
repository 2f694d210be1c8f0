import { inSession, must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { notify } from '../../accounts/notifications/notification.service.ts'
import { findAccount, findAccountById, fullName } from '../../accounts/users/user.service.ts'
import { writeUserWords } from '../../accounts/users/user-words.ts'
import { closeLinks } from '../../credentials/links/link.service.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { AppError, badInput, conflict, forbidden, unavailable } from '../../shared/errors.ts'
import { only, type Outcome } from '../../shared/outcome.ts'
import { lockOrganisation } from '../../tenancy/organisations/administration.ts'
import { inDomains } from '../../tenancy/policies/domains.ts'
import {
  changeMembers,
  type MemberChange,
} from '../../tenancy/memberships/member-changes.service.ts'
import { getManagedMember } from '../../tenancy/memberships/member.service.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { mailConfirmation } from '../email-verification/verification-mail.ts'
import { getOrganisation } from '../invitations/invitation.service.ts'
import { followAddress } from './follow-address.ts'

/**
 * Changes members, their logins included, each under the rules of one alone. A row with a login holds as a whole or not
 * at all, so those are done one after the other.
 */
export async function changeMembersAndLogins(
  work: Work,
  rows: MemberChange[],
): Promise<Outcome<Member>[]> {
  if (rows.every(({ input }) => input.email === undefined)) return changeMembers(work, rows)
  const viewer = must(work.viewer, 'manageUser')
  // an organisation is locked before accounts, as everywhere
  if (rows.some(({ input }) => input.roleId !== undefined))
    await lockOrganisation(work, viewer.organisationId)
  const outcomes: Outcome<Member>[] = []
  for (const row of rows) outcomes.push(await changeOne(work, row))
  return outcomes
}

async function changeOne(work: Work, row: MemberChange): Promise<Outcome<Member>> {
  try {
    const done = await work.savepoint(async () => {
      if (row.input.email !== undefined) await editLogin(work, row, row.input.email)
      return only(await changeMembers(work, [row]))
    })
    return { done }
  } catch (error) {
    if (error instanceof AppError) return { refusal: error }
    throw error
  }
}

/**
 * Gives the account of a member another login, where it belongs to this organisation alone and is no operator's. Its
 * password works with the new one at once; no link to the new mailbox opens it before its owner, in a session of that
 * account, has confirmed it. One's own login is changed as everybody's is, with a proof.
 *
 * @throws {AppError} `FORBIDDEN` / `SHARED_ACCOUNT`, `CONFLICT` / `ALREADY_EXISTS` for a taken address.
 */
async function editLogin(
  work: Work,
  { id, path }: MemberChange,
  email: string | null,
): Promise<void> {
  const viewer = must(work.viewer, 'manageUser')
  inSession(viewer)
  if (!email) throw badInput([...path, 'email'], 'REQUIRED', 'Every account has a login. Name one.')
  const locked = await lockAccountOf(work, viewer, id)
  const member = await getManagedMember(work, viewer, id)
  if (member.email === email) return
  if (!member.userId)
    throw conflict(
      'STATE_MISMATCH',
      'This person has not accepted yet. Revoke the invitation, and invite the other address.',
    )
  // somebody accepted just now: a repetition finds the account in time to lock it first
  if (member.userId !== locked) throw unavailable()
  if (member.id === viewer.principalId)
    throw forbidden('POLICY_FORBIDS', 'Change your own login with `requestEmailChange`.')
  const { allowedEmailDomains, name } = await getOrganisation(work, viewer)
  if (!inDomains(email, allowedEmailDomains))
    throw forbidden(
      'POLICY_FORBIDS',
      'The organisation allows people of certain mail domains only.',
    )
  await work.as(SYSTEM, () => moveAccount(work, viewer, member, { email, organisation: name }))
}

/** Locks the account behind a member, before the member, as everywhere. */
async function lockAccountOf(work: Work, viewer: TenantViewer, id: string): Promise<string | null> {
  const account = await work.as(SYSTEM, () =>
    firstRow<{ id: string }>(
      work.db,
      sql`select u.id from user_account u where u.id = (select m.user_id from principal m
          where m.id = ${id} and m.organisation_id = ${viewer.organisationId})
        for no key update`,
    ),
  )
  return account?.id ?? null
}

async function moveAccount(
  work: Work,
  viewer: TenantViewer,
  member: Member,
  { email, organisation }: { email: string; organisation: string },
): Promise<void> {
  const userId = member.userId!
  if (!(await isSoleAccount(work, userId, member.id)))
    throw forbidden(
      'SHARED_ACCOUNT',
      'This account belongs to others too. Only its owner can change the login.',
    )
  const before = (await findAccountById(work, userId))!
  const taken = await firstRow(
    work.db,
    sql`select id from principal where organisation_id = ${member.organisationId} and email = ${email}
      and removed_at is null`,
  )
  if (taken || (await findAccount(work, email)))
    throw conflict('ALREADY_EXISTS', 'This address cannot be the login: it is in use.')
  // counted as proven from here on: a link to the new mailbox must never pass for the first proof of the account
  await work.db.rows(sql`
    update user_account set email = ${email}, email_verified_at = null, proven_at = coalesce(proven_at, ${work.now}),
      updated_at = ${work.now} where id = ${userId}`)
  await writeUserWords(work, [userId])
  await closeLinks(work, userId)
  await followAddress(work, userId, email)
  await record(work, 'user.email_changed', {
    organisationId: member.organisationId,
    target: { kind: 'User', id: userId, name: fullName(before) },
    changes: [{ field: 'email', before: before.email, after: email }],
  })
  await notify(work, {
    userId,
    topic: 'user.email_changed',
    organisationId: member.organisationId,
    security: true,
    to: before.email,
    text: { template: 'loginChanged', data: { email, organisation, by: viewer.name } },
  })
  await mailConfirmation(work, (await findAccountById(work, userId))!, null)
}

const isSoleAccount = async (work: Work, userId: string, memberId: string): Promise<boolean> =>
  (await firstRow(
    work.db,
    sql`select u.id from user_account u where u.id = ${userId} and not u.operator and u.deleted_at is null
      and not exists (select from principal o where o.user_id = u.id and o.removed_at is null and o.id <> ${memberId})`,
  )) != null
