import type { Work } from '../../access/work.ts'
import { fullName } from '../../accounts/users/user.service.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { sortKey } from '../../shared/normalise.ts'
import { newId } from '../../shared/tokens.ts'
import { writeFirstWords, writeWords } from './member.service.ts'

export interface NewMembership {
  organisationId: string
  roleId: string
  email: string
  firstName: string
  lastName: string
  externalId?: string | null
  /** The account that joins at once; without it the membership waits for an acceptance. */
  userId?: string | null
  vouched?: boolean
  /** When the person first acted here, for those who found or set up. */
  enteredAt?: Date | null
}

/**
 * Writes memberships. Who may, and which role, was decided before; that an address or account belongs to an
 * organisation only once is decided here, by unique indexes.
 *
 * @returns their ids, in the same order.
 */
export async function createMemberships(
  work: Work,
  organisationId: string,
  memberships: Omit<NewMembership, 'organisationId'>[],
): Promise<string[]> {
  const rows = memberships.map(membership => {
    const name = fullName(membership)
    return {
      id: newId(),
      user_id: membership.userId ?? null,
      role_id: membership.roleId,
      email: membership.email,
      first_name: membership.firstName,
      last_name: membership.lastName,
      name,
      sort_name: sortKey(name),
      external_id: membership.externalId ?? null,
      status: membership.userId ? 'ACTIVE' : 'INVITED',
      vouched: membership.vouched ?? false,
      entered_at: membership.enteredAt ?? null,
    }
  })
  await work.db.rows(sql`
    insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name,
      last_name, name, sort_name, external_id, status, vouched, entered_at)
    select id, ${work.now}::timestamptz, ${work.now}::timestamptz, ${organisationId}::uuid, 'MEMBER', user_id, role_id, email,
      first_name, last_name, name, sort_name, external_id, status, vouched, entered_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (id uuid, user_id uuid, role_id uuid, email text,
      first_name text, last_name text, name text, sort_name text, external_id text, status text, vouched boolean,
      entered_at timestamptz)`)
  await writeFirstWords(work, organisationId, rows)
  return rows.map(row => row.id)
}

/** Whom the organisation has brought in again is barred no more for having been put out before. */
export const liftBars = (work: Work, organisationId: string, userIds: string[]) =>
  work.as({ role: 'system' }, () =>
    work.db.rows(sql`
      update principal set return_barred = false
      where organisation_id = ${organisationId} and user_id = any(${userIds}::uuid[]) and return_barred`),
  )

/** Writes one. */
export async function createMembership(
  work: Work,
  { organisationId, ...membership }: NewMembership,
): Promise<string> {
  const [id] = await createMemberships(work, organisationId, [membership])
  return id!
}

/**
 * Ends memberships and their project access; the rows stay, for others refer to them.
 *
 * @param returnBarred whether the person may come back only by being added or invited.
 */
export async function endMemberships(
  work: Work,
  ids: string[],
  returnBarred = false,
): Promise<void> {
  await work.db.rows(sql`delete from project_access where principal_id = any(${ids}::uuid[])`)
  await work.db.rows(sql`delete from member_word where principal_id = any(${ids}::uuid[])`)
  await work.db.rows(
    sql`update principal set removed_at = ${work.now}, updated_at = ${work.now},
      return_barred = return_barred or ${returnBarred} where id = any(${ids}::uuid[])`,
  )
}

/** Ends one. */
export const endMembership = (work: Work, id: string, returnBarred = false): Promise<void> =>
  endMemberships(work, [id], returnBarred)

/** A person acts here from now on, having switched. */
export async function enterMembership(work: Work, principalId: string): Promise<void> {
  const here = await firstRow<{ first: boolean }>(
    work.db,
    sql`update principal set last_active_at = ${work.now}
      where id = ${principalId} returning entered_at is null as "first"`,
  )
  if (here?.first) await enterFirst(work, principalId)
}

/** A person acts here for the first time: their own name begins to be shown, unless this organisation gave them one. */
export async function enterFirst(work: Work, principalId: string): Promise<void> {
  const entered = await work.db.rows<{ organisationId: string; name: string; email: string }>(sql`
    update principal m set entered_at = ${work.now},
      first_name = case when m.name_kept then m.first_name else u.first_name end,
      last_name = case when m.name_kept then m.last_name else u.last_name end,
      name = case when m.name_kept then m.name else btrim(u.first_name || ' ' || u.last_name) end
    from user_account u where u.id = m.user_id and m.id = ${principalId} and m.entered_at is null
    returning m.organisation_id as "organisationId", m.name, m.email`)
  for (const { organisationId, name, email } of entered) {
    await work.db.rows(
      sql`update principal set sort_name = ${sortKey(name)} where id = ${principalId}`,
    )
    await writeWords(work, organisationId, [{ id: principalId, name, email }])
  }
}
