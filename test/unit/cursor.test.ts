import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCursor, writeCursor, type ListIdentity } from '../../src/shared/cursor.ts'
import { AppError } from '../../src/shared/errors.ts'
import { KeyRing } from '../../src/shared/seal.ts'

const OLD = Buffer.alloc(32, 1)
const ring = new KeyRing([OLD])
const LIST: ListIdentity = ['members', 'an organisation', { search: 'ann' }, 'NAME_ASC']
const position = { key: 'ann', id: '01890a5d-ac96-774b-bcce-b302099a8057' }

function expectRefused(list: ListIdentity, cursor: string, with_ = ring) {
  let refusal: unknown
  try {
    readCursor(with_, list, cursor)
  } catch (error) {
    refusal = error
  }
  expect(refusal, cursor).toBeInstanceOf(AppError)
  expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', details: { reason: 'CURSOR_INVALID' } })
}

test('a cursor leads back to its position', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uuid(), (key, id) => {
      const cursor = writeCursor(ring, LIST, { key, id })
      expect(readCursor(ring, LIST, cursor)).toEqual({ key: key.toWellFormed(), id })
      expect(cursor).toMatch(/^[\w.-]+$/)
    }),
  )
})

test.each([
  ['another list', ['invitations', ...LIST.slice(1)]],
  ['another tenant', LIST.with(1, 'a neighbour')],
  ['another filter', LIST.with(2, { search: 'bob' })],
  ['no filter', LIST.with(2, null)],
  ['another order', LIST.with(3, 'NAME_DESC')],
  ['a shorter identity', LIST.slice(0, 3)],
])('a cursor is not good for %s', (_what, list) => {
  expectRefused(list, writeCursor(ring, LIST, position))
})

test('a cursor that was changed is refused', () => {
  const cursor = writeCursor(ring, LIST, position)
  const [body, proof] = cursor.split('.') as [string, string]
  const other = Buffer.from(JSON.stringify(['bob', position.id])).toString('base64url')
  for (const text of [
    `${other}.${proof}`,
    `${body}.${proof.slice(2)}`,
    `${body}.`,
    body,
    `.${proof}`,
    '',
    '.',
    `${body}x.${proof}`,
  ])
    expectRefused(LIST, text)
})

test('text that is no cursor is refused, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expectRefused(LIST, text)
    }),
  )
})

test('a cursor outlives a rotation of the secret, and not the loss of it', () => {
  const cursor = writeCursor(ring, LIST, position)
  expect(readCursor(new KeyRing([Buffer.alloc(32, 2), OLD]), LIST, cursor)).toEqual(position)
  expectRefused(LIST, cursor, new KeyRing([Buffer.alloc(32, 2)]))
})
