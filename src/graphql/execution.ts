import type { ApolloServerOptionsWithGateway } from '@apollo/server'
import {
  BREAK,
  execute,
  getVariableValues,
  GraphQLError,
  OperationTypeNode,
  valueFromASTUntyped,
  visit,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit'
import type { Context } from './context.ts'

/** The time it comes at which a query is compiled, which costs as much as some ten runs. */
const OFTEN = 2

type Gateway = ApolloServerOptionsWithGateway<Context>['gateway']

interface Operation {
  document: DocumentNode
  /** Absent where the document holds none of the name that was asked for. */
  operation: OperationDefinitionNode | undefined
  operationName: string | undefined
  context: unknown
  variables: Record<string, unknown>
}

/** How often an operation has come so far; once it came often, its function, null where it cannot be compiled. */
type Known = number | CompiledQuery | null

/**
 * Runs operations. Queries that come again are compiled, which spares most of what execution costs beside the
 * resolvers; everything else, and whatever variables do not fit, is left to graphql-js.
 */
function createExecutor(schema: GraphQLSchema) {
  // Apollo keeps the documents of late; what it forgets is forgotten here
  const seen = new WeakMap<OperationDefinitionNode, Known>()

  const compiled = ({ document, operation }: Operation): CompiledQuery | null => {
    if (operation?.operation !== OperationTypeNode.QUERY) return null
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

  /** What a compiled query takes; null for what graphql-js, which also knows `@oneOf`, does not. */
  const taken = ({ operation, variables }: Operation): Operation['variables'] | null => {
    const definitions = operation?.variableDefinitions
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

  return async (asked: Operation): Promise<ExecutionResult> => {
    const query = compiled(asked)
    const values = query && taken(asked)
    const result = values && (await query.query(undefined, asked.context, values))
    // without data it took offence at variables that graphql-js takes, and nothing was resolved yet
    if (result && 'data' in result) return asOthers(result)
    const { document, operationName, context, variables } = asked
    return execute({
      schema,
      document,
      operationName,
      contextValue: context,
      variableValues: variables,
    })
  }
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

/** The errors of a compiled query as graphql-js would have made them: those of the compiler lack `extensions`. */
function asOthers({ data, errors }: ExecutionResult): ExecutionResult {
  if (!errors?.length) return { data }
  const told = new Set<string>()
  const first = errors.filter(({ path = [] }) => {
    const place = JSON.stringify(path.slice(0, nullAt(data, path)))
    return told.size !== told.add(place).size
  })
  return { data, errors: first.map(asOther) }
}

/** How many steps of a path lead to the null that an error made: of several below it, graphql-js tells the first. */
function nullAt(data: unknown, path: readonly (string | number)[]): number {
  let value = data
  let steps = 0
  while (value != null && steps < path.length)
    value = (value as Record<string | number, unknown>)[path[steps++]!]
  return steps
}

function asOther({ message, locations, path, originalError }: GraphQLError): GraphQLError {
  // a value that fits no type is a fault of ours, as graphql-js has it; an argument is not
  const ours = originalError ?? (message.startsWith('Argument ') ? undefined : new Error(message))
  const error = new GraphQLError(message, { path, originalError: ours })
  return Object.assign(error, { locations })
}

/** The schema as Apollo takes it together with an executor, which it does of gateways alone. */
export function gatewayTo(schema: GraphQLSchema): Gateway {
  const run = createExecutor(schema)
  return {
    load: async () => ({
      executor: async ({ document, operation, context, request }) => {
        const { operationName, variables = {} } = request
        return run({ document, operation, operationName, context, variables })
      },
    }),
    onSchemaLoadOrUpdate: loaded => {
      loaded({ apiSchema: schema, coreSupergraphSdl: '' })
      return () => undefined
    },
    stop: async () => undefined,
  }
}
