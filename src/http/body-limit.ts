import type { FastifyRequest, preParsingHookHandler, RequestPayload } from 'fastify'
import { Transform } from 'node:stream'

/** Bytes with a caller. */
export const BODY_LIMIT = 1_000_000
/** Bytes without one. */
const ANONYMOUS_BODY_LIMIT = 100_000

const tooLarge = () =>
  Object.assign(new Error('The request body is too large.'), {
    statusCode: 413,
    code: 'FST_ERR_CTP_BODY_TOO_LARGE',
  })

/** Refuses large bodies of nobody in particular before they are read. */
export const anonymousBodyLimit: preParsingHookHandler = (request, _reply, payload, done) => {
  if (request.caller) return done(null, payload)
  if (Number(request.headers['content-length'] ?? 0) > ANONYMOUS_BODY_LIMIT) return done(tooLarge())
  done(null, counted(request, payload))
}

/** A body sent in pieces does not say how long it will be. */
function counted(request: FastifyRequest, payload: RequestPayload): RequestPayload {
  if (request.headers['content-length'] !== undefined) return payload
  let bytes = 0
  return payload.pipe(
    new Transform({
      transform(chunk: Buffer, _encoding, callback) {
        bytes += chunk.length
        callback(bytes > ANONYMOUS_BODY_LIMIT ? tooLarge() : null, chunk)
      },
    }),
  )
}
