import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RequestInfo } from '../access/work.ts'
import type { Caller } from '../credentials/callers/caller.ts'
import { toDate } from '../database/columns.ts'
import { isPassing } from '../database/failures.ts'
import type { Node } from '../graphql/context.ts'
import type { Presence } from '../credentials/sessions/presence.ts'
import { refuse } from './refuse.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null
  }
}

const BEARER = /^Bearer ([\x21-\x7e]+)$/i

/**
 * Turns `Authorization: Bearer …` into the caller. It alone decides: a cookie never does. Without the header nobody
 * calls; with one that does not hold, the request ends here, whatever it asked for.
 */
export function registerCaller(app: FastifyInstance, node: Node, presence: Presence): void {
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    const header = request.headers.authorization
    if (header === undefined) return
    try {
      const caller = await readCaller(node, header)
      if (!caller) return refuseCredential(request, reply)
      request.caller = caller
      const { sessionId, principalId } = caller.viewer
      presence.note(sessionId, principalId, toDate(caller.lastActiveAt), node.clock())
    } catch (error) {
      if (!isPassing(error)) throw error
      request.log.warn({ err: error, requestId: request.id }, 'a request was put off')
      return refuse(reply, 503, {
        message: 'The server is busy or restarting. Send the same request again shortly.',
        code: 'SERVICE_UNAVAILABLE',
        retryAfter: 1,
        requestId: request.id,
      })
    }
  })
}

async function readCaller(node: Node, header: string): Promise<Caller | null> {
  const token = BEARER.exec(header)?.[1]
  const verified = token ? await node.tokens.verify(token) : null
  if (!verified) return null
  const caller = await node.lookUp(verified.sessionId)
  // a switch raises the generation: tokens from before it name a place that is no longer the session's
  const holds =
    caller && caller.viewer.userId === verified.userId && caller.generation === verified.generation
  return holds ? caller : null
}

const refuseCredential = (request: FastifyRequest, reply: FastifyReply) =>
  refuse(reply.header('www-authenticate', 'Bearer error="invalid_token"'), 401, {
    message: 'This access token does not hold. Refresh the session, or sign in again.',
    code: 'UNAUTHENTICATED',
    reason: 'SESSION_ENDED',
    requestId: request.id,
  })

const LONGEST_USER_AGENT = 512

export const requestInfo = (request: FastifyRequest): RequestInfo => ({
  requestId: request.id,
  ipAddress: request.ip,
  userAgent: request.headers['user-agent']?.slice(0, LONGEST_USER_AGENT) ?? null,
})
