import { describe, expect, test } from 'vitest'
import {
  newRecoveryCode,
  readRecoveryCode,
  recoveryDigests,
} from '../../src/credentials/recovery-codes/recovery-code.ts'
import { KeyRing } from '../../src/shared/seal.ts'

test('codes are easily told apart, and none is like another', () => {
  const codes = Array.from({ length: 500 }, newRecoveryCode)
  expect(new Set(codes).size).toBe(500)
  for (const code of codes) {
    expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}$/)
    expect(readRecoveryCode(code)).toBe(code.replace('-', ''))
  }
})

test.each([
  ['ABCDE-FGH10', 'abcdefgh10'],
  [' abcde fghlO ', 'abcdefgh10'],
  ['abcde–fghIo', 'abcdefgh10'],
  ['ａｂｃｄｅ－ｆｇｈ１０', 'abcdefgh10'],
])('%j is read as %s', (text, code) => {
  expect(readRecoveryCode(text)).toBe(code)
})

test.each(['', 'abcde', 'abcde-fgh1', 'abcde-fgh101', 'abcde-fgh1u', 'abcde-fgh1\u0000', '%'])(
  '%j is none',
  text => {
    expect(readRecoveryCode(text)).toBeNull()
  },
)

describe('what is stored in the place of a code', () => {
  const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]

  test('is told by every key of the ring, the newest first, and differs from account to account', () => {
    const [old] = recoveryDigests(new KeyRing([first]), 'a', 'abcdefgh10')
    const both = recoveryDigests(new KeyRing([second, first]), 'a', 'abcdefgh10')
    expect(both[1]).toBe(old)
    expect(both[0]).not.toBe(old)
    expect(recoveryDigests(new KeyRing([first]), 'b', 'abcdefgh10')[0]).not.toBe(old)
    expect(recoveryDigests(new KeyRing([first]), 'a', 'abcdefgh11')[0]).not.toBe(old)
  })
})
