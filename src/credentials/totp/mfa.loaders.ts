import DataLoader from 'dataloader'
import type { DatabaseContext } from '../../database/context.ts'
import type { ReadIn } from '../../database/loader.ts'
import { sql, type Queries } from '../../database/sql.ts'
import { readPlatform } from '../../tenancy/policies/policy.ts'
import type { MfaFactor } from './mfa.type.ts'

/** What is shown of a factor `f`: never its seed. */
export const FACTOR_COLUMNS = sql`f.id, f.user_id as "userId", 'TOTP' as method, f.name, f.created_at as "createdAt",
  f.last_used_at as "lastUsedAt"`

/** Those that count among factors `f`. */
export const FACTOR_IN_FORCE = sql`f.confirmed_at is not null and f.removed_at is null`

/** In which context accounts are read for one operation. */
export interface Accounts {
  contextOf: (userId: string) => DatabaseContext
  read: (context: DatabaseContext) => Queries
}

/** Batches what is asked of accounts, each read as its owner or as an operator who looks at it. */
export const createMfaLoaders = (_read: ReadIn, { contextOf, read }: Accounts) => {
  const ofAccounts = <Value>(
    load: (queries: Queries, userIds: string[]) => Promise<Map<string, Value>>,
    without: Value,
  ) =>
    new DataLoader<string, Value>(async userIds => {
      const groups = [...Map.groupBy(userIds, userId => JSON.stringify(contextOf(userId))).values()]
      const found = await Promise.all(
        groups.map(some => load(read(contextOf(some[0]!)), [...some])),
      )
      return userIds.map(userId => found.find(each => each.has(userId))?.get(userId) ?? without)
    })
  return {
    factorsOf: ofAccounts<MfaFactor[]>(async (queries, userIds) => {
      const rows = await queries.rows<MfaFactor>(sql`
        select ${FACTOR_COLUMNS} from totp_factor f
        where f.user_id = any(${userIds}::uuid[]) and ${FACTOR_IN_FORCE} order by f.id`)
      return Map.groupBy(rows, row => row.userId)
    }, []),
    recoveryCodesOf: ofAccounts<number>(async (queries, userIds) => {
      const rows = await queries.rows<{ userId: string; left: number }>(sql`
        select c.user_id as "userId", count(*)::int as left from recovery_code c
        where c.user_id = any(${userIds}::uuid[]) and c.used_at is null group by c.user_id`)
      return new Map(rows.map(row => [row.userId, row.left]))
    }, 0),
    /** Whether the platform insists on a second factor. */
    platformInsists: ofAccounts<boolean>(async (queries, userIds) => {
      const { mfaEnabled, mfaRequired } = await readPlatform(queries)
      return new Map(userIds.map(userId => [userId, mfaEnabled && mfaRequired]))
    }, false),
  }
}
