import type { Span } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import type { Tracing } from '../shared/tracing.ts'

declare module 'fastify' {
  interface FastifyRequest {
    span: Span | null
  }
}

/** One span for each request, named by its route; its address is not told, for it may hold a link's token. */
export function registerTracing(app: FastifyInstance, tracing: Tracing): void {
  app.decorateRequest('span', null)
  app.addHook('onRequest', (request, _reply, done) => {
    const parent = request.headers.traceparent
    const name = `${request.method} ${request.routeOptions.url ?? 'none'}`
    request.span = tracing.begin(name, typeof parent === 'string' ? parent : undefined)
    tracing.within(request.span, done)
  })
  // reading the body loses track of what belongs to what
  app.addHook('preHandler', (request, _reply, done) => {
    if (request.span) tracing.within(request.span, done)
    else done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    request.span?.setAttributes({
      'http.request.method': request.method,
      'http.route': request.routeOptions.url ?? 'none',
      'http.response.status_code': reply.statusCode,
      'gatehouse.request_id': request.id,
    })
    request.span?.end()
    done()
  })
}
