import { buildSchema, Kind, parse, specifiedRules, validate } from 'graphql'
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
