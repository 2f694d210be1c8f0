import type { Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { conflict } from '../../shared/errors.ts'

/**
 * Locks an organisation, so that acts which might take its last administrator away run one after the other. To be
 * called before any member's row is locked.
 */
export async function lockAdministration(work: Work, organisationId: string): Promise<void> {
  await work.as(SYSTEM, () =>
    work.db.rows(sql`select id from organisation where id = ${organisationId} for update`),
  )
}

/**
 * Sees to it that somebody active and unlocked still holds `manageUser` and `manageRole`, after the act and under the
 * lock of `lockAdministration`. Asked as *system*, for administrators that the viewer's role hides count too.
 *
 * @throws {AppError} `CONFLICT` / `LAST_ADMINISTRATOR`.
 */
export async function keepAdministrator(work: Work, organisationId: string): Promise<void> {
  const left = await work.as(SYSTEM, () =>
    firstRow(
      work.db,
      sql`select m.id from principal m join role r on r.id = m.role_id
        where m.organisation_id = ${organisationId} and m.kind = 'MEMBER' and m.removed_at is null
          and m.locked_at is null
          and (m.status = 'ACTIVE' or (m.status = 'SUSPENDED' and m.suspended_until <= ${work.now}))
          and (r.built_in or r.permissions @> array['manageUser', 'manageRole'])
        limit 1`,
    ),
  )
  if (!left)
    throw conflict(
      'LAST_ADMINISTRATOR',
      'The organisation must keep at least one active administrator. Give somebody else that role first.',
    )
}
