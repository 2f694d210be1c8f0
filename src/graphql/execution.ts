import { HeaderMap, type ApolloServerPlugin } from '@apollo/server'
import {
  BREAK,
  getVariableValues,
  OperationTypeNode,
  valueFromASTUntyped,
  visit,
  type DocumentNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit'
import type { Context } from './context.ts'

/** The time it comes at which a query is compiled, which costs as much as some ten runs. */
const OFTEN = 2

/** How often an operation has come so far; once it came often, its function, null where it cannot be compiled. */
type Known = number | CompiledQuery | null

/**
 * Answers queries that come again by what was compiled of them, which spares most of what execution costs beside the
 * resolvers. Everything else is left to graphql-js: mutations, variables that do not fit, and whatever went wrong,
 * which it reads once more and tells in its own way.
 */
export function compiledQueries(schema: GraphQLSchema): ApolloServerPlugin<Context> {
  const find = createCompiler(schema)
  const listener = {
    responseForOperation: async ({ document, operation, request, contextValue }: Asked) => {
      // Apollo comes here with none, too, where the document has none of the name that was asked for
      const query = operation && find(document, operation)
      const values = query && takenBy(schema, operation, request.variables ?? {})
      const result = values && (await query.query(undefined, contextValue, values))
      if (!result || result.data === undefined || result.errors?.length) return null
      const http = { status: undefined, headers: new HeaderMap() }
      return { http, body: { kind: 'single' as const, singleResult: { data: result.data } } }
    },
  }
  return { requestDidStart: async () => listener }
}

interface Asked {
  document: DocumentNode
  operation: OperationDefinitionNode | undefined
  request: { variables?: Variables }
  contextValue: Context
}

type Variables = Record<string, unknown>

function createCompiler(schema: GraphQLSchema) {
  // Apollo keeps the documents of late; what it forgets is forgotten here
  const seen = new WeakMap<OperationDefinitionNode, Known>()
  return (document: DocumentNode, operation: OperationDefinitionNode): CompiledQuery | null => {
    if (operation.operation !== OperationTypeNode.QUERY) return null
    const known = seen.get(operation)
    if (known === null || typeof known === 'object') return known
    const times = (known ?? 0) + 1
    if (times < OFTEN) {
      seen.set(operation, times)
      return null
    }
    const query = fitsCompiler(document)
      ? compileQuery(schema, document, operation.name?.value)
      : null
    const made = query && isCompiledQuery(query) ? query : null
    seen.set(operation, made)
    return made
  }
}

/** What a compiled query takes; null for what graphql-js, which also knows `@oneOf`, does not. */
function takenBy(
  schema: GraphQLSchema,
  { variableDefinitions: definitions }: OperationDefinitionNode,
  variables: Variables,
): Variables | null {
  if (!definitions?.length) return variables
  if (getVariableValues(schema, definitions, variables, { maxErrors: 1 }).errors) return null
  const complete = { ...variables }
  for (const { variable, defaultValue } of definitions) {
    const name = variable.name.value
    // the compiler asks for what must not be null, even where there is a default
    if (defaultValue && complete[name] === undefined)
      complete[name] = valueFromASTUntyped(defaultValue)
  }
  return complete
}

/**
 * Whether the compiler understands a document as graphql-js does. It mixes up the conditions of fragments that are used
 * more than once, and takes names that every object has for what was sent.
 */
function fitsCompiler(document: DocumentNode): boolean {
  let fits = true
  visit(document, {
    Directive: () => {
      fits = false
      return BREAK
    },
    Name: ({ value }) => {
      if (!(value in Object.prototype)) return undefined
      fits = false
      return BREAK
    },
  })
  return fits
}
