import { raw, sql, type Sql } from './sql.ts'

const snake = (field: string) => field.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)

/**
 * The columns of some fields, as a select list: `createdAt` of table `m` becomes `m.created_at as "createdAt"`.
 *
 * @param prefix put before each name, to tell apart the rows of a join: `member.` makes `"member.createdAt"`.
 */
export function columns(table: string, fields: readonly string[], prefix = ''): Sql {
  const key = `${table} ${prefix}`
  let known = lists.get(fields)
  if (!known) lists.set(fields, (known = new Map()))
  let list = known.get(key)
  if (!list)
    known.set(
      key,
      (list = raw(
        fields.map(field => `${table}.${snake(field)} as "${prefix}${field}"`).join(', '),
      )),
    )
  return list
}

// the lists of fields are constants, and each is written the same way for every request
const lists = new WeakMap<readonly string[], Map<string, Sql>>()

/**
 * The row of one table in a join as one column of JSON text, null where the join found none: a text is read several
 * times as fast as the columns it stands for, and equal ones need to be read only once.
 */
export const rowAsJson = (table: string, select: Sql): Sql =>
  sql`case when ${raw(table)}.id is not null then
    (select row_to_json(${raw(table)}_row)::text from (select ${select}) as ${raw(table)}_row) end`

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
