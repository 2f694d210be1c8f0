import { afterPrefix, searchWords } from '../shared/normalise.ts'
import { sql, type Sql } from './sql.ts'

const MOST_WORDS = 8

/**
 * Narrows a list to what has a word that begins with each word of a text. Words are rows of a table `w`, folded and in
 * the C collation, where a beginning is a range: that keeps its index under row-level security.
 *
 * @param among such as ``range => sql`m.id in (select w.member_id from member_word w where ${range})` ``.
 */
export function foundBy(text: string | null | undefined, among: (range: Sql) => Sql): Sql[] {
  if (!text) return []
  const words = searchWords(text).slice(0, MOST_WORDS)
  return words.length
    ? words.map(word => among(sql`w.word >= ${word} and w.word < ${afterPrefix(word)}`))
    : [sql`false`]
}
