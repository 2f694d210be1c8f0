import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  afterPrefix,
  canonicalEmail,
  fold,
  searchWords,
  holdsLink,
  singleLine,
  slugOf,
} from '../../src/shared/normalise.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 100 })

describe('an email address', () => {
  test.each([
    ['ANN@Example.COM', 'ann@example.com'],
    ['  ann@example.com\n', 'ann@example.com'],
    ['ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ', 'ann@example.com'],
    ['ann@bücher.example', 'ann@xn--bcher-kva.example'],
    ['ann@bu\u0308cher.example', 'ann@xn--bcher-kva.example'],
    ['ann@XN--BCHER-KVA.example', 'ann@xn--bcher-kva.example'],
    ['ann@example。com', 'ann@example.com'],
    ['\u212Aate@example.com', 'kate@example.com'],
    ["o'neil+a/b=c@example.com", "o'neil+a/b=c@example.com"],
  ])('%j is %s', (input, canonical) => {
    expect(canonicalEmail(input)).toBe(canonical)
  })

  test.each([
    '',
    '@',
    'ann',
    'ann@',
    '@example.com',
    'ann@localhost',
    'ann@example',
    'ann@.com',
    'ann@example..com',
    'ann@-example.com',
    'ann@exam ple.com',
    'ann lee@example.com',
    'ann@b@example.com',
    'änn@example.com',
    'ann,bob@example.com',
    'ann@example.com,bob@example.com',
    'Ann <ann@example.com>',
    '"ann"@example.com',
    'ann@[127.0.0.1]',
    'ann@127.0.0.1',
    'ann@2130706433',
    'ann@0x7f.1',
    'ann\u0000@example.com',
    'ann\r\n@example.com',
    `${'a'.repeat(243)}@example.com`,
    'a'.repeat(100_000),
  ])('%j is none', input => {
    expect(canonicalEmail(input)).toBeNull()
  })

  test('has one form, which is its own, and is plain ASCII without anything that a mail header would mind', () => {
    const almost = fc
      .tuple(
        anyText,
        fc.constantFrom('@', '＠', ' @'),
        anyText,
        fc.constantFrom('.com', '.ＤＥ', ''),
      )
      .map(parts => parts.join(''))
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), almost), input => {
        const canonical = canonicalEmail(input)
        if (canonical === null) return
        expect(canonicalEmail(canonical)).toBe(canonical)
        expect(canonicalEmail(canonical.toUpperCase())).toBe(canonical)
        expect(canonical).toMatch(/^[!-+\--~]+$/)
        expect(canonical).not.toMatch(/[<>",;:()[\]\\]/)
        expect(canonical.split('@')).toHaveLength(2)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('folding', () => {
  test.each([
    ['Élan', 'elan'],
    ['E\u0301lan', 'elan'],
    ['ＥＬＡＮ', 'elan'],
    ['Łukasz', 'łukasz'],
    ['İstanbul', 'istanbul'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευσ'],
    ['οδυσσεύς', 'οδυσσευσ'],
    ['한글', '한글'],
  ])('%j becomes %j', (text, folded) => {
    expect(fold(text)).toBe(folded)
  })

  test('changes nothing a second time', () => {
    fc.assert(
      fc.property(anyText, text => {
        expect(fold(fold(text))).toBe(fold(text))
      }),
    )
  })

  test('makes the beginning of a word the beginning of the folded word, however it is written', () => {
    const word = fc.string({
      unit: fc.constantFrom(...'abcÀÉîøñŁßΣσςοΔдЖ漢字한ﬁ'),
      minLength: 2,
      maxLength: 12,
    })
    fc.assert(
      fc.property(word, fc.nat(), (text, cut) => {
        const whole = text.normalize('NFKC')
        const start = [...whole].slice(0, 1 + (cut % [...whole].length)).join('')
        expect(fold(whole).startsWith(fold(start))).toBe(true)
        expect(fold(whole.toUpperCase()).startsWith(fold(start.toUpperCase()))).toBe(true)
      }),
    )
  })
})

describe('the words of a search', () => {
  test('are folded, without repeats, signs or empty ones', () => {
    expect(searchWords('Ann-Marie  O’Neil', 'ann@Example.com', '…')).toEqual([
      'ann',
      'marie',
      'o',
      'neil',
      'example',
      'com',
    ])
  })

  test('are whole characters of bounded length, whatever comes in', () => {
    expect(searchWords('𐐷'.repeat(100))[0]!.isWellFormed()).toBe(true)
    fc.assert(
      fc.property(fc.array(anyText), texts => {
        for (const word of searchWords(...texts)) {
          expect(word.isWellFormed()).toBe(true)
          expect([...word].length).toBeLessThanOrEqual(64)
          expect(word).toMatch(/^[\p{L}\p{N}]+$/u)
        }
      }),
    )
  })

  test('lie below the end of the range that searches for their beginning, in the order of bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (prefix, rest) => {
        const [start, word, end] = [prefix, prefix + rest, afterPrefix(prefix)].map(text =>
          Buffer.from(text.toWellFormed()),
        ) as [Buffer, Buffer, Buffer]
        if (rest.startsWith('\u{10FFFF}')) return
        expect(Buffer.compare(start, word)).toBeLessThanOrEqual(0)
        expect(Buffer.compare(word, end)).toBeLessThan(0)
      }),
    )
  })
})

describe('a line of text', () => {
  test.each([
    ['  Ann ', 'Ann'],
    ['Zoe\u0308', 'Zoë'],
    ['Ann\n', 'Ann'],
    ['山田 太郎', '山田 太郎'],
    ["O'Neil, Jr. <ann@example.com>", "O'Neil, Jr. <ann@example.com>"],
    ['👩‍🚀', '👩‍🚀'],
  ])('%j is kept as %j', (input, kept) => {
    expect(singleLine(input)).toBe(kept)
  })

  test.each([
    'Ann\nLee',
    'Ann\rLee',
    'Ann\tLee',
    'Ann\u0000Lee',
    'Ann\u0085Lee',
    'Ann\u2028Lee',
    'Ann\u2029Lee',
    'Ann\u202eeeL',
    'Ann\u2066Lee',
    'Ann\u200bLee',
    'Ann\ud800Lee',
    'Ann\u061cLee',
    'Ann\u180eLee',
    '\u00ad',
    '\u200c\u200d',
    '\u3164',
    '\u115f \u1160',
    '\u2800',
  ])('%j is refused', input => {
    expect(singleLine(input)).toBeNull()
  })

  test('never holds a character that ends or turns a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), input => {
        const line = singleLine(input)
        if (line !== null)
          expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
      }),
    )
  })
})

