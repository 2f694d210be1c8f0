import type { FastifyReply } from 'fastify'
import type { Metrics } from '../shared/metrics.ts'

declare module 'fastify' {
  interface FastifyInstance {
    metrics: Metrics
  }
}

export interface Refusal {
  message: string
  code: string
  reason?: string
  /** Seconds. */
  retryAfter?: number
  requestId: string
}

/** Ends a request before GraphQL has seen it, in the shape of a GraphQL request error. */
export function refuse(
  reply: FastifyReply,
  status: number,
  { message, ...extensions }: Refusal,
): FastifyReply {
  reply.server.metrics.refused(extensions.code, extensions.reason)
  if (extensions.retryAfter !== undefined)
    reply.header('retry-after', String(extensions.retryAfter))
  return reply
    .code(status)
    .header('content-type', 'application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(JSON.stringify({ errors: [{ message, extensions }] }))
}
