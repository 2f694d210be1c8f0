import type { Viewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { forbidden } from '../../shared/errors.ts'

/**
 * A session that was begun through a link which an organisation's page received acts in that organisation only: the
 * account itself is none of its business. As *system*.
 *
 * @throws {AppError} `FORBIDDEN` / `POLICY_FORBIDS`.
 */
export async function mustBeOwnSession(
  work: Work,
  viewer: Pick<Viewer, 'sessionId'>,
): Promise<void> {
  const confined = await firstRow(
    work.db,
    sql`select id from session where id = ${viewer.sessionId} and confined_to_id is not null`,
  )
  if (confined)
    throw forbidden(
      'POLICY_FORBIDS',
      'This session acts in one organisation only. Sign in anew, not through a link of its own page, to change the account.',
    )
}
