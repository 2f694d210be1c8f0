import { sql, type Sql } from '../../database/sql.ts'
import type { AccessStatus } from './user.type.ts'

/**
 * Narrows rows with `status` and `suspended_until` to some statuses. A suspension lifts by itself at its moment, so
 * those whose moment has come count as active. The stored status is compared by itself, so that few are found by an
 * index.
 *
 * @param table such as `m`.
 */
export function hasStatus(table: Sql, statuses: readonly AccessStatus[], now: Date): Sql {
  const [active, suspended] = [statuses.includes('ACTIVE'), statuses.includes('SUSPENDED')]
  const stored = active && !suspended ? [...statuses, 'SUSPENDED'] : statuses
  const named =
    stored.length === 1
      ? sql`${table}.status = ${stored[0]}`
      : sql`${table}.status = any(${stored}::text[])`
  if (active === suspended) return named
  const lifted = sql`${table}.status = 'SUSPENDED' and ${table}.suspended_until <= ${now}`
  return active
    ? sql`${named} and (${table}.status <> 'SUSPENDED' or ${lifted})`
    : sql`${named} and (${lifted}) is not true`
}
