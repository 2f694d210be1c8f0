import { afterPrefix, searchWords } from '../shared/normalise.ts'
import { join, raw, sql, type Queries, type Sql } from './sql.ts'
import {
  followed,
  gathered,
  inRange,
  unseen,
  type Stretch,
  type Wanted,
  type WordTable,
} from './word-pages.ts'

const MOST_WORDS = 8
/** Texts of more words are asked seldom: each makes a statement of its own, and what is kept of those is bounded. */
const MOST_WORDS_KEPT = 3
/** Words with one beginning that are followed side by side. */
const MOST_SPELLINGS = 100
/** As many rows as are gathered without a thought. */
const FEW = 3_000
/** The same where the alternative is to follow a few words. */
const FEW_TO_FOLLOW = 200

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
  /** True for the usual number of words: the plan of their page is kept. */
  kept: boolean
}

/** Finds out how to look for a text; null where there is none. A text without any word matches nothing. */
export async function searchFor(
  queries: Queries,
  words: WordTable,
  text: string | null | undefined,
): Promise<Search | null> {
  if (!text) return null
  const texts = searchWords(text).slice(0, MOST_WORDS)
  if (!texts.length)
    return {
      frequent: false,
      asked: [],
      gathered: [sql`false`],
      page: null,
      quick: false,
      kept: false,
    }
  const wanted = (await survey(queries, words, texts)) as [Wanted, ...Wanted[]]
  const [rarest, ...others] = wanted
  const frequent = rarest.rows === FEW
  const { table, of, within, id, sort } = words
  const having = ({ word }: Wanted) => sql`from ${table} w
    where ${within} and w.word >= ${word} and w.word < ${afterPrefix(word)}`
  const asked = (some: Wanted[]) =>
    some.map(each => sql`exists (select ${having(each)} and w.${of} = ${id})`)
  const ids = frequent
    ? join(
        wanted.map(each => sql`select w.${of} ${having(each)}`),
        ' intersect ',
      )
    : sql`select distinct w.${of} ${having(rarest)}`
  const page = !frequent ? gathered : wanted.some(each => each.spellings) ? followed : inRange
  return {
    frequent,
    asked: asked(wanted),
    gathered: [sql`${id} = any(array(${ids}))`, ...(frequent ? [] : asked(others))],
    page: sort && (stretch => page(words, wanted, stretch)),
    quick: page !== inRange,
    kept: texts.length <= MOST_WORDS_KEPT,
  }
}

/**
 * What there is of each word, the rarest first. Rows are counted in order, for else the whole table may be read until
 * there are enough. The words that begin with it are found by a step from one to the next.
 */
async function survey(queries: Queries, words: WordTable, texts: string[]): Promise<Wanted[]> {
  const { table, within, sort } = words
  const rows = (what: Sql, from: Sql, most: number) => sql`select ${what} from ${table} w
    where ${within} and ${from} and w.word < wanted.beyond order by w.word limit ${raw(String(most))}`
  const beginning = sql`w.word >= wanted.word`
  const next = (from: Sql) => sql`(${rows(sql`w.word`, from, 1)})`
  const away =
    sort && sort !== 'id' ? sql`w.${sort} < wanted.word or w.${sort} >= wanted.beyond` : sql`true`
  const counted = (most: number) => sql`
    select count(*)::int as rows, count(*) filter (where away)::int as elsewhere
    from (${rows(sql`${away} as away`, beginning, most)}) as near`
  const wanted = sql`unnest(${unseen(sql`${texts}::text[]`)}, ${unseen(sql`${texts.map(afterPrefix)}::text[]`)})
    as wanted (word, beyond)`
  const [few, spellings, beyondThem] = [FEW_TO_FOLLOW, MOST_SPELLINGS, MOST_SPELLINGS + 1].map(
    limit => raw(String(limit)),
  )
  const found = await queries.rows<Wanted>(
    sort
      ? sql`
        select wanted.word, spelled.words as spellings, few.elsewhere,
          case when spelled.words is not null then ${raw(String(FEW))}
            when few.rows < ${few} then few.rows else (select rows from (${counted(FEW)}) as more) end as rows
        from ${wanted} cross join lateral (${counted(FEW_TO_FOLLOW)}) as few cross join lateral (
          with recursive spelling (word) as (
            select ${next(beginning)} where few.rows = ${few}
            union all select ${next(sql`w.word > spelling.word`)} from spelling where spelling.word is not null)
          select case when count(*) <= ${spellings} then array_agg(near.word) end as words
          from (select word from spelling where word is not null limit ${beyondThem}) as near) as spelled`
      : sql`select wanted.word, null as spellings, counted.* from ${wanted} cross join lateral (${counted(FEW)}) as counted`,
  )
  return found.toSorted((one, other) => one.rows - other.rows)
}
