import { must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { fullName } from '../../accounts/users/user.service.ts'
import { writeUserWords } from '../../accounts/users/user-words.ts'
import { SYSTEM } from '../../database/context.ts'
import { sql } from '../../database/sql.ts'
import { changesBetween, recordAll } from '../../outbox/events/event.service.ts'
import { badInput, conflict, unavailable, type Path } from '../../shared/errors.ts'
import { sortKey, singleLine } from '../../shared/normalise.ts'
import { attempt, doneOf, only, type Outcome } from '../../shared/outcome.ts'
import { readTitle } from '../../shared/titles.ts'
import { lockAdministration } from '../organisations/administration.ts'
import { findAssignableRoles } from '../roles/role.service.ts'
import { findManagedMembers, readExternalId, readMembers, writeWords } from './member.service.ts'
import type { Member, UpdateMemberInput } from './member.type.ts'

/** Changes to one member, and where they stand in the input. */
export interface MemberChange {
  id: string
  input: UpdateMemberInput
  path: Path
}

interface Planned {
  before: Member
  roleId: string
  firstName: string
  lastName: string
  externalId: string | null
  renamed: boolean
}

/**
 * Changes several members, each under the rules of one alone. No member may be named twice.
 *
 * @throws {AppError} what concerns all of them: `LAST_ADMINISTRATOR`, or a rule that two broke at once.
 */
export async function changeMembers(work: Work, rows: MemberChange[]): Promise<Outcome<Member>[]> {
  const viewer = must(work.viewer, 'manageUser')
  const keepAdministrator = rows.some(({ input }) => input.roleId !== undefined)
    ? await lockAdministration(work, viewer.organisationId)
    : null
  const accounts = await lockAccounts(work, viewer, rows)
  const managed = await findManagedMembers(
    work,
    viewer,
    rows.map(row => row.id),
  )
  const roleOf = await findAssignableRoles(
    work,
    viewer,
    rows.flatMap(({ input }) => input.roleId ?? []),
  )
  const holderOf = await findExternalIds(work, viewer, rows)

  const planned = rows.map(({ id, input, path }) =>
    attempt((): Planned => {
      const before = only([managed(id)])
      const roleId =
        input.roleId === undefined ? before.roleId : newRole(roleOf, input.roleId, path)
      const names = readNewNames(before, input, path)
      const externalId = readExternalId(input.externalId, [...path, 'externalId'])
      if (externalId && (holderOf.get(externalId) ?? id) !== id)
        throw conflict('ALREADY_EXISTS', 'Another member has this external id.', [
          ...path,
          'externalId',
        ])
      if (externalId !== undefined) {
        if (before.externalId) holderOf.delete(before.externalId)
        if (externalId) holderOf.set(externalId, id)
      }
      // somebody accepted just now: a repetition finds the account in time to lock it first
      if (names.renamed && before.userId && !accounts.has(before.userId)) throw unavailable()
      return {
        before,
        roleId,
        ...names,
        externalId: externalId === undefined ? before.externalId : externalId,
      }
    }),
  )
  const sound = doneOf(planned)
  if (!sound.length) return planned as Outcome<never>[]
  await write(work, viewer, sound)
  await keepAdministrator?.()
  await recordAll(
    work,
    sound.map(({ before, roleId, firstName, lastName, externalId }) => ({
      topic: 'member.updated',
      organisationId: viewer.organisationId,
      target: { kind: 'Member', id: before.id, name: before.name },
      changes: changesBetween(before, { roleId, firstName, lastName, externalId }),
    })),
  )
  const after = await readMembers(
    work,
    sound.map(({ before }) => before.id),
  )
  return planned.map(each => ('done' in each ? { done: after.get(each.done.before.id)! } : each))
}

/**
 * Locks the accounts behind members that are to be renamed, before the members: rows are locked in one order
 * everywhere (organisation, accounts, members by id, invitation, session), so that no two transactions wait for each
 * other.
 */
async function lockAccounts(
  work: Work,
  viewer: TenantViewer,
  rows: MemberChange[],
): Promise<Set<string>> {
  const ids = rows.flatMap(({ id, input }) =>
    input.firstName === undefined && input.lastName === undefined ? [] : [id],
  )
  if (!ids.length) return new Set()
  const accounts = await work.as(SYSTEM, () =>
    work.db.rows<{ id: string }>(sql`
      select u.id from user_account u where u.id in (select m.user_id from principal m
        where m.id = any(${ids}::uuid[]) and m.organisation_id = ${viewer.organisationId})
      order by u.id for no key update`),
  )
  return new Set(accounts.map(account => account.id))
}

function newRole(
  roleOf: Awaited<ReturnType<typeof findAssignableRoles>>,
  id: string | null,
  path: Path,
): string {
  if (!id) throw badInput([...path, 'roleId'], 'REQUIRED', 'Every member holds a role. Name one.')
  return roleOf(id, 'ORGANISATION', null, [...path, 'roleId']).id
}

function readNewNames(member: Member, input: UpdateMemberInput, path: Path) {
  const part = (text: string | null | undefined, kept: string, field: string, least: number) =>
    text === undefined ? kept : readTitle(text ?? '', [...path, field], least)
  const firstName = part(input.firstName, member.firstName, 'firstName', 1)
  const lastName = part(input.lastName, member.lastName, 'lastName', 0)
  return {
    firstName,
    lastName,
    renamed: firstName !== member.firstName || lastName !== member.lastName,
  }
}

/** Who has the external ids that are asked for; hidden members too, for an id is given once. */
async function findExternalIds(
  work: Work,
  viewer: TenantViewer,
  rows: MemberChange[],
): Promise<Map<string, string>> {
  const wanted = rows.flatMap(({ input }) => singleLine(input.externalId ?? '') || [])
  if (!wanted.length) return new Map()
  const taken = await work.as(SYSTEM, () =>
    work.db.rows<{ id: string; externalId: string }>(sql`
      select id, external_id as "externalId" from principal where organisation_id = ${viewer.organisationId}
        and external_id = any(${wanted}::text[]) and removed_at is null`),
  )
  return new Map(taken.map(({ id, externalId }) => [externalId, id]))
}

async function write(work: Work, viewer: TenantViewer, sound: Planned[]): Promise<void> {
  const sole = await renameSoleAccounts(work, sound)
  const rows = sound.map(({ before, roleId, firstName, lastName, externalId, renamed }) => {
    const name = fullName({ firstName, lastName })
    return {
      id: before.id,
      role_id: roleId,
      first_name: firstName,
      last_name: lastName,
      name,
      sort_name: sortKey(name),
      external_id: externalId,
      // null keeps what there is
      name_kept: renamed ? before.userId != null && !sole.has(before.userId) : null,
    }
  })
  await work.db.rows(sql`
    update principal m set role_id = n.role_id, first_name = n.first_name, last_name = n.last_name, name = n.name,
      sort_name = n.sort_name, external_id = n.external_id, name_kept = coalesce(n.name_kept, m.name_kept),
      updated_at = ${work.now}
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (id uuid, role_id uuid, first_name text, last_name text,
      name text, sort_name text, external_id text, name_kept boolean)
    where m.id = n.id`)
  const renamed = sound.filter(each => each.renamed)
  if (renamed.length)
    await writeWords(
      work,
      viewer.organisationId,
      renamed.map(each => ({ id: each.before.id, name: fullName(each), email: each.before.email })),
    )
}

/**
 * Changes the accounts' own names where this organisation is the only one they belong to and they are no operator's.
 * A shared account keeps its own: then the name is how the member appears here.
 *
 * @returns the accounts that were renamed.
 */
async function renameSoleAccounts(work: Work, sound: Planned[]): Promise<Set<string>> {
  const rows = sound.flatMap(({ before, firstName, lastName, renamed }) =>
    renamed && before.userId ? [{ id: before.userId, member: before.id, firstName, lastName }] : [],
  )
  if (!rows.length) return new Set()
  const changed = await work.as(SYSTEM, () =>
    work.db.rows<{ id: string }>(sql`
      update user_account u set first_name = n."firstName", last_name = n."lastName", updated_at = ${work.now}
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as n (id uuid, member uuid, "firstName" text, "lastName" text)
      where u.id = n.id and not u.operator and not exists (
        select from principal o where o.user_id = u.id and o.removed_at is null and o.id <> n.member)
      returning u.id`),
  )
  const ids = changed.map(({ id }) => id)
  if (ids.length) await writeUserWords(work, ids)
  return new Set(ids)
}
