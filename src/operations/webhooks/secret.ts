import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import type { KeyRing } from '../../shared/seal.ts'

const PURPOSE = 'webhook secret'
const BYTES = 32

/** A new signing secret, as receivers put it into their library: `whsec_…`. */
export const newSecret = (): string => `whsec_${randomBytes(BYTES).toString('base64')}`

/** Seals a secret for one webhook: in the row of another it does not open. */
export const sealSecret = (ring: KeyRing, webhookId: string, secret: string): string =>
  ring.seal(PURPOSE, `${webhookId} ${secret}`)

/** @throws where no key of the ring sealed it, or it was sealed for another webhook. */
export function openSecret(ring: KeyRing, webhookId: string, sealed: string): string {
  const [owner, secret] = ring.open(PURPOSE, sealed).split(' ')
  if (owner !== webhookId || !secret)
    throw new Error('A secret lies in the row of another webhook.')
  return secret
}

/** The headers of Standard Webhooks, with a signature for each secret. */
export const signatureHeaders = (
  secrets: string[],
  id: string,
  at: Date,
  body: string,
): Record<string, string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
  'webhook-signature': secrets.map(secret => new Webhook(secret).sign(id, at, body)).join(' '),
})
