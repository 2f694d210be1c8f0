import type { FastifyInstance } from 'fastify'
import type { SigningKeys } from '../credentials/signing-keys/signing-keys.ts'

/** Publishes the keys that verify access tokens (RFC 7517), for other services. */
export function registerJwks(app: FastifyInstance, keys: SigningKeys): void {
  app.get('/.well-known/jwks.json', async (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=300')
      .type('application/jwk-set+json')
      .send(JSON.stringify(keys.published())),
  )
}
