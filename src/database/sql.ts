import { createHash } from 'node:crypto'
import type { Sql } from 'sql-template-tag'

export { default as sql, join, raw, type Sql } from 'sql-template-tag'

/** One statement whose text numbers its values as `$1`, `$2`, …: what the `sql` tag makes. */
export interface Statement {
  readonly text: string
  readonly values: unknown[]
  /** To be planned anew each time, for which plan is good depends on the values. */
  readonly planAnew?: boolean
  /**
   * To be planned once for each connection, whatever the values: rows are found by their keys, or by an index in the
   * order in which they are asked for. Left to itself, PostgreSQL often plans such a statement anew each time, which
   * costs as much as running it. Heeded in the reads of an operation.
   */
  readonly planOnce?: boolean
}

/**
 * A statement whose text is made once, for what every request asks.
 *
 * @param template with anything in the places of its values.
 */
export function prepared({ text }: Sql): (...values: unknown[]) => Statement {
  return (...values) => ({ text, values })
}

/** A statement of which no plan is kept, for which plan is good depends on the values. */
export const planAnew = ({ text, values }: Sql): Statement => ({ text, values, planAnew: true })

/** Runs statements somewhere: in the read transaction of an operation, in a mutation's, or as *system*. */
export interface Queries {
  rows<Row>(statement: Statement): Promise<Row[]>
}

/** The first row, where at most one is expected. */
export async function firstRow<Row>(
  queries: Queries,
  statement: Statement,
): Promise<Row | undefined> {
  return (await queries.rows<Row>(statement))[0]
}

const MOST_NAMES = 1_000
const names = new Map<string, string>()

/**
 * The name under which PostgreSQL prepares a statement once per connection. The number of names is bounded, for
 * each costs memory on every connection; statements beyond it go unnamed.
 */
export function statementName(text: string): string | undefined {
  const known = names.get(text)
  if (known || names.size >= MOST_NAMES) return known
  const name = `g_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`
  names.set(text, name)
  return name
}
