import { isAbove, must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns, rowAt } from '../../database/columns.ts'
import { firstRow, join, sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { badInput, conflict, forbidden, notFound, unavailable } from '../../shared/errors.ts'
import { fold, searchWords, singleLine } from '../../shared/normalise.ts'
import { isId } from '../../shared/tokens.ts'
import { fullName, readNamePart } from '../../accounts/users/user.service.ts'
import { lockAdministration } from '../organisations/administration.ts'
import { ROLE_FIELDS } from '../roles/role.loaders.ts'
import { getAssignableRole } from '../roles/role.service.ts'
import type { Role } from '../roles/role.type.ts'
import { visible } from './member.list.ts'
import { memberColumns } from './member.loaders.ts'
import type { Member, UpdateMemberInput } from './member.type.ts'

const LONGEST_EXTERNAL_ID = 200

/** Reads one member as it now stands. */
export async function getMember(work: Work, id: string): Promise<Member> {
  const member = await firstRow<Member>(
    work.db,
    sql`select ${memberColumns('m')} from principal m where m.id = ${id}`,
  )
  if (!member) throw notFound('member')
  return member
}

/**
 * A member whom the viewer may act on, with their row locked until the transaction ends.
 *
 * Others' members, removed ones and those the viewer's role does not show are all unknown. Who holds an organisation
 * permission that the viewer lacks is out of reach.
 *
 * @throws {AppError} `NOT_FOUND` or `FORBIDDEN` / `EXCEEDS_OWN_PERMISSIONS`.
 */
export async function getManagedMember(
  work: Work,
  viewer: TenantViewer,
  id: string,
): Promise<Member> {
  if (!isId(id)) throw notFound('member')
  const found = await firstRow<Record<string, unknown>>(
    work.db,
    sql`select ${memberColumns('m', 'm.')}, ${columns('r', ROLE_FIELDS, 'r.')}
      from principal m join role r on r.id = m.role_id
      where ${join([sql`m.id = ${id}`, sql`m.organisation_id = ${viewer.organisationId}`, ...visible(viewer)], ' and ')}
        and m.kind = 'MEMBER' and m.removed_at is null
      for update of m`,
  )
  if (!found) throw notFound('member')
  const role = rowAt<Role>(found, 'r.', ROLE_FIELDS)!
  if (!isAbove(viewer, role))
    throw forbidden(
      'EXCEEDS_OWN_PERMISSIONS',
      'This member holds permissions that you do not hold.',
    )
  return readMember(found)
}

const readMember = (found: Record<string, unknown>): Member =>
  Object.fromEntries(
    Object.entries(found).flatMap(([name, value]) =>
      name.startsWith('m.') ? [[name.slice(2), value]] : [],
    ),
  ) as unknown as Member

/** Changes a member's role, the name shown here, or the external id. */
export async function updateMember(
  work: Work,
  id: string,
  input: Omit<UpdateMemberInput, 'email'>,
): Promise<Member> {
  const viewer = must(work.viewer, 'manageUser')
  const keepAdministrator =
    input.roleId === undefined ? null : await lockAdministration(work, viewer.organisationId)
  const renames = input.firstName !== undefined || input.lastName !== undefined
  const account = renames ? await lockAccountOf(work, viewer, id) : null
  const member = await getManagedMember(work, viewer, id)
  const role = input.roleId === undefined ? null : await newRole(work, viewer, input.roleId)
  const names = readNewNames(member, input)
  const externalId = readExternalId(input.externalId, ['input', 'externalId'])
  await mustBeFree(work, viewer, member, externalId)

  const changed = {
    roleId: role?.id ?? member.roleId,
    firstName: names.firstName,
    lastName: names.lastName,
    externalId: externalId === undefined ? member.externalId : externalId,
  }
  // somebody accepted just now: a repetition finds the account in time to lock it first
  if (names.changed && member.userId !== account) throw unavailable()
  const sole = names.changed && (await renameSoleAccount(work, member, names))
  await work.db.rows(sql`
    update principal set role_id = ${changed.roleId}, first_name = ${changed.firstName}, last_name = ${changed.lastName},
      name = ${fullName(changed)}, sort_name = ${fold(fullName(changed))}, external_id = ${changed.externalId},
      name_kept = case when ${names.changed} then ${!sole} else name_kept end, updated_at = ${work.now}
    where id = ${member.id}`)
  if (names.changed)
    await writeWords(work, viewer.organisationId, member.id, fullName(changed), member.email)
  await keepAdministrator?.()
  await record(work, 'member.updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'Member', id: member.id, name: member.name },
    changes: changesBetween(member, changed),
  })
  return getMember(work, member.id)
}

