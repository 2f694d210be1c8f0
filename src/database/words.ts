import { searchWords } from '../shared/normalise.ts'
import { firstRow, join, sql, type Queries, type Sql } from './sql.ts'
import {
  beginsWith,
  inRange,
  isSpelledInFewWays,
  spelled,
  type Stretch,
  type WordTable,
} from './word-pages.ts'

const MOST_WORDS = 8
/** As many rows as are gathered without a thought. */
const FEW = 3_000

/** What a text asks of the rows of a list: for each of its words one that begins with it. */
export interface Search {
  /** True where so many rows may have them that they are looked for on the way through the list first. */
  frequent: boolean
  /** Asked of one row after the other. */
  asked: Sql[]
  /** The same from the words' side: those who have the rarest of them, or all of them. */
  gathered: Sql[]
  /**
   * The ids of a page with their sort keys, as `id` and `sortKey`, from the words alone. Null where the words do not
   * know what the list is sorted by.
   */
  page: ((stretch: Stretch) => Sql) | null
  /** True where that reads hardly more than the page takes: all rows of a rare word, or the first of each that many have. */
  quick: boolean
}

/** Finds out how to look for a text; null where there is none. A text without any word matches nothing. */
export async function searchFor(
  queries: Queries,
  words: WordTable,
  text: string | null | undefined,
): Promise<Search | null> {
  if (!text) return null
  const wanted = searchWords(text).slice(0, MOST_WORDS)
  if (!wanted.length)
    return { frequent: false, asked: [], gathered: [sql`false`], page: null, quick: false }
  const { table, of, within, id } = words
  const having = wanted.map(word => sql`from ${table} w where ${within} and ${beginsWith(word)}`)
  const counts = await countFew(queries, having)
  const rarest = counts.indexOf(Math.min(...counts))
  const frequent = counts[rarest] === FEW
  const others = <Item>(items: Item[]) => items.filter((_, index) => index !== rarest)
  const asked = having.map(some => sql`exists (select ${some} and w.${of} = ${id})`)
  const ids = frequent
    ? join(
        having.map(some => sql`select w.${of} ${some}`),
        ' intersect ',
      )
    : sql`select distinct w.${of} ${having[rarest]!}`
  const led = { ...words, lead: wanted[rarest]!, others: others(wanted) }
  const followed = words.sort != null && frequent && (await isSpelledInFewWays(queries, led))
  return {
    frequent,
    asked,
    gathered: [sql`${id} = any(array(${ids}))`, ...(frequent ? [] : others(asked))],
    page: words.sort && (stretch => (followed ? spelled(led, stretch) : inRange(led, stretch))),
    quick: !frequent || followed,
  }
}

/** How many rows have each word, as far as that is few. */
async function countFew(queries: Queries, having: Sql[]): Promise<number[]> {
  const counted = having.map(
    // in order, for else the whole table may be read until there are enough
    some => sql`(select count(*)::int from (select ${some} order by w.word limit ${FEW}) as few)`,
  )
  const row = await firstRow<{ counts: number[] }>(
    queries,
    sql`select array[${join(counted)}] as counts`,
  )
  return row?.counts ?? []
}
