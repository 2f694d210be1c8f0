import { afterPrefix } from '../shared/normalise.ts'
import { join, raw, sql, type Sql } from './sql.ts'

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
  /**
   * What the list is sorted by, where the words know it and nothing else narrows the list: the id, or a column with the
   * folded name, whose words are all among the words.
   */
  sort: Sql | 'id' | null
}

/** A word of a text, and what there is that begins with it. */
export interface Wanted {
  word: string
  /** How many rows, as far as that is few. */
  rows: number
  /** Of these, how many are of a name that does not begin with it. */
  elsewhere: number
  /** The words themselves, as far as they are few enough to be followed side by side. */
  spellings: string[] | null
}

/** Where a page begins, and in which direction it goes. */
export interface Stretch {
  /** The condition on where it begins, over the columns that stand for sort key and id. */
  position: (key: Sql, id: Sql) => Sql
  direction: Sql
  limit: number
}

/**
 * A value that the planner does not see. It would plan anew for each that it takes for a rarer one, which costs more than
 * the reading where there is but one good plan.
 */
export const unseen = (value: Sql): Sql => sql`(select ${value})`

const inStretch = (column: Sql, word: string): Sql =>
  sql`${column} >= ${unseen(sql`${word}::text`)} and ${column} < ${unseen(sql`${afterPrefix(word)}::text`)}`

/** The ids of a page with their sort keys, as `id` and `sortKey`: of all rows of the first word, the rarest. */
export function inRange(
  words: WordTable,
  [lead, ...others]: [Wanted, ...Wanted[]],
  { position, direction, limit }: Stretch,
): Sql {
  const { key, id, order } = sorted(words, direction)
  return sql`select ${once(key, id)} ${id} as id, ${key} as "sortKey" from ${words.table} w
    where ${words.within} and w.word >= ${lead.word} and w.word < ${afterPrefix(lead.word)} and ${have(words, others)} ${position(key, id)}
    order by ${order} limit ${limit}`
}

/** The same where there are few: `offset 0` keeps the order out of the plan, for they are found by the word. */
export function gathered(
  words: WordTable,
  [lead, ...others]: [Wanted, ...Wanted[]],
  { position, direction, limit }: Stretch,
): Sql {
  const { key, id } = sorted(words, direction)
  return pageOf(
    sql`select ${id} as id, ${key} as "sortKey" from ${words.table} w
      where ${words.within} and ${inStretch(raw('w.word'), lead.word)} and ${have(words, others)} ${position(key, id)} offset 0`,
    direction,
    limit,
  )
}

/**
 * The same for words that many have: of the first rows of each word that begins so the first. Who is sorted by a name
 * that begins with one of the words has that one and stands with the others who do, so of these only those with another
 * word are read; the rest is spread over the list.
 */
export function followed(words: WordTable, wanted: Wanted[], stretch: Stretch): Sql {
  const { position, direction, limit } = stretch
  const { key, id, order } = sorted(words, direction)
  const part = (lead: Wanted, others: Wanted[], where: Sql) => sql`
    select near.* from unnest(${unseen(sql`${lead.spellings}::text[]`)}) as spelling (word) cross join lateral (
      select ${id} as id, ${key} as "sortKey" from ${words.table} w
      where ${words.within} and w.word = spelling.word and ${where} and ${have(words, others)} ${position(key, id)}
      order by ${order} limit ${unseen(sql`${limit}::int`)}) as near`
  const known = wanted.filter(each => each.spellings)
  const least = (some: Wanted[], of: (each: Wanted) => number) =>
    some.toSorted((one, other) => of(one) - of(other))[0]
  const besides = (...some: Wanted[]) => wanted.filter(each => !some.includes(each))
  const parts: Sql[] = []
  const spread = least(known, each => each.elsewhere)!
  if (key === id || wanted.length === 1) parts.push(part(spread, besides(spread), sql`true`))
  else {
    for (const first of wanted) {
      const lead =
        least(
          besides(first).filter(each => each.spellings),
          spelledIn,
        ) ?? first
      parts.push(part(lead, besides(first, lead), inStretch(key, first.word)))
    }
    for (const gap of gapsBetween(key, wanted)) parts.push(part(spread, besides(spread), gap))
  }
  return pageOf(join(parts, ' union all '), direction, limit)
}

const pageOf = (rows: Sql, direction: Sql, limit: number): Sql => sql`
  select ${once(raw('near."sortKey"'), raw('near.id'))} near.id, near."sortKey" from (${rows}) as near
  order by near."sortKey" ${direction}, near.id ${direction} limit ${unseen(sql`${limit}::int`)}`

const spelledIn = (each: Wanted) => each.spellings?.length ?? 0

/** Where a column begins with none of the words. */
function gapsBetween(column: Sql, wanted: Wanted[]): Sql[] {
  const words = wanted
    .map(each => each.word)
    .filter((word, _, all) => !all.some(other => other !== word && word.startsWith(other)))
    .toSorted()
  const below = (word: string) => sql`${column} < ${unseen(sql`${word}::text`)}`
  const beyond = (word: string) => sql`${column} >= ${unseen(sql`${afterPrefix(word)}::text`)}`
  return [
    below(words[0]!),
    ...words.slice(1).map((word, index) => sql`${beyond(words[index]!)} and ${below(word)}`),
    beyond(words.at(-1)!),
  ]
}

// unlike plain `distinct` it is never hashed: rows that are sorted anyway are taken until there are enough
const once = (key: Sql, id: Sql): Sql => sql`distinct on (${key}, ${id})`

function sorted({ of, sort }: WordTable, direction: Sql) {
  const id = sql`w.${of}`
  const key = sort && sort !== 'id' ? sql`w.${sort}` : id
  const order = key === id ? sql`${id} ${direction}` : sql`${key} ${direction}, ${id} ${direction}`
  return { id, key, order }
}

function have({ table, of, all }: WordTable, others: Wanted[]): Sql {
  const each = others.map(({ word }) => {
    const found = sql`exists (select from ${table} o where o.${of} = w.${of}
      and ${inStretch(raw('o.word'), word)})`
    // words hold letters and digits only: nothing that means something in a pattern
    return all
      ? sql`case when w.${all} is null then ${found} else w.${all} like ${unseen(sql`${`% ${word}%`}::text`)} end`
      : found
  })
  return join([sql`true`, ...each], ' and ')
}