async function newRole(
  work: Work,
  viewer: TenantViewer,
  id: string | null | undefined,
): Promise<Role> {
  if (!id) throw badInput(['input', 'roleId'], 'REQUIRED', 'Every member holds a role. Name one.')
  return getAssignableRole(work, viewer, id, 'ORGANISATION', null, ['input', 'roleId'])
}

function readNewNames(member: Member, input: UpdateMemberInput) {
  const part = (text: string | null | undefined, kept: string, field: string, least: number) =>
    text === undefined ? kept : readNamePart(text ?? '', ['input', field], least)
  const firstName = part(input.firstName, member.firstName, 'firstName', 1)
  const lastName = part(input.lastName, member.lastName, 'lastName', 0)
  return {
    firstName,
    lastName,
    changed: firstName !== member.firstName || lastName !== member.lastName,
  }
}

/** An external id as typed: undefined keeps, null clears. */
export function readExternalId(
  text: string | null | undefined,
  path: (string | number)[],
): string | null | undefined {
  if (text == null) return text
  const line = singleLine(text)
  if (!line) throw badInput(path, 'INVALID_FORMAT', 'An external id is one line of text.')
  if (line.length > LONGEST_EXTERNAL_ID)
    throw badInput(
      path,
      'OUT_OF_RANGE',
      `External ids have at most ${LONGEST_EXTERNAL_ID} characters.`,
    )
  return line
}

async function mustBeFree(
  work: Work,
  viewer: TenantViewer,
  member: Member,
  externalId: string | null | undefined,
) {
  if (!externalId || externalId === member.externalId) return
  const taken = await firstRow(
    work.db,
    sql`select id from principal where organisation_id = ${viewer.organisationId} and external_id = ${externalId}
      and removed_at is null and id <> ${member.id}`,
  )
  if (taken) throw conflict('ALREADY_EXISTS', 'Another member has this external id.')
}

/**
 * Locks the account behind a member, before the member: rows are locked in one order everywhere (organisation,
 * account, members by id, invitation, session), so that no two transactions wait for each other.
 */
export async function lockAccountOf(
  work: Work,
  viewer: TenantViewer,
  id: string,
): Promise<string | null> {
  const [account] = await work.as({ role: 'system' }, () =>
    work.db.rows<{ id: string }>(sql`
      select u.id from user_account u where u.id = (select m.user_id from principal m
        where m.id = ${id} and m.organisation_id = ${viewer.organisationId})
      for no key update`),
  )
  return account?.id ?? null
}

/**
 * Changes the account's own name where this organisation is the only one it belongs to and it is no operator's.
 * False where the account is shared: then the name is how the member appears here.
 */
async function renameSoleAccount(
  work: Work,
  member: Member,
  names: { firstName: string; lastName: string },
): Promise<boolean> {
  const { userId } = member
  if (!userId) return true
  return work.as({ role: 'system' }, async () => {
    const renamed = await work.db.rows(sql`
      update user_account u set first_name = ${names.firstName}, last_name = ${names.lastName}, updated_at = ${work.now}
      where u.id = ${userId} and not u.operator and not exists (
        select from principal o where o.user_id = u.id and o.removed_at is null and o.id <> ${member.id})
      returning id`)
    return renamed.length > 0
  })
}

/** Replaces the words by which a member is found. */
export async function writeWords(
  work: Work,
  organisationId: string,
  principalId: string,
  name: string,
  email: string,
): Promise<void> {
  await work.db.rows(
    sql`delete from member_word where organisation_id = ${organisationId} and principal_id = ${principalId}`,
  )
  await work.db.rows(sql`
    insert into member_word (organisation_id, principal_id, word)
    select ${organisationId}, ${principalId}, word from unnest(${searchWords(name, email)}::text[]) as word`)
}

/** A member by id: oneself always, others with `viewUser` and as far as the role shows them. */
export const mayRead = (viewer: TenantViewer, id: string): TenantViewer =>
  viewer.principalId === id ? viewer : must(viewer, 'viewUser')
