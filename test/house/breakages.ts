import {
  BreakingChangeType,
  findBreakingChanges,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  type BreakingChange,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLSchema,
} from 'graphql'

/** `Use … instead. Ends 2027-07-01.`: what a deprecation must say before the thing may go. */
const ENDS = /\bEnds (\d{4}-\d{2}-\d{2})\b/

/** Something of a schema that may be deprecated, and the type that it leads to. */
interface Element {
  /** `Type.field`, `Type.field(argument)` or `Enum.VALUE`. */
  name: string
  reason: string | null
  leadsTo: string
}

/**
 * What would break clients of an earlier schema, in words. What was deprecated with a date may go once that day has
 * come; a type goes with the last thing that led to it. Everything else stays.
 */
export function breakages(before: GraphQLSchema, after: GraphQLSchema, today: Date): string[] {
  const elements = elementsOf(before)
  const ended = new Set(
    elements.filter(({ reason }) => hasEnded(reason, today)).map(each => each.name),
  )
  const changes = findBreakingChanges(before, after)
  const gone = new Set(elements.map(each => each.name)).difference(
    new Set(elementsOf(after).map(each => each.name)),
  )
  return changes.filter(change => !mayBe(change, elements, gone, ended)).map(say)
}

const say = ({ type, description }: BreakingChange) => `${type}: ${description}`

function mayBe(
  { type, description }: BreakingChange,
  elements: Element[],
  gone: ReadonlySet<string>,
  ended: ReadonlySet<string>,
): boolean {
  switch (type) {
    case BreakingChangeType.FIELD_REMOVED:
    case BreakingChangeType.VALUE_REMOVED_FROM_ENUM:
    case BreakingChangeType.ARG_REMOVED:
      return [...ended].some(name => gone.has(name) && isAbout(description, name))
    case BreakingChangeType.TYPE_REMOVED: {
      // they are there whether a schema uses them or not
      if (description.startsWith('Standard scalar ')) return true
      const name = description.split(' ')[0]!
      const within = (each: Element) => each.name.startsWith(`${name}.`)
      const led = elements.filter(each => each.leadsTo === name && !within(each))
      return led.length > 0 && led.every(each => ended.has(each.name))
    }
    default:
      return false
  }
}

/** graphql-js names a field `Type.field`, an argument `Type.field arg name` and a value `VALUE … from enum type Type`. */
function isAbout(description: string, name: string): boolean {
  const [, field, argument] = /^([^(]+)\((.+)\)$/.exec(name) ?? []
  if (field) return description.startsWith(`${field} arg ${argument} `)
  const [type, member] = name.split('.')
  return (
    description.startsWith(`${name} was removed`) ||
    description === `${member} was removed from enum type ${type}.`
  )
}

function hasEnded(reason: string | null, today: Date): boolean {
  const day = ENDS.exec(reason ?? '')?.[1]
  return day !== undefined && new Date(`${day}T00:00:00Z`) <= today
}

function elementsOf(schema: GraphQLSchema): Element[] {
  return Object.values(schema.getTypeMap())
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type): Element[] => {
      if (isEnumType(type))
        return type.getValues().map(({ name, deprecationReason: reason }) => ({
          name: `${type.name}.${name}`,
          reason: reason ?? null,
          leadsTo: '',
        }))
      if (isUnionType(type))
        return type
          .getTypes()
          .map(({ name }) => ({ name: `${type.name}.${name}`, reason: null, leadsTo: name }))
      if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) return []
      const fields: (GraphQLField<unknown, unknown> | GraphQLInputField)[] = Object.values(
        type.getFields(),
      )
      return fields.flatMap(field => {
        const name = `${type.name}.${field.name}`
        const args = 'args' in field ? field.args : []
        return [
          {
            name,
            reason: field.deprecationReason ?? null,
            leadsTo: getNamedType(field.type).name,
          },
          ...args.map(arg => ({
            name: `${name}(${arg.name})`,
            // an argument goes with its field
            reason: arg.deprecationReason ?? field.deprecationReason ?? null,
            leadsTo: getNamedType(arg.type).name,
          })),
        ]
      })
    })
}
