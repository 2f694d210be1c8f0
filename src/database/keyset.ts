import { readCursor, type ListIdentity } from '../shared/cursor.ts'
import { afterPrefix, fold } from '../shared/normalise.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../shared/page.ts'
import type { KeyRing } from '../shared/seal.ts'
import { firstRow, join, planAnew, raw, sql, type Queries, type Sql } from './sql.ts'
import type { Search } from './words.ts'

/**
 * Narrows a list to folded names that begin with a text: a range of the C collation, which keeps its index under
 * row-level security where `like` would lose it.
 */
export function beginning(column: Sql, text: string | null | undefined): Sql {
  const start = text ? fold(text.trim()) : ''
  return start ? sql`${column} >= ${start} and ${column} < ${afterPrefix(start)}` : sql`true`
}

/**
 * What a list is narrowed by. Which rows that leaves, and where in the order they stand, no statistics tell: searched
 * for a first name, a list by name has them all in one place. So the list is walked in its order for a while, which is
 * enough wherever there are many; else all that is left is gathered and sorted.
 */
export interface Narrowing {
  /** The table of the list, as `from` names it, such as `principal m`. */
  table: Sql
  by: Sql[]
  search?: Search | null
  /** True where few rows can be left, as those with some addresses: they are gathered at once. */
  few?: boolean
}

/** A list that is read page by page, each from where the one before ended. */
export interface KeysetList<Row> {
  queries: Queries
  ring: KeyRing
  /** What the list is: a cursor is good for this one alone. */
  list: ListIdentity
  args: PageArgs
  /** The select list. */
  select: Sql
  /** `from … where …`, to which the position is added. */
  from: Sql
  /** The column of the row's id, such as `m.id`. */
  id: Sql
  /** What it is sorted by before the id; without it by the id alone, and so by time. */
  sort?: { column: Sql; type: 'text' | 'timestamptz'; key: (row: Row) => string }
  descending?: boolean
  /** True where an index begins with what `from` asks and goes on in the order of the list: it is planned once. */
  indexed?: boolean
  /** What is asked of the rows of `from` besides, by a search and filters. */
  narrowed?: Narrowing | null
  /** Adds what a stored row implies. */
  shape?: (row: Row) => Row
}

/** How many rows of the list are walked. */
const WALK = 1_000

/** One page. The order ends with the id, so that equal sort keys do not make rows appear twice or not at all. */
export async function readPage<Row extends { id: string }>(
  options: KeysetList<Row>,
): Promise<Page<Row>> {
  const { ring, list, args, sort, shape } = options
  const rows = await readRows(options, pageSize(args) + 1)
  return pageOf({
    ring,
    list,
    args,
    rows: shape ? rows.map(shape) : rows,
    position: row => ({ key: sort?.key(row) ?? '', id: row.id }),
    count: () => countRows(options),
  })
}

async function readRows<Row>(options: KeysetList<Row>, limit: number): Promise<Row[]> {
  const { queries, ring, list, args, select, from, id, sort, descending, indexed, narrowed } =
    options
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const direction = raw(descending ? 'desc' : 'asc')
  const beyond = raw(descending ? '<' : '>')
  const position = (key: Sql, unique: Sql): Sql => {
    if (!after) return sql``
    return sort
      ? sql`and (${key}, ${unique}) ${beyond} (${after.key}::${raw(sort.type)}, ${after.id}::uuid)`
      : sql`and ${unique} ${beyond} ${after.id}::uuid`
  }
  const key = sort?.column ?? id
  const sorted = sql`${from} ${position(key, id)}
    order by ${sort ? sql`${key} ${direction}, ` : sql``}${id} ${direction}`
  if (!narrowed) {
    const { text, values } = sql`select ${select} ${sorted} limit ${limit}`
    return queries.rows<Row>({ text, values, planOnce: indexed })
  }

  const { table, by, search, few } = narrowed
  // looked up one after the other, so that no more are read than are walked
  const rowsOf = (near: Sql, conditions: Sql[] = []) => sql`
    select found.* from (${near}) as near cross join lateral (
      select ${select} from ${table} where ${id} = near.id and ${all(conditions)} limit 1) as found
    order by near."sortKey" ${direction}, near.id ${direction}`
  const page = (near: Sql, conditions: Sql[] = []) =>
    sql`${rowsOf(near, conditions)} limit ${limit}`
  const ofWords = search?.page && rowsOf(search.page({ position, direction, limit }))
  if (ofWords && search.quick) return queries.rows<Row>(search.kept ? ofWords : planAnew(ofWords))
  if (search ? search.frequent : !few) {
    const near = sql`select ${id} as id, ${key} as "sortKey" ${sorted} limit ${WALK}`
    const walked = page(near, [...by, ...(search?.asked ?? [])])
    const rows = await queries.rows<Row>(planAnew(walked))
    if (rows.length === limit) return rows
  }
  // `offset 0` keeps the order out of the plan: the rows are found by what narrows them
  const gathered = page(sql`select ${id} as id, ${key} as "sortKey" ${from}
    and ${all([...by, ...(search?.gathered ?? [])])} ${position(key, id)} offset 0`)
  return queries.rows<Row>(planAnew(ofWords ?? gathered))
}

/** How many rows the list holds. */
async function countRows<Row>({ queries, from, narrowed }: KeysetList<Row>): Promise<number> {
  const count = narrowed
    ? sql`select count(*)::int as count ${from} and ${all([...narrowed.by, ...(narrowed.search?.gathered ?? [])])}`
    : sql`select count(*)::int as count ${from}`
  const row = await firstRow<{ count: number }>(queries, narrowed ? planAnew(count) : count)
  return row?.count ?? 0
}

const all = (conditions: Sql[]): Sql => (conditions.length ? join(conditions, ' and ') : sql`true`)
