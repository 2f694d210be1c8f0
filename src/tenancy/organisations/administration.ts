import type { Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, sql, type Sql } from '../../database/sql.ts'
import { conflict } from '../../shared/errors.ts'

/**
 * Locks an organisation, so that acts which might take its last administrator away run one after the other. To be
 * called before any account or member is locked; what it returns is to be called after the act.
 *
 * @returns sees to it that somebody who can come in still holds `manageUser` and `manageRole`. Throws `CONFLICT` /
 *   `LAST_ADMINISTRATOR`, unless operators had barred the accounts of all of them before.
 */
export async function lockAdministration(
  work: Work,
  organisationId: string,
): Promise<() => Promise<void>> {
  await lockOrganisation(work, organisationId)
  const before = await hasAdministrator(work, organisationId)
  return async () => {
    if (before && !(await hasAdministrator(work, organisationId)))
      throw conflict(
        'LAST_ADMINISTRATOR',
        'The organisation must keep at least one active administrator. Give somebody else that role first.',
      )
  }
}

/** Locks an organisation's row, so that what must not cross runs one after the other. */
export async function lockOrganisation(work: Work, organisationId: string): Promise<void> {
  await work.as(SYSTEM, () =>
    // not `for update`: whoever adds a row that names the organisation need not wait, nor be waited for
    work.db.rows(sql`select id from organisation where id = ${organisationId} for no key update`),
  )
}

/** Asked as *system*, for administrators that the viewer's role hides count too. The account's own standing counts. */
async function hasAdministrator(work: Work, organisationId: string): Promise<boolean> {
  const active = (status: Sql, until: Sql) =>
    sql`(${status} = 'ACTIVE' or (${status} = 'SUSPENDED' and ${until} <= ${work.now}))`
  const one = await work.as(SYSTEM, () =>
    firstRow(
      work.db,
      sql`select m.id from principal m join role r on r.id = m.role_id join user_account u on u.id = m.user_id
        where m.organisation_id = ${organisationId} and m.removed_at is null and u.deleted_at is null
          and m.locked_at is null and u.locked_at is null
          and ${active(sql`m.status`, sql`m.suspended_until`)} and ${active(sql`u.status`, sql`u.suspended_until`)}
          and (r.built_in or r.permissions @> array['manageUser', 'manageRole'])
        limit 1`,
    ),
  )
  return one != null
}
