import type { Viewer } from '../../access/viewer.ts'
import { spend } from '../../credentials/throttle/budget.service.ts'
import type { Queries } from '../../database/sql.ts'

/** Many for an import, few for a mill of unwanted mail: each edit sends two. */
const MOST_EDITS_AN_HOUR = 1_000

interface Editing {
  viewer: Viewer | null
  system: Queries
  now: Date
  /** Ends the reads of earlier fields: on PGlite they hold the only connection. */
  close(): Promise<void>
}

/** Counts logins that an organisation is about to edit. @throws {AppError} `RATE_LIMITED`. */
export async function reserveLoginEdits(context: Editing, count: number): Promise<void> {
  const organisationId = context.viewer?.organisationId
  if (!count || !organisationId) return
  await context.close()
  const budget = {
    of: `login edits of ${organisationId}`,
    most: MOST_EDITS_AN_HOUR,
    minutes: 60,
  }
  await spend(context.system, budget, count, context.now)
}