describe('a name', () => {
  test.each([
    'https://evil.example',
    'Ann //evil.example://',
    'WWW.evil.example',
    'ｗｗｗ.evil.example',
    'see (www.evil.example)',
    'evil.example/prize',
    'evil.example?x',
  ])('%j would become a link', name => expect(holdsLink(name)).toBe(true))

  test.each([
    'Booking.com',
    'J. R. R. Tolkien',
    'St.John',
    'Dr./Prof. Lee',
    'AC/DC',
    'Wwwah',
    '山田',
  ])('%j stays a name', name => expect(holdsLink(name)).toBe(false))
})

test('a slug is lower case letters, digits and single dashes, or nothing', () => {
  expect(slugOf('Élan & Söhne GmbH')).toBe('elan-sohne-gmbh')
  expect(slugOf('山田')).toBe('')
  fc.assert(
    fc.property(anyText, name => {
      expect(slugOf(name)).toMatch(/^(?:[a-z0-9]+(?:-[a-z0-9]+)*)?$/)
      expect(slugOf(name).length).toBeLessThanOrEqual(48)
      expect(slugOf(slugOf(name))).toBe(slugOf(name))
    }),
  )
})

test.each([
  'a@example.com/path',
  'a@example.com?x',
  'a@example.com#x',
  'a@exa%6dple.com',
  'a@exam\tple.com',
])('%s is no address, though a URL would take its end for a path', text =>
  expect(canonicalEmail(text)).toBeNull(),
)
