import { readCursor, type ListIdentity } from '../shared/cursor.ts'
import { afterPrefix, fold } from '../shared/normalise.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../shared/page.ts'
import type { KeyRing } from '../shared/seal.ts'
import { firstRow, raw, sql, type Queries, type Sql, type Statement } from './sql.ts'

/**
 * Narrows a list to folded names that begin with a text: a range of the C collation, which keeps its index under
 * row-level security where `like` would lose it.
 */
export function beginning(column: Sql, text: string | null | undefined): Sql {
  const start = text ? fold(text.trim()) : ''
  return start ? sql`and ${column} >= ${start} and ${column} < ${afterPrefix(start)}` : sql``
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
  /** True where a search or a filter decides which index is best: the statement is planned for its very values. */
  narrowed?: boolean
  /** Adds what a stored row implies. */
  shape?: (row: Row) => Row
}

/** One page. The order ends with the id, so that equal sort keys do not make rows appear twice or not at all. */
export async function readPage<Row extends { id: string }>(
  options: KeysetList<Row>,
): Promise<Page<Row>> {
  const {
    queries,
    ring,
    list,
    args,
    select,
    from,
    id,
    sort,
    descending = false,
    narrowed,
    shape,
  } = options
  const size = pageSize(args)
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const direction = raw(descending ? 'desc' : 'asc')
  const order = sort
    ? sql`${sort.column} ${direction}, ${id} ${direction}`
    : sql`${id} ${direction}`
  const beyond = raw(descending ? '<' : '>')
  const position = !after
    ? sql``
    : sort
      ? sql`and (${sort.column}, ${id}) ${beyond} (${after.key}::${raw(sort.type)}, ${after.id}::uuid)`
      : sql`and ${id} ${beyond} ${after.id}::uuid`
  const page = sql`select ${select} ${from} ${position} order by ${order} limit ${size + 1}`
  const rows = await queries.rows<Row>(narrowed ? planAnew(page) : page)
  return pageOf({
    ring,
    list,
    args,
    rows: shape ? rows.map(shape) : rows,
    position: row => ({ key: sort?.key(row) ?? '', id: row.id }),
    count: () => countRows(queries, from, narrowed),
  })
}

/** How many rows `from … where …` holds. */
async function countRows(queries: Queries, from: Sql, narrowed = false): Promise<number> {
  const count = sql`select count(*)::int as count ${from}`
  const row = await firstRow<{ count: number }>(queries, narrowed ? planAnew(count) : count)
  return row?.count ?? 0
}

const planAnew = ({ text, values }: Sql): Statement => ({ text, values, planAnew: true })
