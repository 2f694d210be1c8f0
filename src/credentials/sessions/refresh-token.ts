import type { KeyRing } from '../../shared/seal.ts'
import { digest, mac, sameSecret } from '../../shared/tokens.ts'

const PREFIX = 'gr_'
const PURPOSE = 'refresh token'
const ID_BYTES = 16
const COUNTER_BYTES = 4
const MAC_BYTES = 32

/** What a refresh token names, once it has been found to be ours. */
export interface ReadRefreshToken {
  sessionId: string
  counter: number
  proof: Buffer
}

/**
 * The refresh token of a session with the given number: session, number, and an HMAC over both and the session's
 * random seed. So it can be made again to answer a repeated request, without ever having been stored; and an old
 * one is recognised as genuine by itself, which is what tells a theft from a guess.
 */
export function refreshToken(
  ring: KeyRing,
  sessionId: string,
  counter: number,
  seed: string,
  key = 0,
): string {
  const body = bodyOf(sessionId, counter)
  const proof = mac(
    ring.derived(PURPOSE)[key]!,
    Buffer.concat([body, Buffer.from(seed, 'base64url')]),
  )
  return PREFIX + Buffer.concat([body, proof]).toString('base64url')
}

/** Null for what has not the shape of a refresh token. */
export function readRefreshToken(token: string): ReadRefreshToken | null {
  if (!token.startsWith(PREFIX)) return null
  const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url')
  if (bytes.length !== ID_BYTES + COUNTER_BYTES + MAC_BYTES) return null
  const hex = bytes.subarray(0, ID_BYTES).toString('hex')
  const sessionId = [8, 12, 16, 20].reduceRight(
    (text, at) => `${text.slice(0, at)}-${text.slice(at)}`,
    hex,
  )
  return {
    sessionId,
    counter: bytes.readUInt32BE(ID_BYTES),
    proof: bytes.subarray(ID_BYTES + COUNTER_BYTES),
  }
}

/** True where any key of the ring once made this very token. */
export function isGenuine(ring: KeyRing, read: ReadRefreshToken, seed: string): boolean {
  const data = Buffer.concat([bodyOf(read.sessionId, read.counter), Buffer.from(seed, 'base64url')])
  return ring.derived(PURPOSE).some(key => sameSecret(mac(key, data), read.proof))
}

/** The token in force again, made by whichever key made it first. */
export function repeatToken(
  ring: KeyRing,
  sessionId: string,
  counter: number,
  seed: string,
  stored: string,
): string | null {
  for (const key of ring.derived(PURPOSE).keys()) {
    const token = refreshToken(ring, sessionId, counter, seed, key)
    if (digest(token) === stored) return token
  }
  return null
}

function bodyOf(sessionId: string, counter: number): Buffer {
  const body = Buffer.alloc(ID_BYTES + COUNTER_BYTES)
  Buffer.from(sessionId.replaceAll('-', ''), 'hex').copy(body)
  body.writeUInt32BE(counter, ID_BYTES)
  return body
}
