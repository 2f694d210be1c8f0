import {
  buildSchema,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import { expect, test } from 'vitest'
import { buildOpenSchema, printSorted } from '../../src/graphql/schema.ts'
import { AUTHORIZATION, operations } from '../../src/http/explorer/operations.ts'
import { readText } from './sources.ts'

test('schema.graphql is the schema in use; `npm run schema` writes it anew', async () => {
  expect(printSorted(await buildOpenSchema())).toBe(readText('schema.graphql'))
})

test("every one of the explorer's operations is valid, with its variables and headers", () => {
  const schema = buildSchema(readText('schema.graphql'))
  expect(operations.length).toBeGreaterThan(5)
  for (const { query, variables, headers } of operations) {
    const document = parse(query)
    expect(validate(schema, document, specifiedRules), query).toEqual([])
    const declared = document.definitions.flatMap(definition =>
      definition.kind === Kind.OPERATION_DEFINITION
        ? (definition.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
        : [],
    )
    expect(Object.keys(JSON.parse(variables ?? '{}') as object), query).toEqual(declared)
    expect([undefined, AUTHORIZATION], query).toContain(headers)
  }
})

test('every type says what it is, the roots too, and a field that not everybody may read what it needs', () => {
  const schema = buildSchema(readText('schema.graphql'))
  const types = Object.values(schema.getTypeMap()).filter(type => !type.name.startsWith('__'))
  const silent = types.filter(type => !isSpecifiedScalarType(type) && !type.description)
  expect(silent.map(type => type.name)).toEqual([])
  const member = schema.getType('Member')
  expect(isObjectType(member) && member.getFields().apiKeys!.description).toMatch(/^Needs `manage/)
})
