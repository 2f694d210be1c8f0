import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  isSigned,
  LARGEST_IMAGE,
  receiveImage,
  UNDECIDED_SECONDS,
} from '../accounts/avatars/avatar.service.ts'
import { AVATAR_SIDES, AVATAR_TYPES } from '../accounts/avatars/image.ts'
import { imagesOf, type UnwantedImage } from '../accounts/avatars/images.ts'
import type { Node } from '../graphql/context.ts'
import { transactForServer } from '../access/work.ts'
import { AppError, notFound, type ErrorCode } from '../shared/errors.ts'
import { refuse } from './refuse.ts'

const KEY = /^[\w-]{43}$/
const SIDES = new Map(AVATAR_SIDES.map(side => [`${side}.webp`, side]))
const IMAGE_HEADERS = {
  'content-type': 'image/webp',
  // an address names the same bytes for ever, and nobody can guess it
  'cache-control': 'public, max-age=31536000, immutable',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cross-origin-resource-policy': 'cross-origin',
}

/** Takes images in at their signed addresses, and serves avatars. */
export function registerAvatars(app: FastifyInstance, node: Node): void {
  const { system } = node.database.store
  const { config } = node.server
  const images = imagesOf(config, system)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(AVATAR_TYPES, { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )

  app.put<{ Params: { id: string }; Querystring: { signature?: string | string[] } }>(
    '/avatars/uploads/:id',
    {
      bodyLimit: LARGEST_IMAGE,
      onRequest: (request, reply, done) => {
        const { params, query } = request
        const signature = typeof query.signature === 'string' ? query.signature : ''
        if (isSigned(node.server.keys, params.id, signature)) return done()
        sayRefusal(request, reply, notFound('upload'))
      },
    },
    async (request, reply) => {
      const { params, headers, body } = request
      const upload = {
        id: params.id,
        contentType: headers['content-type'] ?? '',
        bytes: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
      }
      try {
        const remember = (key: string) => forget(node, key, request.id)
        await receiveImage({ system, images, remember, now: node.clock() }, upload)
      } catch (error) {
        if (error instanceof AppError) return sayRefusal(request, reply, error)
        throw error
      }
      return reply.code(204).header('cache-control', 'no-store').send()
    },
  )

  app.get<{ Params: { key: string; file: string } }>(
    '/avatars/:key/:file',
    async (request, reply) => {
      const { key, file } = request.params
      const side = SIDES.get(file)
      let bytes: Buffer | null
      try {
        bytes = side && KEY.test(key) ? await images.get(key, side) : null
      } catch (error) {
        if (error instanceof AppError) return sayRefusal(request, reply, error)
        throw error
      }
      if (bytes) return reply.headers(IMAGE_HEADERS).send(bytes)
      return refuse(reply, 404, {
        message: 'There is no such image.',
        code: 'NOT_FOUND',
        requestId: request.id,
      })
    },
  )
}

/** In a bucket nothing goes by itself: a job looks later whether the image is still wanted. */
async function forget(node: Node, key: string, requestId: string): Promise<void> {
  const { server, database, clock } = node
  if (!server.config.STORAGE_URL) return
  const tools = { store: database.store, server, now: clock }
  await transactForServer(tools, requestId, work =>
    server.enqueue(work, 'unwanted-image', { key } satisfies UnwantedImage, UNDECIDED_SECONDS),
  )
}

const STATUSES: Partial<Record<ErrorCode, number>> = { NOT_FOUND: 404, SERVICE_UNAVAILABLE: 503 }

function sayRefusal({ id, log }: FastifyRequest, reply: FastifyReply, error: AppError) {
  const { code, message, cause, details } = error
  const { reason, retryAfter } = details
  if (cause) log.warn({ err: cause, requestId: id }, 'the storage of images failed')
  return refuse(reply, STATUSES[code] ?? 400, {
    message,
    code,
    ...(reason && { reason }),
    ...(retryAfter !== undefined && { retryAfter }),
    requestId: id,
  })
}
