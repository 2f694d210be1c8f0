import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RefreshCookie } from '../graphql/context.ts'

const COOKIE = '__Host-gatehouse-refresh'

/** The refresh token of a browser: kept from scripts and other sites, bound to this host. */
export function refreshCookie(request: FastifyRequest, reply: FastifyReply): RefreshCookie {
  const options = { path: '/', httpOnly: true, secure: true, sameSite: 'strict' } as const
  return {
    read: () => request.cookies[COOKIE] ?? null,
    write: (token, expires) => void reply.setCookie(COOKIE, token, { ...options, expires }),
    clear: () => {
      if (request.cookies[COOKIE]) void reply.clearCookie(COOKIE, options)
    },
  }
}
