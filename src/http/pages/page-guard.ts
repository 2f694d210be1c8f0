import fastifyCsrf from '@fastify/csrf-protection'
import fastifyFormbody from '@fastify/formbody'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLoopback, type Config } from '../../shared/config.ts'

/** The name of the hidden field that carries a form's own token. */
export const CSRF_FIELD = '_csrf'

/** One field of a posted form; empty where it is missing or given twice. */
export function fieldOf(request: FastifyRequest, name: string): string {
  const value = (request.body as Record<string, unknown> | null | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}

/**
 * Lets through only forms that this server handed to this very browser: they bring a token that fits a cookie which
 * other sites can neither read nor make the browser send. Routes that change something name `app.csrfProtection`.
 */
export async function registerGuard(app: FastifyInstance, config: Config): Promise<void> {
  const https = config.PUBLIC_URL.startsWith('https:')
  // a form has one encoding; what a script of another site could send otherwise is not even read
  app.removeAllContentTypeParsers()
  await app.register(fastifyFormbody)
  app.addHook('onRequest', async request => {
    request.cookies = app.parseCookie(request.headers.cookie ?? '')
  })
  await app.register(fastifyCsrf, {
    cookieKey: https ? '__Host-gatehouse-form' : 'gatehouse-form',
    cookieOpts: { path: '/', httpOnly: true, sameSite: 'strict', secure: https },
    getToken: request => fieldOf(request, CSRF_FIELD),
    logLevel: 'info',
  })
  app.addHook('onRequest', async request => {
    if (request.method === 'POST' && isForeign(request, config))
      throw Object.assign(new Error('The form came from another site.'), { statusCode: 403 })
  })
}

/**
 * Whether the browser says that another site sent this. `Origin: null` says nothing: browsers send it from our own
 * pages, for those name no referrer, so there Sec-Fetch-Site and the token decide.
 */
function isForeign({ headers }: FastifyRequest, config: Config): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  const { origin } = headers
  if (origin === undefined || origin === 'null' || origin === config.PUBLIC_URL) return false
  return config.production || !isSameLoopback(origin, headers.host)
}

/** In development one server has several names: localhost, 127.0.0.1. */
function isSameLoopback(origin: string, host: string | undefined): boolean {
  const url = URL.parse(origin)
  return url != null && url.host === host && isLoopback(url.hostname)
}
