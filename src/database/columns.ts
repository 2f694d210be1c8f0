import { raw, type Sql } from './sql.ts'

const snake = (field: string) => field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/**
 * The columns of some fields, as a select list: `createdAt` of table `m` becomes `m.created_at as "createdAt"`.
 *
 * @param prefix put before each name, to tell apart the rows of a join: `member.` makes `"member.createdAt"`.
 */
export const columns = (table: string, fields: readonly string[], prefix = ''): Sql =>
  raw(fields.map(field => `${table}.${snake(field)} as "${prefix}${field}"`).join(', '))

/** Takes one row out of a joined one, by the prefix of its columns; null where the join found none. */
export function rowAt<Row extends object>(
  joined: Record<string, unknown>,
  prefix: string,
  fields: readonly string[],
): Row | null {
  if (joined[`${prefix}id`] == null) return null
  const row: Record<string, unknown> = {}
  for (const field of fields) row[field] = joined[prefix + field]
  return row as Row
}

/** An instant as the database writes it, or as a Date where it was made here. */
export type Instant = string | Date

export const toDate = (instant: Instant): Date =>
  instant instanceof Date ? instant : new Date(instant)
