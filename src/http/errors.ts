import type { FastifyError, FastifyInstance } from 'fastify'
import { isPassing } from '../database/failures.ts'
import { refuse } from './refuse.ts'

/** Answers what goes wrong before or beside GraphQL, without telling what was inside. */
export function registerErrors(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    const requestId = request.id
    if (isPassing(error)) {
      request.log.warn({ err: error, requestId }, 'a request was put off')
      return refuse(reply, 503, {
        message: 'The server is busy or restarting. Send the same request again shortly.',
        code: 'SERVICE_UNAVAILABLE',
        retryAfter: 1,
        requestId,
      })
    }
    const status = error.statusCode ?? 500
    if (status === 429)
      return refuse(reply, 429, {
        message: 'Too many requests in a minute. Wait, then go on.',
        code: 'RATE_LIMITED',
        retryAfter: (error as { retryAfter?: number }).retryAfter ?? 60,
        requestId,
      })
    if (status >= 500) {
      request.log.error({ err: error, requestId }, 'a request failed')
      return refuse(reply, 500, {
        message: 'Something went wrong on our side. Quote the request id when reporting it.',
        code: 'INTERNAL_SERVER_ERROR',
        requestId,
      })
    }
    const message =
      status === 413 ? 'The request body is too large.' : 'This is not a request that can be read.'
    return refuse(reply, status, { message, code: 'BAD_REQUEST', requestId })
  })
  app.setNotFoundHandler(async (request, reply) =>
    refuse(reply, 404, {
      message: 'There is nothing here.',
      code: 'NOT_FOUND',
      requestId: request.id,
    }),
  )
}
