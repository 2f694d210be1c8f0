import { isIPv6 } from 'node:net'
import { firstRow, sql, type Queries, type Sql } from '../../database/sql.ts'
import { rateLimited } from '../../shared/errors.ts'
import { digest } from '../../shared/tokens.ts'

const FIRST_DELAY_SECONDS = 30
const LONGEST_DELAY_SECONDS = 900
/** Guesses from one source on whatever accounts, in multiples of the limit on one account. */
const SOURCE_FACTOR = 20

export interface ThrottleRules {
  /** Guesses before delays set in. */
  limit: number
  windowMinutes: number
}

/** A guess that was paid for in advance. */
export interface ReservedAttempt {
  /** The guess was right: it counts no more, and the count of the account begins anew. */
  handBack(): Promise<void>
}

/**
 * Reserves a guess at `account` from `source` before it is looked at, by one atomic upsert each for the pair and for
 * the source alone, so that parallel guesses cannot outrun the count. Nothing here ever locks the owner out: another
 * source has a count of its own.
 *
 * @param system queries that run as *system*, outside the transaction of the act, so that a refusal keeps the count.
 * @throws {AppError} `RATE_LIMITED` with the seconds to wait.
 */
export async function reserveAttempt(
  system: Queries,
  kind: string,
  account: string,
  source: string,
  rules: ThrottleRules,
  now: Date,
): Promise<ReservedAttempt> {
  const from = sourceOf(source)
  const keys = [digest(`${kind} ${account} ${from}`), digest(`${kind} ${from}`)] as const
  await reserve(system, keys[0], rules.limit, rules.windowMinutes, now)
  await reserve(system, keys[1], rules.limit * SOURCE_FACTOR, rules.windowMinutes, now)
  return {
    handBack: async () => {
      await system.rows(sql`delete from attempt where key = ${keys[0]}`)
      await system.rows(
        sql`update attempt set count = greatest(count - 1, 0), blocked_until = null where key = ${keys[1]}`,
      )
    },
  }
}

/** Counts one more under a key, by one atomic upsert; refused while the delay that this brought about lasts. */
export async function reserve(
  system: Queries,
  key: string,
  limit: number,
  windowMinutes: number,
  now: Date,
) {
  // The delay doubles with every guess beyond the limit, and none is forgotten before it has passed.
  const delay = (count: Sql) => sql`case when ${count} < ${limit}::int then interval '0'
    else make_interval(secs => least(${LONGEST_DELAY_SECONDS}::float8,
      ${FIRST_DELAY_SECONDS}::float8 * power(2, least(${count} - ${limit}::int, 10)))) end`
  const count = sql`(case when a.forgotten_at <= ${now} then 1 else a.count + 1 end)`
  const window = sql`make_interval(mins => ${windowMinutes})`
  // A row that is blocked is left as it is, and then none returns.
  const taken = await system.rows(sql`
    insert into attempt as a (key, count, blocked_until, forgotten_at)
    values (${key}, 1, nullif(${now}::timestamptz + ${delay(sql`1`)}, ${now}),
      ${now}::timestamptz + ${delay(sql`1`)} + ${window})
    on conflict (key) do update set count = ${count},
      blocked_until = nullif(${now}::timestamptz + ${delay(count)}, ${now}),
      forgotten_at = ${now}::timestamptz + ${delay(count)} + ${window}
    where a.blocked_until is null or a.blocked_until <= ${now}
    returning count`)
  if (taken.length) return
  const row = await firstRow<{ seconds: number }>(
    system,
    sql`select ceil(extract(epoch from blocked_until - ${now}::timestamptz))::int as seconds from attempt where key = ${key}`,
  )
  throw rateLimited(Math.max(1, row?.seconds ?? 1))
}

/** The unit that is counted: an IPv4 address, or the /64 that one IPv6 customer usually has. */
export function sourceOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return mapped
  if (!isIPv6(address)) return address
  const [head, tail] = address.split('%')[0]!.split('::') as [string, string?]
  const before = head ? head.split(':') : []
  const after = tail ? tail.split(':') : []
  const missing = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array<string>(Math.max(0, missing)).fill('0'), ...after]
  return `${groups
    .slice(0, 4)
    .map(group => Number.parseInt(group || '0', 16).toString(16))
    .join(':')}::/64`
}
