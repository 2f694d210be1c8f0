import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { RequestInfo } from '../access/work.ts'
import type { Caller } from '../credentials/callers/caller.ts'
import { isInRanges } from '../credentials/api-keys/ip-ranges.ts'
import { hasKeyPrefix, isWellFormed } from '../credentials/api-keys/secret.ts'
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
      const caller = await readCaller(node, request, header)
      if (!caller) return await refuseCredential(request, reply)
      request.caller = caller
      presence.note(caller, request.ip, node.clock())
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

async function readCaller(
  node: Node,
  request: FastifyRequest,
  header: string,
): Promise<Caller | null> {
  const token = BEARER.exec(header)?.[1]
  if (!token) return null
  return hasKeyPrefix(token) ? byKey(node, token, request.ip) : byAccessToken(node, token)
}

async function byAccessToken(node: Node, token: string): Promise<Caller | null> {
  const verified = await node.tokens.verify(token)
  if (!verified) return null
  const caller = await node.lookUpSession(verified.sessionId)
  // a switch raises the generation: tokens from before it name a place that is no longer the session's
  const holds =
    caller && caller.viewer.userId === verified.userId && caller.generation === verified.generation
  return holds ? caller : null
}

async function byKey(node: Node, token: string, address: string): Promise<Caller | null> {
  const caller = isWellFormed(token) ? await node.lookUpKey(token) : null
  const ranges = caller?.apiKey?.allowedIpRanges
  return caller && (!ranges || isInRanges(address, ranges)) ? caller : null
}

const refuseCredential = (request: FastifyRequest, reply: FastifyReply) =>
  refuse(reply.header('www-authenticate', 'Bearer error="invalid_token"'), 401, {
    message:
      'This access token or API key does not hold. Refresh the session, sign in again, or take another key.',
    code: 'UNAUTHENTICATED',
    reason: hasKeyPrefix(BEARER.exec(request.headers.authorization ?? '')?.[1] ?? '')
      ? 'KEY_INVALID'
      : 'SESSION_ENDED',
    requestId: request.id,
  })

const LONGEST_USER_AGENT = 512

export const requestInfo = (request: FastifyRequest): RequestInfo => ({
  requestId: request.id,
  ipAddress: request.ip,
  userAgent: request.headers['user-agent']?.slice(0, LONGEST_USER_AGENT) ?? null,
  acceptLanguage: request.headers['accept-language'],
  idempotencyKey: request.headers['idempotency-key']?.toString() ?? null,
})
