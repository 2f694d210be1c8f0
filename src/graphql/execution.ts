import type { ApolloServerOptionsWithGateway } from '@apollo/server'
import {
  execute,
  getVariableValues,
  GraphQLError,
  OperationTypeNode,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import { compileQuery, isCompiledQuery, type CompiledQuery } from 'graphql-jit'
import type { Context } from './context.ts'

/** A query is compiled when it comes this often: compiling costs as much as some ten runs. */
const OFTEN = 3

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
    const known = seen.get(operation) ?? 0
    if (typeof known !== 'number') return known
    if (known + 1 < OFTEN) {
      seen.set(operation, known + 1)
      return null
    }
    const query = compileQuery(schema, document, operation.name?.value)
    const made = isCompiledQuery(query) ? query : null
    seen.set(operation, made)
    return made
  }

  /** What the compiler knows of variables is less than graphql-js does, which knows `@oneOf`. */
  const fits = ({ operation, variables }: Operation): boolean => {
    const definitions = operation?.variableDefinitions
    if (!definitions?.length) return true
    return !getVariableValues(schema, definitions, variables, { maxErrors: 1 }).errors
  }

  return async (asked: Operation): Promise<ExecutionResult> => {
    const query = compiled(asked)
    if (query && fits(asked))
      return asOthers(await query.query(undefined, asked.context, asked.variables))
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
