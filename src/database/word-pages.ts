import { afterPrefix } from '../shared/normalise.ts'
import { firstRow, join, sql, type Queries, type Sql } from './sql.ts'

/** Words with one beginning that are followed side by side. */
const MOST_SPELLINGS = 100

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

/** Words of a text: the rarest, by which rows are found, and the others, which those must have too. */
export interface Led extends WordTable {
  lead: string
  others: string[]
}

/** Where a page begins, and in which direction it goes. */
export interface Stretch {
  /** The condition on where it begins, over the columns that stand for sort key and id. */
  position: (key: Sql, id: Sql) => Sql
  direction: Sql
  limit: number
}

export const beginsWith = (word: string): Sql =>
  sql`w.word >= ${word} and w.word < ${afterPrefix(word)}`

/** The ids of a page with their sort keys, as `id` and `sortKey`: of all rows of a rare word the first. */
export function inRange(led: Led, { position, direction, limit }: Stretch): Sql {
  const { table, within, lead } = led
  const { key, id, order } = sorted(led, direction)
  return sql`select distinct ${id} as id, ${key} as "sortKey" from ${table} w
    where ${within} and ${beginsWith(lead)} and ${haveOthers(led)} ${position(key, id)}
    order by ${order} limit ${limit}`
}

/** The same for words that many have: of the first rows of each word that begins so the first. */
export function spelled(led: Led, { position, direction, limit }: Stretch): Sql {
  const { table, within } = led
  const { key, id, order } = sorted(led, direction)
  return sql`with recursive ${spellings(led)}
    select distinct near.id, near."sortKey" from spelling cross join lateral (
      select ${id} as id, ${key} as "sortKey" from ${table} w where ${within} and w.word = spelling.word
        and ${haveOthers(led)} ${position(key, id)} order by ${order} limit ${limit}) as near
    order by near."sortKey" ${direction}, near.id ${direction} limit ${limit}`
}

/** Whether few enough words begin so for each to be followed. */
export async function isSpelledInFewWays(queries: Queries, led: Led): Promise<boolean> {
  const row = await firstRow<{ count: number }>(
    queries,
    sql`with recursive ${spellings(led)}
      select count(*)::int as count from (select from spelling limit ${MOST_SPELLINGS + 1}) as few`,
  )
  return (row?.count ?? 0) <= MOST_SPELLINGS
}

function sorted({ of, sort }: Led, direction: Sql) {
  const id = sql`w.${of}`
  const key = sort && sort !== 'id' ? sql`w.${sort}` : id
  const order = key === id ? sql`${id} ${direction}` : sql`${key} ${direction}, ${id} ${direction}`
  return { id, key, order }
}

function haveOthers({ table, of, all, others }: Led): Sql {
  const each = others.map(word => {
    const found = sql`exists (select from ${table} o where o.${of} = w.${of}
      and o.word >= ${word} and o.word < ${afterPrefix(word)})`
    // words hold letters and digits only: nothing that means something in a pattern
    return all
      ? sql`case when w.${all} is null then ${found} else w.${all} like ${`% ${word}%`} end`
      : found
  })
  return join([sql`true`, ...each], ' and ')
}

/** The words with one beginning, each found by a step from the one before. */
function spellings({ table, within, lead }: Led): Sql {
  const next = (from: Sql) => sql`(select w.word from ${table} w
    where ${within} and ${from} and w.word < ${afterPrefix(lead)} order by w.word limit 1)`
  return sql`spelling (word) as (${next(sql`w.word >= ${lead}`)}
    union all select ${next(sql`w.word > spelling.word`)} from spelling where spelling.word is not null)`
}
