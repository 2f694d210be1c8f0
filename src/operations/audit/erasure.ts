import { firstRow, sql, type Queries } from '../../database/sql.ts'

const BATCH = 500
const DAY_MS = 86_400_000

/** Erases what the trail tells of somebody whose account was deleted, as actor and as target, in batches. */
export async function eraseFromEvents(
  system: Queries,
  userId: string,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const row = await firstRow<{ count: number }>(
      system,
      sql`select app_erase_from_events(${userId}, ${BATCH}) as count`,
    )
    if (!row?.count) return
  }
}

/** The same for all who were deleted lately: what they had under way may have been committed after they were gone. */
export async function eraseLatecomers(
  system: Queries,
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  const people = await system.rows<{ id: string }>(
    sql`select id from user_account where deleted_at > ${new Date(now.getTime() - DAY_MS)}`,
  )
  for (const { id } of people) await eraseFromEvents(system, id, signal)
}
