import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isSigned, LARGEST_IMAGE, receiveImage } from '../accounts/avatars/avatar.service.ts'
import { AVATAR_SIDES, AVATAR_TYPES } from '../accounts/avatars/image.ts'
import { databaseImages } from '../accounts/avatars/image-store.ts'
import type { Node } from '../graphql/context.ts'
import { AppError, notFound } from '../shared/errors.ts'
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
  const images = databaseImages(system)
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
        await receiveImage(system, upload, node.clock())
      } catch (error) {
        if (error instanceof AppError) return sayRefusal(request, reply, error)
        throw error
      }
      return reply.code(204).header('cache-control', 'no-store').send()
    },
  )

  app.get<{ Params: { key: string; file: string } }>(
    '/avatars/:key/:file',
    async ({ params: { key, file }, id }, reply) => {
      const side = SIDES.get(file)
      const bytes = side && KEY.test(key) ? await images.get(key, side) : null
      if (!bytes)
        return refuse(reply, 404, {
          message: 'There is no such image.',
          code: 'NOT_FOUND',
          requestId: id,
        })
      return reply.headers(IMAGE_HEADERS).send(bytes)
    },
  )
}

const sayRefusal = (
  { id }: FastifyRequest,
  reply: FastifyReply,
  { code, message, details: { reason } }: AppError,
) =>
  refuse(reply, code === 'NOT_FOUND' ? 404 : 400, {
    message,
    code,
    ...(reason && { reason }),
    requestId: id,
  })
