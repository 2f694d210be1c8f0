import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  mustBeAcceptable,
  type PasswordRules,
} from '../../src/credentials/passwords/password.service.ts'
import { AppError } from '../../src/shared/errors.ts'

const RULES: PasswordRules = {
  minLength: 15,
  blockCommon: true,
  minCharacterKinds: 0,
  about: ['ann.lee@example.com', 'Ann', 'Lee', 'Acme Rockets'],
}

/** Why a password is refused; empty where it is taken. */
function reasons(password: string, rules: Partial<PasswordRules> = {}): string[] {
  try {
    mustBeAcceptable(password, { ...RULES, ...rules }, ['input', 'password'])
    return []
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    for (const { path } of error.details.fields!) expect(path).toEqual(['input', 'password'])
    return error.details.fields!.map(({ reason }) => reason)
  }
}

test.each([
  'a password that is long enough',
  'correct horse battery staple',
  'kjhwqeriuoxbnmz',
  'пароль который длинный',
  'ilovemydogverymuch',
])('%j is taken', password => {
  expect(reasons(password)).toEqual([])
})

test.each([
  ['twice the commonest', 'passwordpassword1'],
  ['a common one in disguise', 'P@ssw0rdP@ssw0rd!!'],
  ['a common one and a run', 'Password12345678!'],
  ['one character again and again', 'aaaaaaaaaaaaaaaa'],
  ['a few characters again and again', 'abc123abc123abc123'],
  ['the alphabet', 'abcdefghijklmnop'],
  ['rows of a keyboard', 'qwertyuiopasdfgh'],
  ['rows of a keyboard, backwards', 'poiuytrewqlkjhgf'],
  ['a few of the very commonest', 'monkey dragon shadow'],
  ['one word again and again', 'mother mother mother mother'],
  ["the person's name and a year", 'AnnLee-Example-2024'],
  ["the person's address", 'ann.lee@example.com'],
  ["the person's and the organisation's name", 'annleeacmerockets'],
  ["the organisation's name with a common word", 'ACME Rockets password'],
])('%s is too common: %j', (_what, password) => {
  expect(reasons(password)).toEqual(['PASSWORD_TOO_COMMON'])
})

test('an organisation may leave the guessing out', () => {
  expect(reasons('passwordpassword1', { blockCommon: false })).toEqual([])
})

test('the length counts in characters of Unicode, not in bytes or halves', () => {
  const dogs = '🐕🦮🐩🐺🦊🐈🦁🐯🐅🐆🐴🫎🫏🐎🦄'
  expect([...dogs]).toHaveLength(15)
  expect(reasons(dogs)).toEqual([])
  expect(reasons([...dogs].slice(1).join(''))).toEqual(['PASSWORD_TOO_SHORT'])
})

test('256 characters are the most', () => {
  const long = 'x9 kettle of herring, '.repeat(12).slice(0, 255)
  expect(reasons(`${long}é`)).not.toContain('OUT_OF_RANGE')
  expect(reasons(`${long}éé`)).toEqual(['OUT_OF_RANGE'])
})

test('every rule that is not met is named at once', () => {
  expect(reasons('aaaa', { minCharacterKinds: 3 })).toEqual([
    'PASSWORD_TOO_SHORT',
    'PASSWORD_POLICY',
    'PASSWORD_TOO_COMMON',
  ])
})

test.each([
  [1, 'kjhwqeriuoxbnmz'],
  [2, 'kjhwqeriuoxbnmZ'],
  [3, 'kjhwqeriuoxbn7Z'],
  [4, 'kjhwqeriuox-7Zé'],
])('%i kinds of character are in %j', (kinds, password) => {
  expect(reasons(password, { minCharacterKinds: kinds })).toEqual([])
  if (kinds < 4)
    expect(reasons(password, { minCharacterKinds: kinds + 1 })).toEqual(['PASSWORD_POLICY'])
})

test('half a character is refused, for two such passwords would hash alike', () => {
  expect(reasons('a password that is long enough \ud800')).toEqual(['INVALID_FORMAT'])
})

test('whatever is typed, the answer comes soon', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), password => {
      const before = performance.now()
      reasons(password)
      expect(performance.now() - before).toBeLessThan(500)
    }),
    { numRuns: 50 },
  )
})
