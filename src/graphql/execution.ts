import type { ApolloServerOptionsWithGateway } from '@apollo/server'
import {
  execute,
  getVariableValues,
  GraphQLError,
  OperationTypeNode,
  valueFromASTUntyped,
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
    const query = compileQuery(schema, document, operation.name?.value)
    const made = isCompiledQuery(query) ? query : null
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
    if (values) return asOthers(await query.query(undefined, asked.context, values))
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

/** The errors of a compiled query as graphql-js would have made them: those of the compiler lack `extensions`. */
function asOthers({ data, errors }: ExecutionResult): ExecutionResult {
  if (!errors?.length) return { data }
  return { data, errors: errors.map(asOther) }
}

function asOther({ message, locations, path, originalError }: GraphQLError): GraphQLError {
  const error = new GraphQLError(message, { path, originalError })
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
