import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openSeed, sealSeed } from '../../src/credentials/totp/seed.ts'
import {
  codeAt,
  enrolmentUri,
  newSeed,
  readTotpCode,
  stepAt,
  stepsOf,
} from '../../src/credentials/totp/totp.ts'
import { KeyRing } from '../../src/shared/seal.ts'

// "12345678901234567890", the seed of RFC 6238
const SEED = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const at = (seconds: number) => new Date(seconds * 1000)

describe('codes', () => {
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %i seconds are those of RFC 6238, appendix B', (seconds, code) => {
    expect(codeAt(SEED, stepAt(at(seconds)))).toBe(code)
    expect(stepsOf(SEED, code, at(seconds))).toEqual([stepAt(at(seconds))])
  })

  test('are taken one step before and one after their own, and no further', () => {
    const now = at(1_700_000_000)
    const present = stepAt(now)
    for (const steps of [-1, 0, 1])
      expect(stepsOf(SEED, codeAt(SEED, present + steps), now)).toEqual([present + steps])
    for (const steps of [-3, -2, 2, 3])
      expect(stepsOf(SEED, codeAt(SEED, present + steps), now)).toEqual([])
  })

  test('are read with the spaces that apps show, and as nothing else than six digits', () => {
    for (const text of ['123456', '123 456', ' 12 34 56 ', '123-456', '１２３４５６'])
      expect(readTotpCode(text)).toBe('123456')
    for (const text of ['', '12345', '1234567', '12345a', '١٢٣٤٥٦', '123456\u0000', '-1e100'])
      expect(readTotpCode(text), text).toBeNull()
  })
})

test('seeds have 160 bits, and none is like another', () => {
  const seeds = Array.from({ length: 50 }, newSeed)
  expect(new Set(seeds).size).toBe(50)
  for (const seed of seeds) expect(seed).toMatch(/^[A-Z2-7]{32}$/)
})

test('the address for an app keeps issuer and login apart, whatever they hold', () => {
  const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  fc.assert(
    fc.property(text, text, (issuer, login) => {
      const uri = enrolmentUri(issuer, login, SEED)
      expect(uri).toMatch(/^otpauth:\/\/totp\/[^/?#]*\?secret=[A-Z2-7]+&/)
      const [label, query] = uri.slice('otpauth://totp/'.length).split('?') as [string, string]
      expect(label.split(':').map(decodeURIComponent)).toEqual([issuer, login])
      expect(query).not.toContain('+')
      expect(new URLSearchParams(query).get('issuer')).toBe(issuer)
    }),
  )
})

describe('a sealed seed', () => {
  const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

  test('opens for its own factor, with every key of the ring, and for no other', () => {
    const sealed = sealSeed(new KeyRing([first]), 'factor', SEED)
    expect(openSeed(new KeyRing([second, first]), 'factor', sealed)).toBe(SEED)
    expect(() => openSeed(new KeyRing([first]), 'another', sealed)).toThrow('another factor')
    expect(() => openSeed(new KeyRing([second]), 'factor', sealed)).toThrow('No key')
  })
})
