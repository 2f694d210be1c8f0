import { badInput } from './errors.ts'

const MOST_VALUES = 500

/**
 * The values that a filter names, where they are no more than 500.
 *
 * @param field of the filter.
 * @throws {AppError} `BAD_USER_INPUT` / `OUT_OF_RANGE`.
 */
export function few<Value>(values: Value[], field: string): Value[] {
  if (values.length <= MOST_VALUES) return values
  throw badInput(['filter', field], 'OUT_OF_RANGE', `A filter takes at most ${MOST_VALUES} values.`)
}
