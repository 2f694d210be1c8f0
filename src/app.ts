import 'reflect-metadata'
import fastifyCookie from '@fastify/cookie'
import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors'
import Fastify, { type FastifyInstance } from 'fastify'
import type { DestinationStream } from 'pino'
import { imagesOf, removeUnwanted, type UnwantedImage } from './accounts/avatars/images.ts'
import type { Server } from './access/work.ts'
import { createReaderCheck } from './accounts/notifications/notification.service.ts'
import { startDigests } from './accounts/notifications/workers.ts'
import { createKeyLookup } from './credentials/callers/key-caller.ts'
import { createSessionLookup } from './credentials/callers/session-caller.ts'
import { PasswordHasher } from './credentials/passwords/hasher.ts'
import { AccessTokens } from './credentials/sessions/access-token.ts'
import { Presence } from './credentials/sessions/presence.ts'
import { SigningKeys } from './credentials/signing-keys/signing-keys.ts'
import type { Database } from './database/orm.ts'
import type { WaitingRequest } from './flows/mail-requests/mail-request.service.ts'
import { createMailRequestWorker } from './flows/mail-requests/mail-request.worker.ts'
import type { Node } from './graphql/context.ts'
import { buildGuardedSchema, buildOpenSchema, printSorted } from './graphql/schema.ts'
import { registerGraphql } from './http/apollo.ts'
import { registerCaller } from './http/authenticate.ts'
import { registerAvatars } from './http/avatars.ts'
import { registerErrors } from './http/errors.ts'
import { registerGraphiql } from './http/graphiql.ts'
import { registerHealth } from './http/health.ts'
import { registerJwks } from './http/jwks.ts'
import { registerMailbox } from './http/mailbox.ts'
import { registerMetrics } from './http/metrics.ts'
import { registerTracing } from './http/tracing.ts'
import { registerBudget } from './http/request-budget.ts'
import { registerPages } from './http/pages/pages.ts'
import { registerStopPage } from './http/pages/stop-page.ts'
import { sealSeedsAnew } from './credentials/totp/reseal.ts'
import { startChores } from './credentials/purge/chores.ts'
import { Refusals } from './operations/audit/refusals.ts'
import { startAudit } from './operations/audit/workers.ts'
import { sealSecretsAnew } from './operations/webhooks/reseal.ts'
import { startWebhooks } from './operations/webhooks/workers.ts'
import { startWorkflows } from './operations/workflows/workers.ts'
import { Jobs } from './outbox/jobs.ts'
import type { QueueName } from './outbox/queues.ts'
import { createCourier } from './outbox/mail/courier.ts'
import { Mailbox } from './outbox/mail/mailbox.ts'
import type { QueuedMail } from './outbox/mail/mail.service.ts'
import { smtpTransport } from './outbox/mail/transport.ts'
import { isLoopback, type Config } from './shared/config.ts'
import { Metrics } from './shared/metrics.ts'
import { KeyRing } from './shared/seal.ts'
import { newId } from './shared/tokens.ts'
import { openTracing } from './shared/tracing.ts'

export interface AppOptions {
  config: Config
  database: Database
  /** The present; tests bring a clock of their own. */
  clock?: () => Date
  /** Where the log goes. Default: standard output. */
  log?: DestinationStream
}

/** A server with everything wired and nothing started. */
export interface App {
  http: FastifyInstance
  node: Node
  /** The mails kept instead of sent, without SMTP. */
  mailbox: Mailbox | null
  /** Begins to work the queues. */
  start(): Promise<void>
  /** Finishes what is under way, then stops. */
  stop(): Promise<void>
}

