import fastifyRateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sourceOf } from '../credentials/throttle/throttle.service.ts'
import type { Config } from '../shared/config.ts'

const MOST_CALLERS = 50_000

/**
 * Gives each caller so many requests a minute on this node, and tells them how many are left by the `RateLimit` headers
 * (IETF httpapi draft 7 and before). It keeps one caller from crowding out the others and is no security limit: counts
 * are in memory, and forgotten at a restart.
 */
export async function registerBudget(app: FastifyInstance, config: Config): Promise<void> {
  await app.register(fastifyRateLimit, {
    max: config.REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    store: Counts,
    enableDraftSpec: true,
    // once the caller is known, before the body is read
    hook: 'preParsing',
    keyGenerator: callerOf,
    errorResponseBuilder: (_request, { ttl }) =>
      Object.assign(new Error('The caller has spent its budget.'), {
        statusCode: 429,
        retryAfter: Math.max(1, Math.ceil(ttl / 1000)),
      }),
  })
}

/**
 * How many requests each caller has made in their minute. The library's own store hands out its running count, which
 * requests that come at once would share: all of them would be refused where some had budget left.
 */
class Counts implements FastifyRateLimitStore {
  readonly #minutes = new Map<string, { count: number; endsAt: number }>()

  incr(
    caller: string,
    tell: (error: Error | null, result?: { current: number; ttl: number }) => void,
    timeWindow: number,
  ): void {
    const now = Date.now()
    const known = this.#minutes.get(caller)
    const minute = known && known.endsAt > now ? known : { count: 0, endsAt: now + timeWindow }
    minute.count += 1
    // the latest stand last, so that who was away longest is forgotten first
    this.#minutes.delete(caller)
    this.#minutes.set(caller, minute)
    if (this.#minutes.size > MOST_CALLERS) this.#minutes.delete(this.#minutes.keys().next().value!)
    tell(null, { current: minute.count, ttl: minute.endsAt - now })
  }

  child(): this {
    return this
  }
}

/** A person or service account, whatever credential they use; without one, where the request comes from. */
const callerOf = ({ caller, ip }: FastifyRequest): string =>
  caller?.viewer.userId ?? caller?.viewer.principalId ?? sourceOf(ip)
