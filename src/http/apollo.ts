import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import { ApolloServerPluginCacheControlDisabled } from '@apollo/server/plugin/disabled'
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled'
import { fastifyApolloHandler } from '@as-integrations/fastify'
import { ApolloArmor } from '@escape.tech/graphql-armor'
import type { FastifyInstance } from 'fastify'
import {
  Kind,
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { isPassing } from '../database/failures.ts'
import { Context, type Node } from '../graphql/context.ts'
import { compiledQueries } from '../graphql/execution.ts'
import { formatError, isOurFault, rootOf } from '../graphql/format-error.ts'
import {
  MOST_ALIASES,
  MOST_DEPTH,
  MOST_TOKENS,
  mustBeAffordable,
  ownRules,
  type Fragments,
} from '../graphql/limits.ts'
import type { Metrics } from '../shared/metrics.ts'
import type { Tracing } from '../shared/tracing.ts'
import { requestInfo } from './authenticate.ts'
import { anonymousBodyLimit, BODY_LIMIT } from './body-limit.ts'
import { refreshCookie } from './refresh-cookie.ts'
import { refuse } from './refuse.ts'

/** Mounts GraphQL on `POST /graphql`: no GET, no batches, limits before execution. */
export async function registerGraphql(
  app: FastifyInstance,
  node: Node,
  schema: GraphQLSchema,
  tracing: Tracing | null,
): Promise<ApolloServer<Context>> {
  const armor = new ApolloArmor({
    // counted by `mustBeAffordable`, which multiplies nested pages
    costLimit: { enabled: false },
    maxDepth: { n: MOST_DEPTH, flattenFragments: true, exposeLimits: false },
    maxAliases: { n: MOST_ALIASES, exposeLimits: false },
    maxDirectives: { n: 20, exposeLimits: false },
    // the parser counts them itself, and says so as a syntax error
    maxTokens: { enabled: false },
    blockFieldSuggestion: { enabled: !node.server.config.INTROSPECTION },
  }).protect()
  const apollo = new ApolloServer<Context>({
    schema,
    introspection: node.server.config.INTROSPECTION,
    csrfPrevention: true,
    includeStacktraceInErrorResponses: false,
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    parseOptions: { maxLexicalTokens: MOST_TOKENS },
    validationRules: [...armor.validationRules, ...ownRules],
    formatError,
    stopOnTerminationSignals: false,
    plugins: [
      ...(armor.plugins as ApolloServerPlugin<Context>[]),
      // both wrap every field
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      operationPlugin(app, schema, tracing),
      compiledQueries(schema),
    ],
  })
  await apollo.start()
  const handler = fastifyApolloHandler(apollo, {
    context: async (request, reply) =>
      new Context(node, requestInfo(request), refreshCookie(request, reply), request.caller),
  })
  app.route({
    method: 'POST',
    url: '/graphql',
    bodyLimit: BODY_LIMIT,
    preParsing: anonymousBodyLimit,
    preHandler: (request, reply, done) => {
      if (!Array.isArray(request.body)) return done()
      refuse(reply, 400, {
        message: 'Send one operation in a request; batches are not taken.',
        code: 'BAD_REQUEST',
        requestId: request.id,
      })
    },
    handler,
  })
  app.route({
    method: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'],
    url: '/graphql',
    exposeHeadRoute: false,
    handler: async (request, reply) =>
      refuse(reply.header('allow', 'POST'), 405, {
        message: 'Send GraphQL as a POST request with a JSON body.',
        code: 'BAD_REQUEST',
        requestId: request.id,
      }),
  })
  return apollo
}

/** Counts the cost, ends the read transaction, names the request in each error, and logs what is masked. */
const operationPlugin = (
  app: FastifyInstance,
  schema: GraphQLSchema,
  tracing: Tracing | null,
): ApolloServerPlugin<Context> => ({
  requestDidStart: async () => {
    const began = performance.now()
    let fragments: Fragments = new Map()
    return {
      didResolveOperation: async ({ document, operation, request }) => {
        fragments = fragmentsOf(document)
        if (operation) mustBeAffordable(schema, operation, fragments, request.variables ?? {})
      },
      didEncounterErrors: async ({ errors, contextValue }) => {
        for (const error of errors) {
          const err = rootOf(error)
          const about = { err, requestId: contextValue.request.requestId, path: error.path }
          if (isOurFault(error)) app.log.error(about, 'a request failed')
          else if (isPassing(err)) app.log.warn(about, 'a request was put off')
        }
      },
      willSendResponse: async ({ contextValue, response, operation }) => {
        void contextValue.end()
        if (operation) tell({ app, schema, tracing }, operation, fragments, began)
        response.http.headers.set('cache-control', 'no-store')
        if (response.body.kind === 'single')
          sign(response.body.singleResult.errors, contextValue, app.metrics)
      },
    }
  },
})

function sign(
  errors: readonly GraphQLFormattedError[] | undefined,
  { request }: Context,
  metrics: Metrics,
): void {
  for (const { extensions } of errors ?? []) {
    if (!extensions) continue
    extensions.requestId = request.requestId
    metrics.refused(String(extensions.code), extensions.reason as string | undefined)
  }
}

function fragmentsOf({ definitions }: DocumentNode): Fragments {
  const fragments = definitions.filter(each => each.kind === Kind.FRAGMENT_DEFINITION)
  return new Map(fragments.map(fragment => [fragment.name.value, fragment]))
}

/** The first field that is answered, which a fragment may hold. */
function firstField(set: SelectionSetNode | undefined, fragments: Fragments): string | undefined {
  const [first] = set?.selections ?? []
  if (first?.kind === Kind.FIELD) return first.name.value
  if (first?.kind === Kind.INLINE_FRAGMENT) return firstField(first.selectionSet, fragments)
  return first && firstField(fragments.get(first.name.value)?.selectionSet, fragments)
}

interface Teller {
  app: FastifyInstance
  schema: GraphQLSchema
  tracing: Tracing | null
}

/** Aliases and names of operations are the client's: what is told is a field of the schema. */
function tell(
  { app, schema, tracing }: Teller,
  operation: OperationDefinitionNode,
  fragments: Fragments,
  began: number,
): void {
  const name = firstField(operation.selectionSet, fragments) ?? ''
  const known = schema.getRootType(operation.operation)?.getFields()[name]
  const seconds = (performance.now() - began) / 1_000
  const field = known ? name : 'other'
  app.metrics.operation(operation.operation, field, seconds)
  tracing?.ended(`${operation.operation} ${field}`, began, {
    'graphql.operation.type': operation.operation,
  })
}