export async function buildApp({
  config,
  database,
  clock = () => new Date(),
  log,
}: AppOptions): Promise<App> {
  const http = Fastify({
    logger: {
      level: config.LOG_LEVEL,
      serializers: { req: describeRequest, err: describeError },
      ...(log && { stream: log }),
    },
    genReqId: newId,
    trustProxy: trusted(config.TRUST_PROXY),
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    requestTimeout: 30_000,
  })
  const { system } = database.store
  const keys = new KeyRing(config.SECRET_KEY)
  const tracing = config.OTEL_EXPORTER_OTLP_ENDPOINT
    ? await openTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT)
    : null
  const jobs = new Jobs(
    system,
    config.DATABASE_URL === undefined,
    error => http.log.warn({ err: error }, 'the queue stumbled'),
    tracing ? (queue, run) => tracing.job(queue, run) : undefined,
  )
  const signingKeys = new SigningKeys(system, keys, clock)
  await signingKeys.load()
  const presence = new Presence(system, error =>
    http.log.warn({ err: error }, 'last-seen was not written'),
  )
  const mailbox = config.SMTP_URL ? null : new Mailbox()
  const transport = config.SMTP_URL ? smtpTransport(config.SMTP_URL) : mailbox!
  const ceilings = { idle: config.SESSION_IDLE_SECONDS, lifetime: config.SESSION_LIFETIME_SECONDS }
  const metrics = new Metrics()
  database.store.observe((text, began) => {
    const name = metrics.statement(text, began)
    tracing?.ended(name, began, { 'db.system.name': 'postgresql' })
  })
  const server: Server = {
    config,
    keys,
    enqueue: (work, queue, data, delay) => jobs.enqueue(work, queue as QueueName, data, delay),
    enqueueAll: (work, queue, data) => jobs.enqueueAll(work, queue as QueueName, data),
    metrics,
  }
  const node: Node = {
    database,
    server,
    hasher: new PasswordHasher({
      memory: config.ARGON2_MEMORY_KIB,
      passes: config.ARGON2_TIME,
      concurrency: config.ARGON2_CONCURRENCY,
    }),
    tokens: new AccessTokens({
      keys: signingKeys,
      publicUrl: config.PUBLIC_URL,
      seconds: config.ACCESS_TOKEN_SECONDS,
      now: clock,
    }),
    lookUpSession: createSessionLookup(system, ceilings, clock),
    lookUpKey: createKeyLookup(system, clock),
    refusals: new Refusals({
      store: database.store,
      server,
      onError: err => http.log.error({ err }, 'a refusal was not written down'),
    }),
    clock,
  }
  const state = { stopping: false }

  registerErrors(http)
  http.decorate('metrics', metrics)
  if (tracing) registerTracing(http, tracing)
  registerMetrics(http, { config, metrics, store: database.store, hasher: node.hasher })
  // a connection kept open after its last answer would keep the server from ending
  http.addHook('onSend', (_request, reply, _payload, done) => {
    if (state.stopping) reply.header('connection', 'close')
    done()
  })
  // read where they are needed, for most requests bring none
  await http.register(fastifyCookie, { hook: false })
  // without it browsers keep other origins out by themselves
  if (config.CORS_ORIGINS.length) await http.register(fastifyCors, corsFor(config))
  registerHealth(http, database.store, state)
  registerJwks(http, signingKeys)
  if (mailbox && isLoopback(config.HOST)) registerMailbox(http, mailbox)
  await http.register(async pages => registerPages(pages, node))
  await http.register(async scope => registerStopPage(scope, node))
  await http.register(async scope => registerAvatars(scope, node))
  if (config.GRAPHIQL) {
    const sdl = printSorted(await buildOpenSchema())
    await http.register(async scope => registerGraphiql(scope, { sdl }))
  }
  await http.register(async scope => {
    registerCaller(scope, node, presence)
    await registerBudget(scope, config)
    await registerGraphql(scope, node, await buildGuardedSchema(), tracing)
  })

  const courier = createCourier({
    keys,
    transport,
    from: config.MAIL_FROM,
    publicUrl: config.PUBLIC_URL,
    now: clock,
    isWanted: createReaderCheck(system),
    onSkipped: (reason, job) => http.log.info({ job, reason }, 'a mail was not sent'),
  })
  const serveMailRequest = createMailRequestWorker({
    store: database.store,
    server: node.server,
    now: clock,
  })
  return {
    http,
    node,
    mailbox,
    start: async () => {
      presence.start()
      signingKeys.start(err => http.log.warn({ err }, 'the signing keys were not read'))
      await jobs.start()
      const sealAnew = [sealSeedsAnew, sealSecretsAnew]
      await startChores({ jobs, system, keys, ceilings, sealAnew, clock, log: http.log })
      await jobs.consume<QueuedMail>('mail', courier, ({ job, attempt, final, error: err }) => {
        if (final) http.log.error({ job, attempt, err }, 'a mail was given up')
        else if (attempt === 1) http.log.warn({ job, err }, 'a mail was not delivered yet')
        else http.log.debug({ job, attempt, err }, 'a mail was not delivered yet')
      })
      await jobs.consume<UnwantedImage>(
        'unwanted-image',
        image => removeUnwanted(imagesOf(config, system), system, image, clock()),
        ({ job, attempt, error: err }) =>
          http.log.warn({ job, attempt, err }, 'an image was not removed yet'),
      )
      await jobs.consume<WaitingRequest>('mail-request', serveMailRequest, failure => {
        const { job, attempt, error: err } = failure
        http.log.warn({ job, attempt, err }, 'a request for a mail was not served yet')
      })
      await startAudit({ jobs, database, server: node.server, now: clock, log: http.log })
      await startDigests({
        jobs,
        store: database.store,
        server: node.server,
        now: clock,
        log: http.log,
      })
      await startWebhooks({ jobs, database, server: node.server, now: clock, log: http.log })
      await startWorkflows({ jobs, database, server: node.server, now: clock, log: http.log })
    },
    stop: async () => {
      state.stopping = true
      signingKeys.stop()
      await Promise.all([http.close(), jobs.stop()])
      await node.hasher.settle()
      await node.refusals.settle()
      await presence.stop()
      await tracing?.stop()
      transport.close()
      await database.close()
    },
  }
}

const corsFor = (config: Config): FastifyCorsOptions => ({
  origin: config.CORS_ORIGINS,
  credentials: true,
  methods: ['POST', 'PUT'],
  allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'apollo-require-preflight'],
  exposedHeaders: [
    'x-request-id',
    'retry-after',
    'ratelimit-limit',
    'ratelimit-remaining',
    'ratelimit-reset',
  ],
  maxAge: 600,
})

/** A number of hops, or addresses and ranges. */
const trusted = (proxies: Config['TRUST_PROXY']) =>
  typeof proxies === 'number' ? (_address: string, hop: number) => hop < proxies : proxies

/** What is logged of a request: never its query, which may hold a link's token. */
const describeRequest = (request: { method: string; url: string; ip?: string }) => ({
  method: request.method,
  path: request.url.split('?')[0],
  ip: request.ip,
})

interface Failing {
  name?: string
  message?: string
  stack?: string
  code?: unknown
  constraint?: unknown
  cause?: unknown
}

interface LoggedError {
  type: string
  message: string
  stack: string
  [more: string]: unknown
}

/** What is logged of an error: not the row, the statement's values or the bytes at which something failed. */
function describeError(error: Failing): LoggedError {
  const { name: type = 'Error', message = '', stack = '', code, constraint, cause } = error
  return {
    type,
    message,
    stack,
    code,
    constraint,
    ...(cause instanceof Error && { cause: describeError(cause) }),
  }
}
