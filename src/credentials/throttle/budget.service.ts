import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { rateLimited } from '../../shared/errors.ts'
import { digest } from '../../shared/tokens.ts'

export interface Budget {
  /** What is counted, such as additions to an organisation. */
  of: string
  most: number
  /** After these minutes the count begins anew. */
  minutes: number
}

/** What was taken from a budget in advance. */
export interface Spent {
  /** Gives back what was not used after all. */
  giveBack(unused: number): Promise<void>
}

/**
 * Takes from a budget before the act, by one atomic upsert, so that acts at once cannot outrun it.
 *
 * @param system queries that run as *system*, outside the transaction of the act.
 * @throws {AppError} `RATE_LIMITED` with the seconds until the count begins anew.
 */
export async function spend(
  system: Queries,
  { of, most, minutes }: Budget,
  wanted: number,
  now: Date,
): Promise<Spent> {
  const key = digest(of)
  const end = new Date(now.getTime() + minutes * 60_000)
  // where the budget does not suffice the row stays as it is, and then none returns
  const taken =
    wanted <= most &&
    (await firstRow(
      system,
      sql`insert into attempt as a (key, count, forgotten_at) values (${key}, ${wanted}, ${end})
        on conflict (key) do update set
          count = case when a.forgotten_at <= ${now} then ${wanted}::int else a.count + ${wanted}::int end,
          forgotten_at = case when a.forgotten_at <= ${now} then ${end}::timestamptz else a.forgotten_at end
        where a.forgotten_at <= ${now} or a.count + ${wanted}::int <= ${most}::int
        returning count`,
    ))
  if (!taken) {
    const row = await firstRow<{ seconds: number }>(
      system,
      sql`select ceil(extract(epoch from forgotten_at - ${now}::timestamptz))::int as seconds from attempt where key = ${key}`,
    )
    throw rateLimited(Math.max(1, row?.seconds ?? minutes * 60))
  }
  return {
    giveBack: async unused => {
      if (unused > 0)
        await system.rows(
          sql`update attempt set count = greatest(count - ${unused}::int, 0) where key = ${key}`,
        )
    },
  }
}
