import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { PLATFORM } from '../../outbox/events/event.service.ts'

const BATCH = 1_000
const DAY_MS = 86_400_000
/** Months that are made ahead. */
const AHEAD = '3 months'

const countOf = async (system: Queries, statement: ReturnType<typeof sql>): Promise<number> =>
  (await firstRow<{ count: number }>(system, statement))?.count ?? 0

/** Makes the partitions of this month and of those to come; what came without one is moved into its own. */
export async function makeMonths(system: Queries, now: Date): Promise<void> {
  await system.rows(
    sql`select app_make_event_months(${now}::timestamptz, ${now}::timestamptz + ${AHEAD}::interval)`,
  )
}

/**
 * Drops events that are older than so many days: whole months at once, the rest in batches. What was not sealed stays,
 * and so does what is younger than a day by the clock of the database, which takes no other word for it.
 * Seals of which nothing is left go too, up to a checkpoint from which verification goes on.
 *
 * @returns how many months, events besides, and seals were dropped.
 */
export async function dropOldEvents(
  system: Queries,
  now: Date,
  days: number,
  signal: AbortSignal,
): Promise<{ months: number; events: number; seals: number }> {
  const before = sql`least(${new Date(now.getTime() - days * DAY_MS)}::timestamptz, now() - interval '24 hours')`
  const months = await countOf(system, sql`select app_drop_event_months(${before}) as count`)
  let events = 0
  for (let last = BATCH; last === BATCH; events += last) {
    signal.throwIfAborted()
    last = await countOf(system, sql`select app_drop_events(${before}, ${BATCH}) as count`)
  }
  let seals = 0
  const chains = await system.rows<{ chain: string }>(sql`
    select distinct s.chain from event_seal s join event_chain c on c.chain = s.chain
    where s.newest < (select kept_since from event_chain where chain = ${PLATFORM}) and s.number < c.number`)
  for (const { chain } of chains) {
    signal.throwIfAborted()
    seals += await countOf(system, sql`select app_drop_seals(${chain}) as count`)
  }
  return { months, events, seals }
}
