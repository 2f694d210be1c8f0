import type { Work } from '../../access/work.ts'
import { fullName } from '../../accounts/users/user.service.ts'
import { sql } from '../../database/sql.ts'
import { fold } from '../../shared/normalise.ts'
import { newId } from '../../shared/tokens.ts'
import { writeWords } from './member.service.ts'

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
 * Writes a membership. Who may, and which role, was decided before; that an address or account belongs to an
 * organisation only once is decided here, by unique indexes.
 */
export async function createMembership(work: Work, membership: NewMembership): Promise<string> {
  const id = newId()
  const name = fullName(membership)
  await work.db.rows(sql`
    insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name,
      last_name, name, sort_name, external_id, status, vouched, entered_at)
    values (${id}, ${work.now}, ${work.now}, ${membership.organisationId}, 'MEMBER', ${membership.userId ?? null},
      ${membership.roleId}, ${membership.email}, ${membership.firstName}, ${membership.lastName}, ${name},
      ${fold(name)}, ${membership.externalId ?? null}, ${membership.userId ? 'ACTIVE' : 'INVITED'},
      ${membership.vouched ?? false}, ${membership.enteredAt ?? null})`)
  await writeWords(work, membership.organisationId, id, name, membership.email)
  return id
}

/**
 * Ends a membership and its project access; the row stays, for others refer to it.
 *
 * @param returnBarred whether the person may come back only by being added or invited.
 */
export async function endMembership(
  work: Work,
  principalId: string,
  returnBarred = false,
): Promise<void> {
  await work.db.rows(sql`delete from project_access where principal_id = ${principalId}`)
  await work.db.rows(sql`delete from member_word where principal_id = ${principalId}`)
  await work.db.rows(
    sql`update principal set removed_at = ${work.now}, updated_at = ${work.now},
      return_barred = return_barred or ${returnBarred} where id = ${principalId}`,
  )
}

/** A person acts here for the first time: from now on their own name is shown, unless this organisation gave them one. */
export async function enterMembership(
  work: Work,
  principalId: string,
  signedIn: boolean,
): Promise<void> {
  const entered = await work.db.rows<{ organisationId: string; name: string; email: string }>(sql`
    update principal m set entered_at = ${work.now},
      first_name = case when m.name_kept then m.first_name else u.first_name end,
      last_name = case when m.name_kept then m.last_name else u.last_name end,
      name = case when m.name_kept then m.name else btrim(u.first_name || ' ' || u.last_name) end
    from user_account u where u.id = m.user_id and m.id = ${principalId} and m.entered_at is null
    returning m.organisation_id as "organisationId", m.name, m.email`)
  for (const { organisationId, name, email } of entered) {
    await work.db.rows(
      sql`update principal set sort_name = ${fold(name)} where id = ${principalId}`,
    )
    await writeWords(work, organisationId, principalId, name, email)
  }
  await work.db.rows(sql`
    update principal set last_active_at = ${work.now},
      last_sign_in_at = case when ${signedIn} then ${work.now} else last_sign_in_at end
    where id = ${principalId}`)
}
