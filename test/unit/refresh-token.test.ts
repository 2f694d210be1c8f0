import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isGenuine,
  readRefreshToken,
  refreshToken,
  repeatToken,
} from '../../src/credentials/sessions/refresh-token.ts'
import { KeyRing } from '../../src/shared/seal.ts'
import { digest } from '../../src/shared/tokens.ts'

const OLD = Buffer.alloc(32, 1)
const NEW = Buffer.alloc(32, 2)
const ring = new KeyRing([OLD])
const seeds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map(bytes => Buffer.from(bytes).toString('base64url'))
const counters = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const SEED = randomBytes(32).toString('base64url')

test('a token names its session and number, and is known as genuine', () => {
  fc.assert(
    fc.property(fc.uuid(), counters, seeds, (id, counter, seed) => {
      const token = refreshToken(ring, id, counter, seed)
      expect(token).toMatch(/^gr_[\w-]+$/)
      const read = readRefreshToken(token)!
      expect(read).toMatchObject({ sessionId: id, counter })
      expect(isGenuine(ring, read, seed)).toBe(true)
    }),
  )
})

test('a token is genuine for its own session, number and seed alone', () => {
  const token = refreshToken(ring, ID, 7, SEED)
  const read = readRefreshToken(token)!
  const other = randomBytes(32).toString('base64url')
  expect(isGenuine(ring, read, other)).toBe(false)
  expect(isGenuine(ring, { ...read, counter: 8 }, SEED)).toBe(false)
  expect(isGenuine(ring, { ...read, sessionId: ID.replace('0', '1') }, SEED)).toBe(false)
  expect(isGenuine(new KeyRing([NEW]), read, SEED)).toBe(false)
})

test('a token with any byte changed is not genuine', () => {
  const bytes = Buffer.from(refreshToken(ring, ID, 7, SEED).slice(3), 'base64url')
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 0x80
    const read = readRefreshToken(`gr_${changed.toString('base64url')}`)
    expect(read && isGenuine(ring, read, SEED), `byte ${at}`).toBe(false)
  }
})

test('what has not the shape of a token is none', () => {
  const token = refreshToken(ring, ID, 7, SEED)
  for (const text of [
    '',
    'gr_',
    token.slice(3),
    token.slice(0, -4),
    `${token}AAAA`,
    `gs_${token.slice(3)}`,
  ])
    expect(readRefreshToken(text), text).toBeNull()
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(readRefreshToken(text)).toBeNull()
      const read = readRefreshToken(`gr_${text}`)
      expect(read === null || !isGenuine(ring, read, SEED)).toBe(true)
    }),
  )
})

test('a token can be made again after a rotation of the secret, by the key that made it', () => {
  const token = refreshToken(ring, ID, 7, SEED)
  const rotated = new KeyRing([NEW, OLD])
  expect(isGenuine(rotated, readRefreshToken(token)!, SEED)).toBe(true)
  expect(repeatToken(rotated, ID, 7, SEED, digest(token))).toBe(token)
  expect(refreshToken(rotated, ID, 7, SEED)).not.toBe(token)
  expect(repeatToken(new KeyRing([NEW]), ID, 7, SEED, digest(token))).toBeNull()
})
