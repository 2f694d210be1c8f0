import { searchWords } from '../shared/normalise.ts'
import { firstRow, join, sql, type Queries, type Sql } from './sql.ts'
import {
  beginsWith,
  inRange,
  isSpelledInFewWays,
  spelled,
  type Led,
  type Stretch,
} from './word-pages.ts'

const MOST_WORDS = 8
/** As many rows as are gathered without a thought. */
const FEW = 2_000

/** A table of folded words in the C collation, where the beginning of a word is a range. */
export interface WordTable {
  /** Such as `member_word`, which is called `w`. */
  table: Sql
  /** The column that names what has the word. */
  of: Sql
  /** The column of the list that is named so. */
  id: Sql
  /** What the word has to lie in, such as an organisation. */
  within: Sql
  /** The column with all words of the same, a blank before each; null where they are long. */
  all?: Sql
  /** The column that holds what the list is sorted by; null where none does. */
  sort: Sql | 'id' | null
}

/** What a text asks of the rows of a list: for each of its words one that begins with it. */
export interface Search {
  /** True where so many rows may have them that they are looked for on the way through the list first. */
  frequent: boolean
  /** Asked of one row after the other. */
  asked: Sql[]
  /** The same from the words' side: those who have the rarest of them, or all of them. */
  gathered: Sql[]
  /**
   * The ids of a page with their sort keys, as `id` and `sortKey`, from the words alone: each word has its rows in the
   * order of the list, so that hardly more are read than a page takes. Null where that cannot be.
   */
  page: ((stretch: Stretch) => Sql) | null
}

/** Finds out how to look for a text; null where there is none. A text without any word matches nothing. */
export async function searchFor(
  queries: Queries,
  words: WordTable,
  text: string | null | undefined,
): Promise<Search | null> {
  if (!text) return null
  const wanted = searchWords(text).slice(0, MOST_WORDS)
  if (!wanted.length) return { frequent: false, asked: [], gathered: [sql`false`], page: null }
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
  return {
    frequent,
    asked,
    gathered: [sql`${id} = any(array(${ids}))`, ...(frequent ? [] : others(asked))],
    page: await pageBy(
      queries,
      { ...words, lead: wanted[rarest]!, others: others(wanted) },
      frequent,
    ),
  }
}

/** How many rows have each word, as far as that is few. */
async function countFew(queries: Queries, having: Sql[]): Promise<number[]> {
  const counted = having.map(
    some => sql`(select count(*)::int from (select ${some} limit ${FEW}) as few)`,
  )
  const row = await firstRow<{ counts: number[] }>(
    queries,
    sql`select array[${join(counted)}] as counts`,
  )
  return row?.counts ?? []
}

async function pageBy(queries: Queries, led: Led, frequent: boolean): Promise<Search['page']> {
  if (!led.sort) return null
  if (!frequent) return stretch => inRange(led, stretch)
  return (await isSpelledInFewWays(queries, led)) ? stretch => spelled(led, stretch) : null
}
