import { isIPv6 } from 'node:net'
import { firstRow, sql, type Queries, type Sql } from '../../database/sql.ts'
import { rateLimited } from '../../shared/errors.ts'
import { digest } from '../../shared/tokens.ts'

const FIRST_DELAY_SECONDS = 30
const LONGEST_DELAY_SECONDS = 900
/** Guesses from one source on whatever accounts, in multiples of the limit on one account. */
const SOURCE_FACTOR = 20
const SECOND_FACTOR = 'second factor'
/** Guesses at the second factor of one account, from wherever, before delays set in. */
const CODES_A_DAY = 20
const DAY_MINUTES = 1_440

export interface ThrottleRules {
  /** Guesses before delays set in. */
  limit: number
  windowMinutes: number
}

/** A guess that was paid for in advance. */
export interface ReservedAttempt {
  /** The guess was right: it counts no more, and the count of the account from this source begins anew. */
  handBack(): Promise<void>
}

/**
 * Reserves a guess at `account` from `source` before it is looked at, by one atomic upsert each for the pair and for
 * the source alone, so that parallel guesses cannot outrun the count. Nothing here ever locks the owner out: another
 * source has a count of its own. Guesses of every kind share the count of their source.
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
): Promise<ReservedAttempt & { keys: readonly string[] }> {
  const from = sourceOf(source)
  const keys = [digest(`${kind} ${account} ${from}`), digest(`source ${from}`)] as const
  const { limit, windowMinutes } = rules
  await reserve(system, keys[0], limit, windowMinutes, now)
  await reserve(system, keys[1], limit * SOURCE_FACTOR, windowMinutes, now)
  return {
    keys,
    handBack: async () => {
      await system.rows(sql`
        with begun_anew as (delete from attempt where key = ${keys[0]})
        update attempt set count = greatest(count - 1, 0), blocked_until = null where key = ${keys[1]}`)
    },
  }
}

/** A guess at a second factor; `last` where it was the one that used the budget of the account up. */
export interface ReservedCode extends ReservedAttempt {
  last: boolean
  /** The guess was not looked at after all. */
  release(): Promise<void>
}

/**
 * Reserves a guess at the second factor of an account: like any other, and besides within one budget of the account,
 * whatever the source and whichever challenge or step-up it is for. Beyond it every guess waits.
 *
 * @throws {AppError} `RATE_LIMITED` with the seconds to wait.
 */
export async function reserveCode(
  system: Queries,
  userId: string,
  source: string,
  rules: ThrottleRules,
  now: Date,
): Promise<ReservedCode> {
  const attempt = await reserveAttempt(system, SECOND_FACTOR, userId, source, rules, now)
  const key = digest(`${SECOND_FACTOR} ${userId}`)
  const release = async (keys: readonly string[]) => {
    for (const paid of keys) await giveBack(system, paid)
  }
  const count = await reserve(system, key, CODES_A_DAY, DAY_MINUTES, now, true).catch(
    async error => {
      await release(attempt.keys)
      throw error
    },
  )
  return {
    last: count === CODES_A_DAY,
    release: () => release([...attempt.keys, key]),
    handBack: async () => {
      await attempt.handBack()
      await giveBack(system, key)
    },
  }
}

const giveBack = (system: Queries, key: string) =>
  system.rows(
    sql`update attempt set count = greatest(count - 1, 0), blocked_until = null where key = ${key}`,
  )

/**
 * Counts one more under a key, by one atomic upsert, and says which it is; refused while the delay that this brought
 * about lasts.
 *
 * @param fixed whether the window begins with the first; otherwise each begins it anew.
 * @throws {AppError} `RATE_LIMITED` with the seconds to wait.
 */
export async function reserve(
  system: Queries,
  key: string,
  limit: number,
  windowMinutes: number,
  now: Date,
  fixed = false,
): Promise<number> {
  // The delay doubles with every guess beyond the limit, and none is forgotten before it has passed.
  const delay = (count: Sql) => sql`case when ${count} < ${limit}::int then interval '0'
    else make_interval(secs => least(${LONGEST_DELAY_SECONDS}::float8,
      ${FIRST_DELAY_SECONDS}::float8 * power(2, least(${count} - ${limit}::int, 10)))) end`
  const count = sql`(case when a.forgotten_at <= ${now} then 1 else a.count + 1 end)`
  const window = sql`make_interval(mins => ${windowMinutes})`
  // A row that is blocked is left as it is, and then none returns.
  const taken = await system.rows<{ count: number }>(sql`
    insert into attempt as a (key, count, blocked_until, forgotten_at)
    values (${key}, 1, nullif(${now}::timestamptz + ${delay(sql`1`)}, ${now}),
      ${now}::timestamptz + ${delay(sql`1`)} + ${window})
    on conflict (key) do update set count = ${count},
      blocked_until = nullif(${now}::timestamptz + ${delay(count)}, ${now}),
      forgotten_at = case when ${fixed} and a.forgotten_at > ${now}
        then greatest(a.forgotten_at, ${now}::timestamptz + ${delay(count)})
        else ${now}::timestamptz + ${delay(count)} + ${window} end
    where a.blocked_until is null or a.blocked_until <= ${now}
    returning count`)
  if (taken[0]) return taken[0].count
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
