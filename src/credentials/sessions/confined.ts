import type { Viewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { forbidden, unauthenticated } from '../../shared/errors.ts'

/**
 * A session that was begun through a link which an organisation's page received acts in that organisation only: the
 * account itself is none of its business. One that was ended meanwhile does nothing to it either. As *system*, with the
 * account locked.
 *
 * @param viewer its session; null on a page, where they have just proven themselves.
 * @throws {AppError} `FORBIDDEN` / `POLICY_FORBIDS`, or `UNAUTHENTICATED` / `SESSION_ENDED`.
 */
export async function mustBeOwnSession(
  work: Work,
  viewer: Pick<Viewer, 'sessionId'>,
): Promise<void> {
  const session = await firstRow<{ confined: boolean; ended: boolean }>(
    work.db,
    sql`select confined_to_id is not null as confined, ended_at is not null as ended
      from session where id = ${viewer.sessionId}`,
  )
  if (session?.ended) throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
  if (session?.confined)
    throw forbidden(
      'POLICY_FORBIDS',
      'This session acts in one organisation only. Sign in anew, not through a link of its own page, to change the account.',
    )
}
