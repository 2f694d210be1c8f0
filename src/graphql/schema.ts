import 'reflect-metadata'
import {
  isAbstractType,
  isInputObjectType,
  isObjectType,
  lexicographicSortSchema,
  printSchema,
  type GraphQLSchema,
} from 'graphql'
import type { IMiddlewareTypeMap } from 'graphql-middleware'
import { buildSchema } from 'type-graphql'
import type { Rules } from '../access/rules.ts'
import { applyMiddleware, deny, shield } from '../access/shield.ts'
import { AppError } from '../shared/errors.ts'
import type { Page } from '../shared/page.ts'
import { hangIdempotency } from './idempotency.ts'
import { hangRefusals } from './refusals.ts'
import { checkIds } from './ids.ts'
import { ALL_RULES, RESOLVERS } from './nouns.ts'
import { Problem } from '../shared/problem.type.ts'

/** Every door, by type and field. */
export const rules: Rules = ALL_RULES.reduce<Rules>((merged, some) => {
  for (const [type, fields] of Object.entries(some)) merged[type] = { ...merged[type], ...fields }
  return merged
}, {})

/** Descriptions that type-graphql has no place for: of the roots, and of what a type takes from its interface. */
const DESCRIPTIONS: Record<string, string> = {
  Query:
    'Reads. Every field here may come back null with an entry in `errors`; fields next to it are unaffected.',
  Mutation:
    'Writes. Each field may come back null with an entry in `errors`; earlier fields of the same request keep their results. Send `Idempotency-Key` to make a retry harmless. In inputs of `update…` mutations, leaving a field out keeps it and null clears it. Verbs about a `Member` act within one organisation; verbs about a `User` are for operators and act on the account everywhere.',
  'Member.apiKeys': 'Needs `manageUser`, except for oneself.',
}

function describe(schema: GraphQLSchema): void {
  for (const [place, description] of Object.entries(DESCRIPTIONS)) {
    const [name = '', field] = place.split('.')
    const type = schema.getType(name)
    if (!isObjectType(type)) throw new Error(`There is no type ${name} to describe.`)
    if (field) type.getFields()[field]!.description = description
    else type.description = description
  }
}

/** The schema before its doors are hung: what is printed. */
export async function buildOpenSchema(): Promise<GraphQLSchema> {
  const schema = await buildSchema({
    resolvers: RESOLVERS,
    validate: false,
    orphanedTypes: [Problem],
  })
  describe(schema)
  for (const type of Object.values(schema.getTypeMap())) {
    // type-graphql prints the directive and does not enforce it
    if (
      isInputObjectType(type) &&
      type.astNode?.directives?.some(directive => directive.name.value === 'oneOf')
    )
      type.isOneOf = true
    // type-graphql's own is asynchronous: a promise for each row, and compiled queries wait for none
    if (isAbstractType(type)) {
      const { resolveType } = type
      type.resolveType = (value, ...rest) => value.__typename ?? resolveType?.(value, ...rest)
    }
    // a page's method, which graphql-js would call by itself, and compiled queries would not
    if (isObjectType(type) && type.name.endsWith('Connection')) {
      const { totalCount } = type.getFields()
      if (totalCount) totalCount.resolve = (page: Page<unknown>) => page.totalCount()
    }
  }
  return schema
}

/**
 * The schema that is served. A root field without a rule is shut; only types that carry rules are wrapped.
 *
 * @param given the doors, by type and field.
 */
export async function buildGuardedSchema(given: Rules = rules): Promise<GraphQLSchema> {
  const open = await buildOpenSchema()
  hangIdempotency(open)
  checkIds(open)
  const doors = shield(
    {
      ...given,
      Query: { '*': deny, ...given.Query },
      Mutation: { '*': deny, ...given.Mutation },
    },
    {
      allowExternalErrors: true,
      fallbackError: new AppError('FORBIDDEN', 'No rule opens this door.'),
    },
  )
  const hung = (
    doors as unknown as { generate(schema: GraphQLSchema): IMiddlewareTypeMap }
  ).generate(open)
  const wrapped = new Set(['Query', 'Mutation', ...Object.keys(given)])
  const guarded = Object.fromEntries(
    [...wrapped].map(type => [type, onlyRuled(type, hung, given[type] ?? {})]),
  )
  return hangRefusals(applyMiddleware(open, guarded as IMiddlewareTypeMap))
}

/** Fields without a rule of their own are left alone: a wrapper on each would cost half a list. */
function onlyRuled(type: string, hung: IMiddlewareTypeMap, ruled: Rules[string]) {
  const fields = hung[type] as Record<string, unknown>
  if (type === 'Query' || type === 'Mutation') return fields
  return Object.fromEntries(Object.keys(ruled).map(field => [field, fields[field]]))
}

/** The schema as text, sorted: what is reviewed and published. Inputs keep their order, as their defaults are printed in it. */
export function printSorted(schema: GraphQLSchema): string {
  const sorted = lexicographicSortSchema(schema)
  for (const type of Object.values(sorted.getTypeMap())) {
    const original = schema.getType(type.name)
    if (!isInputObjectType(type) || !isInputObjectType(original)) continue
    const fields = type.getFields()
    const kept = Object.keys(original.getFields()).map(name => [name, fields[name]!] as const)
    for (const [name] of kept) delete fields[name]
    for (const [name, field] of kept) fields[name] = field
  }
  return `${printSchema(sorted)}\n`
}
