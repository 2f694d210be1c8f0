import { expect, test } from 'vitest'
import { authorize, newestToken } from '../../src/http/explorer/access-token.ts'

const sent = (authorization: string | null, held: string | null) =>
  authorize(new Headers(authorization === null ? {} : { authorization }), held).get('authorization')

test.each<[string, string | null, string | null, string | null]>([
  ['waits for one, it gets the one held', 'Bearer ', 'new', 'Bearer new'],
  ['waits for one and none is held, it goes', 'Bearer ', null, null],
  ['is empty, it gets the one held', '', 'new', 'Bearer new'],
  ['holds one of its own, that stays', 'Bearer own', 'new', 'Bearer own'],
  ['is not there, none is sent', null, 'new', null],
])('where the header %s', (_when, authorization, held, expected) => {
  expect(sent(authorization, held)).toBe(expected)
})

test('the last token of an answer is taken, and none of what failed', () => {
  expect(newestToken({ data: { a: { accessToken: 'a' }, b: { accessToken: 'b' } } })).toBe('b')
  expect(newestToken({ data: { a: { accessToken: 'a' }, b: null } })).toBe('a')
  expect(newestToken({ data: { signIn: { token: 'a challenge' } } })).toBeUndefined()
  expect(newestToken({ data: null })).toBeUndefined()
})
