import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RefreshCookie } from '../graphql/context.ts'

const COOKIE = '__Host-gatehouse-refresh'

/** The refresh token of a browser: kept from scripts and other sites, bound to this host. */
export function refreshCookie(request: FastifyRequest, reply: FastifyReply): RefreshCookie {
  const read = () => request.server.parseCookie(request.headers.cookie ?? '')[COOKIE] ?? null
  const options = { path: '/', httpOnly: true, secure: true, sameSite: 'strict' } as const
  return {
    read,
    write: (token, expires) => void reply.setCookie(COOKIE, token, { ...options, expires }),
    clear: () => {
      if (read()) void reply.clearCookie(COOKIE, options)
    },
  }
}
