import type { Person } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql, type Sql } from '../../database/sql.ts'
import { isId } from '../../shared/tokens.ts'

/** A project that a person can enter, and the membership that leads there. */
export interface Entry {
  projectId: string
  organisationId: string
}

/** Where a project of one's own lies; as *system*. Null for one that the person cannot enter. */
export async function findEntry(
  work: Work,
  person: Person,
  projectId: string,
): Promise<Entry | null> {
  if (!isId(projectId)) return null
  const entry = await firstRow<Entry>(
    work.db,
    sql`select p.id as "projectId", p.organisation_id as "organisationId" from project p
      join principal m on m.organisation_id = p.organisation_id and m.user_id = ${person.userId} and m.removed_at is null
      join role r on r.id = m.role_id
      where p.id = ${projectId} and p.deleted_at is null and (r.built_in or exists (
        select from project_access a where a.project_id = p.id and a.principal_id = m.id))`,
  )
  return entry ?? null
}

/**
 * The project that lets a membership `m` in although its address is unproven, where it is still there and the member
 * still has a place in it.
 */
export const UNPROVEN_PROJECT: Sql = sql`(select p.id from project p join project_access a on a.project_id = p.id
  and a.principal_id = m.id where p.id = m.unproven_project_id and p.deleted_at is null)`
