import type { Work } from '../../access/work.ts'
import { isActive, type Status } from '../../credentials/callers/standing.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { isId } from '../../shared/tokens.ts'

/** The page of an application that signs people in by mailed links. */
export interface SignInPage {
  signInUrl: string
  projectId: string
  name: string
  organisationId: string
  organisation: string
}

/**
 * The sign-in page of a project that an account can enter as things stand; as *system*. Null for any other project: its
 * organisation is to receive no link of people who are strangers there.
 */
export async function findSignInPage(
  work: Work,
  userId: string,
  projectId: string,
): Promise<SignInPage | null> {
  if (!isId(projectId)) return null
  const found = await firstRow<SignInPage & Status>(
    work.db,
    sql`select p.sign_in_url as "signInUrl", p.id as "projectId", p.name, o.id as "organisationId",
        o.name as organisation, m.status, m.suspended_until as "suspendedUntil"
      from project p
      join organisation o on o.id = p.organisation_id and o.deleted_at is null and o.suspended_at is null
      join principal m on m.organisation_id = o.id and m.user_id = ${userId} and m.removed_at is null
        and m.locked_at is null
      join role r on r.id = m.role_id
      join user_account u on u.id = m.user_id
      where p.id = ${projectId} and p.deleted_at is null and p.sign_in_url is not null
        and (u.proven_at is not null or m.vouched or m.unproven_project_id = p.id)
        and (r.built_in or exists (
          select from project_access a where a.project_id = p.id and a.principal_id = m.id))`,
  )
  return found && isActive(found, work.now) ? found : null
}
