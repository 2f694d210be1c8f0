import type { FastifyInstance, FastifyRequest } from 'fastify'
import { raw, sql } from '../database/sql.ts'
import type { Store } from '../database/store.ts'
import type { PasswordHasher } from '../credentials/passwords/hasher.ts'
import { SCHEMA } from '../outbox/queues.ts'
import { isLoopback, type Config } from '../shared/config.ts'
import type { Levels, Metrics } from '../shared/metrics.ts'
import { digest, sameSecret } from '../shared/tokens.ts'
import { refuse } from './refuse.ts'

interface Watched {
  config: Config
  metrics: Metrics
  store: Store
  hasher: PasswordHasher
}

/**
 * `/metrics`, as Prometheus reads it: for whoever brings the token. Where none is set it answers this machine alone,
 * and in production nobody, for a proxy on the same machine would let everybody in.
 */
export function registerMetrics(app: FastifyInstance, watched: Watched): void {
  const { config, metrics } = watched
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    metrics.request(route, reply.statusCode, reply.elapsedTime / 1_000)
    done()
  })
  if (config.production && !config.METRICS_TOKEN) return
  app.get('/metrics', async (request, reply) => {
    if (!mayRead(request, config.METRICS_TOKEN))
      return refuse(reply.header('www-authenticate', 'Bearer'), 401, {
        message: 'Send the `METRICS_TOKEN` as `Authorization: Bearer …`.',
        code: 'UNAUTHENTICATED',
        requestId: request.id,
      })
    const text = await metrics.read(await readLevels(watched))
    return reply.header('cache-control', 'no-store').type(metrics.contentType).send(text)
  })
}

function mayRead(request: FastifyRequest, token: string | undefined): boolean {
  if (!token) return isLoopback((request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''))
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  return sameSecret(Buffer.from(digest(given)), Buffer.from(digest(token)))
}

async function readLevels({ store, hasher }: Watched): Promise<Levels> {
  return { queues: await readQueues(store), pools: store.pools, hashes: hasher.load }
}

/** Null where the database does not answer: then everything else is told all the same. */
const readQueues = (store: Store): Promise<Levels['queues']> =>
  store.system
    .rows<NonNullable<Levels['queues']>[number]>(
      sql`select q.name as queue,
        count(*) filter (where j.state < 'active' and j.start_after <= now())::int as due,
        count(*) filter (where j.state < 'active' and j.start_after > now())::int as later,
        count(*) filter (where j.state = 'active')::int as active,
        coalesce(extract(epoch from now() - min(j.start_after)
          filter (where j.state < 'active' and j.start_after <= now())), 0)::float as "ageSeconds"
      from ${raw(SCHEMA)}.queue q left join ${raw(SCHEMA)}.job j on j.name = q.name and j.state <= 'active'
      group by q.name`,
    )
    .catch(() => null)
