import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KeyRing } from '../../src/shared/seal.ts'

const [OLD, NEW, OTHER] = [1, 2, 3].map(byte => Buffer.alloc(32, byte)) as [Buffer, Buffer, Buffer]
const ring = new KeyRing([OLD])

test('what is sealed opens again, and never looks the same twice', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (plain, purpose) => {
      const sealed = ring.seal(purpose, plain)
      expect(ring.open(purpose, sealed)).toBe(plain.toWellFormed())
      expect(ring.seal(purpose, plain)).not.toBe(sealed)
    }),
  )
})

test('sealed text does not contain what it seals', () => {
  const secret = randomBytes(24).toString('base64url')
  expect(ring.seal('mail', secret)).not.toContain(secret)
})

test('what was sealed for one purpose does not open for another', () => {
  const sealed = ring.seal('mail', 'plain')
  expect(() => ring.open('signing key', sealed)).toThrow(/./)
})

test('a change anywhere is noticed', () => {
  const sealed = ring.seal('mail', 'a link with a token')
  const parts = sealed.split('.')
  parts.forEach((part, index) => {
    const bytes = Buffer.from(part, 'base64url')
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      const text = parts.with(index, changed.toString('base64url')).join('.')
      expect(() => ring.open('mail', text), text).toThrow(/./)
    }
    expect(() => ring.open('mail', parts.with(index, '').join('.'))).toThrow(/./)
  })
  expect(() => ring.open('mail', parts.slice(0, 3).join('.'))).toThrow(/./)
  // a short tag would be easier to guess
  const short = Buffer.from(parts[2]!, 'base64url').subarray(0, 4).toString('base64url')
  expect(() => ring.open('mail', parts.with(2, short).join('.'))).toThrow(/./)
})

test('text that was never sealed does not open', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      expect(() => ring.open('mail', text)).toThrow(/./)
    }),
  )
})

describe('when the secret is rotated', () => {
  const rotated = new KeyRing([NEW, OLD])

  test('the old key still opens what it sealed, and the new one seals', () => {
    expect(rotated.open('mail', ring.seal('mail', 'from before'))).toBe('from before')
    const fresh = rotated.seal('mail', 'from now on')
    expect(new KeyRing([NEW]).open('mail', fresh)).toBe('from now on')
    expect(() => ring.open('mail', fresh)).toThrow('No key opens this mail.')
  })

  test('what the old key sealed is lost once that key is gone', () => {
    const sealed = ring.seal('mail', 'from before')
    expect(() => new KeyRing([NEW, OTHER]).open('mail', sealed)).toThrow('No key opens this mail.')
  })

  test('derived keys come in the order of the ring, one for each purpose', () => {
    const keys = (from: KeyRing, purpose: string) =>
      from.derived(purpose).map(key => key.export().toString('hex'))
    expect(keys(rotated, 'cursor')).toEqual([
      ...keys(new KeyRing([NEW]), 'cursor'),
      ...keys(ring, 'cursor'),
    ])
    expect(keys(ring, 'cursor')).not.toEqual(keys(ring, 'refresh token'))
    expect(keys(ring, 'cursor')).not.toEqual([OLD.toString('hex')])
  })
})

test('a ring without keys is refused', () => {
  expect(() => new KeyRing([])).toThrow('at least one key')
})
