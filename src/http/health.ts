import type { FastifyInstance } from 'fastify'
import { sql } from '../database/sql.ts'
import type { Store } from '../database/store.ts'

/** `/healthz`: the process is alive. `/readyz`: it can serve, for its database answers and has its tables. */
export function registerHealth(
  app: FastifyInstance,
  store: Store,
  state: { stopping: boolean },
): void {
  app.get('/healthz', async () => ({ status: 'alive' }))
  app.get('/readyz', async (_request, reply) => {
    if (state.stopping) return reply.code(503).send({ status: 'stopping' })
    try {
      await store.system.rows(sql`select ${1}::int from platform_settings`)
      return { status: 'ready' }
    } catch (error) {
      app.log.warn({ err: error }, 'the database does not answer')
      return reply.code(503).header('retry-after', '1').send({ status: 'database away' })
    }
  })
}
