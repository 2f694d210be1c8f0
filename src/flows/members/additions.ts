import { must, type Viewer } from '../../access/viewer.ts'
import { spend } from '../../credentials/throttle/budget.service.ts'
import type { Queries } from '../../database/sql.ts'

/** People that an organisation may add or invite in an hour: many for an import, few for a mill of unwanted mail. */
export const MOST_ADDITIONS_AN_HOUR = 5_000

/** What the limit looks at; the whole context is larger. */
interface Adding {
  viewer: Viewer | null
  system: Queries
  now: Date
  close(): Promise<void>
  /** Where the request is repeated, nobody is added by it. */
  once: { repeated: boolean } | null
}

/**
 * Runs an act that adds people, within what the organisation may add in an hour. What was not added after all counts
 * for nothing.
 *
 * @param added how many were.
 * @throws {AppError} `RATE_LIMITED`.
 */
export async function withinHourlyLimit<Result>(
  context: Adding,
  wanted: number,
  act: () => Promise<Result>,
  added: (result: Result) => number = () => wanted,
): Promise<Result> {
  const { organisationId } = must(context.viewer, 'manageUser')
  await context.close() // the reads of earlier fields: on PGlite they hold the only connection
  const budget = { of: `additions to ${organisationId}`, most: MOST_ADDITIONS_AN_HOUR, minutes: 60 }
  const spent = await spend(context.system, budget, wanted, context.now)
  let used = 0
  try {
    const result = await act()
    used = context.once?.repeated ? 0 : added(result)
    return result
  } finally {
    await spent.giveBack(wanted - used)
  }
}
