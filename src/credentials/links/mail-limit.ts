import type { Queries } from '../../database/sql.ts'
import { reserve, sourceOf } from '../throttle/throttle.service.ts'
import { digest } from '../../shared/tokens.ts'

const WINDOW_MINUTES = 60
/** Mails that strangers may have sent to one address before delays set in; they stay below the life of a reset link. */
const MAILS_PER_ADDRESS = 10
/** Mails that one source may ask for, to whatever addresses, before delays set in. */
const MAILS_PER_SOURCE = 100

/**
 * Counts a mail that somebody unknown asks for, per address and per source, before it is known whether an account
 * exists. The delays never outgrow the life of a reset link, so whoever wears the count out for an address leaves its
 * owner with a link that works.
 *
 * @param system queries that run as *system*, outside the transaction of the act.
 * @throws {AppError} `RATE_LIMITED` with the seconds to wait.
 */
export async function reserveMail(
  system: Queries,
  email: string,
  source: string,
  now: Date,
): Promise<void> {
  const from = sourceOf(source)
  await reserve(system, digest(`mail from ${from}`), MAILS_PER_SOURCE, WINDOW_MINUTES, now)
  await reserve(system, digest(`mail to ${email}`), MAILS_PER_ADDRESS, WINDOW_MINUTES, now)
}
