import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

// As a source this file lives in src/http, compiled in dist/src/http.
const BUNDLE = join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '../../dist/explorer' : '../../explorer',
)

const HEADERS = {
  // The editor writes its styles into the page and carries its fonts and icons as data; nothing leaves this origin.
  'content-security-policy': [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self' data:",
    "img-src 'self' data:",
    "worker-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Serves GraphiQL on `/graphiql`, from bundled files and with the schema it explores beside it. */
export async function registerGraphiql(
  app: FastifyInstance,
  options: { sdl: string },
): Promise<void> {
  await app.register(async scope => {
    scope.addHook('onRequest', async (_request, reply) => {
      reply.headers(HEADERS)
    })

    scope.get('/graphiql', async (_request, reply) => {
      const page = await readFile(join(BUNDLE, 'index.html'), 'utf8').catch(() => null)
      reply.header('cache-control', 'no-cache')
      if (page !== null) return reply.type('text/html; charset=utf-8').send(page)
      return reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send('The explorer is not built yet: run `npm run build:explorer` and reload.')
    })

    scope.get('/graphiql/', async (_request, reply) => reply.redirect('/graphiql'))

    scope.get('/graphiql/schema.graphql', async (_request, reply) =>
      reply.header('cache-control', 'no-cache').type('text/plain; charset=utf-8').send(options.sdl),
    )

    // Names carry a hash of what is inside, so a copy never goes stale.
    await scope.register(fastifyStatic, {
      root: join(BUNDLE, 'assets'),
      prefix: '/graphiql/assets/',
      decorateReply: false,
      suppressWarning: true, // a missing bundle is told to whoever opens the page
      index: false,
      immutable: true,
      maxAge: '1y',
    })
  })
}
