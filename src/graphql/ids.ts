import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql'
import { AppError, type FieldFault } from '../shared/errors.ts'
import { isId } from '../shared/tokens.ts'

type Path = (string | number)[]
/** Looks at one value where ids may stand, gives it back with ids in lower case, and notes what is none. */
type Check = (value: unknown, path: Path, faults: FieldFault[]) => unknown

const MOST_FAULTS = 20

/**
 * Has every id in every argument of the schema looked at before its field is resolved, and after the doors: however it
 * was sent, as literal, variable, within a list or an input. What is no id never reaches a service.
 *
 * A field with malformed ids answers `BAD_USER_INPUT` / `INVALID_FORMAT`, with the path of each.
 */
export function checkIds(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue
    for (const field of Object.values(type.getFields())) {
      const check = ofFields(field.args)
      const { resolve } = field
      if (!check || !resolve) continue
      field.resolve = (source, args, context, info) => {
        const faults: FieldFault[] = []
        const sound = check(args, [], faults) as typeof args
        if (faults.length) throw malformed(faults)
        return resolve(source, sound, context, info)
      }
    }
  }
}

const malformed = (faults: FieldFault[]) =>
  new AppError('BAD_USER_INPUT', 'An id is a UUID.', {
    reason: 'INVALID_FORMAT',
    fields: faults.slice(0, MOST_FAULTS),
  })

function ofFields(fields: readonly (GraphQLArgument | GraphQLInputField)[]): Check | null {
  const checks = fields.flatMap(({ name, type }) => {
    const check = ofType(type)
    return check ? [[name, check] as const] : []
  })
  if (!checks.length) return null
  return (value, path, faults) => {
    const sound = { ...(value as Record<string, unknown>) }
    for (const [name, check] of checks)
      if (sound[name] != null) sound[name] = check(sound[name], [...path, name], faults)
    return sound
  }
}

function ofType(given: GraphQLInputType): Check | null {
  const type = getNullableType(given)
  if (isListType(type)) {
    const check = ofType(type.ofType)
    return (
      check &&
      ((value, path, faults) =>
        (value as unknown[]).map((each, index) =>
          each == null ? each : check(each, [...path, index], faults),
        ))
    )
  }
  if (isInputObjectType(type)) return ofFields(Object.values(type.getFields()))
  return getNamedType(type).name === 'ID' ? checkId : null
}

const checkId: Check = (value, path, faults) => {
  if (isId(value)) return value.toLowerCase()
  faults.push({ path, reason: 'INVALID_FORMAT' })
  return value
}
