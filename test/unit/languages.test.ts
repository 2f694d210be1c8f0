import { expect, test } from 'vitest'
import { languageOf, likedLanguage } from '../../src/shared/languages.ts'

test.each([
  ['de', 'de'],
  ['de-AT', 'de'],
  ['fr, de;q=0.8, en;q=0.7', 'de'],
  ['de;q=0.3, en-GB', 'en'],
  ['de;q=0, en;q=0.1', 'en'],
  ['DE-ch', 'de'],
  ['fr', null],
  ['*', null],
  ['', null],
  [undefined, null],
  ['constructor, __proto__;q=2', null],
])('of %j the best that we have is %j', (header, language) => {
  expect(likedLanguage(header)).toBe(language)
})

test('a locale that we have no words for is English', () => {
  expect(['de-AT', 'en', 'fr', '', 'toString'].map(languageOf)).toEqual([
    'de',
    'en',
    'en',
    'en',
    'en',
  ])
})
