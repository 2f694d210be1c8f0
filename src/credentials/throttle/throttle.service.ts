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

// A count need not outlive a crash of the whole database, which no guess brings about: nobody waits for the disk. True,
// in a statement that is a transaction by itself; another's would not be safe on disk either.
const UNHURRIED = sql`(select set_config('synchronous_commit', 'off', true)) is not null`

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
 * Reserves a guess at `account` from `source` before it is looked at, by one atomic upsert for the pair and for the
 * source alone, so that parallel guesses cannot outrun the count. Nothing here ever locks the owner out: another
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
  const pair = digest(`${kind} ${account} ${from}`)
  const all = digest(`source ${from}`)
  const { limit, windowMinutes } = rules
  const budgets = [
    { key: pair, limit },
    { key: all, limit: limit * SOURCE_FACTOR },
  ]
  await reserveEach(system, budgets, windowMinutes, now)
  return {
    keys: [pair, all],
    // the pair first, as everybody locks them: the count is asked for before the row of the source is written
    handBack: async () => {
      await system.rows(sql`
        with begun_anew as (delete from attempt where key = ${pair} returning key)
        update attempt set count = greatest(count - 1, 0), blocked_until = null
        where key = ${all} and (select count(*) from begun_anew) >= 0 and ${UNHURRIED}`)
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
  const [count] = await reserveEach(system, [{ key, limit }], windowMinutes, now, fixed)
  return count!
}

/** What is counted under a key, and after how many delays set in. */
interface Counted {
  key: string
  limit: number
}

/** Counts one more under several keys at once, locked in the order given: under all of them or under none. */
async function reserveEach(
  system: Queries,
  counted: Counted[],
  windowMinutes: number,
  now: Date,
  fixed = false,
): Promise<number[]> {
  const keys = counted.map(({ key }) => key)
  const limits = counted.map(({ limit }) => limit)
  const limit = sql`(${limits}::int[])[array_position(${keys}::text[], a.key)]`
  // The delay doubles with every guess beyond the limit, and none is forgotten before it has passed.
  const delay = (count: Sql, most: Sql) => sql`case when ${count} < ${most} then interval '0'
    else make_interval(secs => least(${LONGEST_DELAY_SECONDS}::float8,
      ${FIRST_DELAY_SECONDS}::float8 * power(2, least(${count} - ${most}, 10)))) end`
  const first = delay(sql`1`, sql`k.most`)
  const count = sql`(case when a.forgotten_at <= ${now} then 1 else a.count + 1 end)`
  const window = sql`make_interval(mins => ${windowMinutes})`
  // An indexed moment that stands still for a while: a row that is counted in often is then written in place.
  const forgotten = (lasting: Sql) =>
    sql`date_bin('10 s', ${now}::timestamptz + ${lasting} + ${window} + interval '10 s', 'epoch')`
  // A row that is blocked is left as it is, and then it does not return.
  const taken = await system.rows<{ key: string; count: number }>(sql`
    insert into attempt as a (key, count, blocked_until, forgotten_at)
    select k.key, 1, nullif(${now}::timestamptz + ${first}, ${now}), ${forgotten(first)}
    from unnest(${keys}::text[], ${limits}::int[]) with ordinality as k (key, most, place)
    where ${UNHURRIED} order by k.place
    on conflict (key) do update set count = ${count},
      blocked_until = nullif(${now}::timestamptz + ${delay(count, limit)}, ${now}),
      forgotten_at = case when ${fixed} and a.forgotten_at > ${now}
        then greatest(a.forgotten_at, ${now}::timestamptz + ${delay(count, limit)})
        else ${forgotten(delay(count, limit))} end
    where a.blocked_until is null or a.blocked_until <= ${now}
    returning key, count`)
  if (taken.length === keys.length)
    return keys.map(key => taken.find(row => row.key === key)!.count)
  for (const { key } of taken) await giveBack(system, key)
  const row = await firstRow<{ seconds: number }>(
    system,
    sql`select ceil(extract(epoch from max(blocked_until) - ${now}::timestamptz))::int as seconds
      from attempt where key = any(${keys}::text[])`,
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
