import { buildSchema } from 'graphql'
import { expect, test } from 'vitest'
import { breakages } from '../house/breakages.ts'

const TODAY = new Date('2027-07-01T12:00:00Z')
const between = (before: string, after: string): string[] =>
  breakages(buildSchema(before), buildSchema(after), TODAY).map(each => each.split(':')[0]!)

const dated = (day: string) => `@deprecated(reason: "Use \`b\`. Ends ${day}.")`

test('what is added breaks nothing', () => {
  expect(
    between(
      `type Query { a: Int } enum E { X }`,
      `type Query { a(x: Int): Int b: T } type T { c: E } enum E { X Y }`,
    ),
  ).toEqual([])
})

test.each([
  ['a field', `type Query { a: Int b: Int }`, `type Query { b: Int }`, 'FIELD_REMOVED'],
  [
    'a value',
    `type Query { a: E } enum E { X Y }`,
    `type Query { a: E } enum E { Y }`,
    'VALUE_REMOVED_FROM_ENUM',
  ],
  ['an argument', `type Query { a(x: Int): Int }`, `type Query { a: Int }`, 'ARG_REMOVED'],
  [
    'an input field',
    `type Query { a(x: I): Int } input I { b: Int c: Int }`,
    `type Query { a(x: I): Int } input I { b: Int }`,
    'FIELD_REMOVED',
  ],
])('%s that was not deprecated may not go', (_what, before, after, type) => {
  expect(between(before, after)).toEqual([type])
})

test.each(['2027-07-01', '2026-12-31'])('what was to end by %s may go', day => {
  const gone = dated(day)
  expect(
    between(
      `type Query { a(x: Int ${gone}): Int old(x: Int): Int ${gone} } enum E { X Y ${gone} } input I { b: Int c: Int ${gone} }`,
      `type Query { a: Int } enum E { X } input I { b: Int }`,
    ),
  ).toEqual([])
})

test.each([dated('2027-07-02'), '@deprecated(reason: "Use `b`.")', '@deprecated'])(
  'with %s it is too early',
  gone => {
    expect(between(`type Query { a: Int ${gone} b: Int }`, `type Query { b: Int }`)).toEqual([
      'FIELD_REMOVED',
    ])
  },
)

test('a deprecation that comes with the removal is none', () => {
  const before = `type Query { a: Int b: Int }`
  expect(between(before, `type Query { b: Int }`)).toEqual(['FIELD_REMOVED'])
})

test('a type goes with the last thing that led to it, and not before', () => {
  const gone = dated('2027-01-01')
  const type = `type T { c: Int }`
  expect(between(`type Query { a: T ${gone} b: Int } ${type}`, `type Query { b: Int }`)).toEqual([])
  expect(
    between(
      `type Query { a: T ${gone} b: U } ${type} type U { t: T d: Int }`,
      `type Query { b: U } type U { d: Int }`,
    ),
  ).toEqual(['TYPE_REMOVED', 'FIELD_REMOVED'])
})

test.each([
  ['another type', `type Query { a: Int }`, `type Query { a: String }`, 'FIELD_CHANGED_KIND'],
  ['null at last', `type Query { a: Int! }`, `type Query { a: Int }`, 'FIELD_CHANGED_KIND'],
  [
    'an argument that must be sent',
    `type Query { a: Int }`,
    `type Query { a(x: Int!): Int }`,
    'REQUIRED_ARG_ADDED',
  ],
  [
    'another type, even of what is to end',
    `type Query { a: Int ${dated('2027-01-01')} }`,
    `type Query { a: String ${dated('2027-01-01')} }`,
    'FIELD_CHANGED_KIND',
  ],
])('%s breaks, whatever was said before', (_what, before, after, type) => {
  expect(between(before, after)).toEqual([type])
})
