import {
  isObjectType,
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everyone, everyoneButKeys, everyoneFinished } from '../../src/access/rules.ts'
import type { Rule } from '../../src/access/shield.ts'
import { buildGuardedSchema, buildOpenSchema, rules } from '../../src/graphql/schema.ts'

const ROOTS = ['Query', 'Mutation']

/** What strangers may ask. Whoever adds to it opens a door to everybody. */
const OPEN_TO_EVERYONE = [
  'Mutation.acceptInvitation',
  'Mutation.declineInvitation',
  'Mutation.refreshSession',
  'Mutation.requestEmailVerification',
  'Mutation.requestMagicLink',
  'Mutation.requestPasswordReset',
  'Mutation.resetPassword',
  'Mutation.signIn',
  'Mutation.signInWithMagicLink',
  'Mutation.signUp',
  'Mutation.verifyEmail',
  'Mutation.verifyMfa',
  'Query.invitationPreview',
  'Query.signInOptions',
]

interface Door {
  type: string
  name: string
  field: GraphQLField<unknown, unknown>
  description: string
  rule: Rule | undefined
}

const doorsOf = (schema: GraphQLSchema): Door[] =>
  Object.values(schema.getTypeMap()).flatMap(type =>
    !isObjectType(type) || type.name.startsWith('__')
      ? []
      : Object.values(type.getFields()).map(field => ({
          type: type.name,
          name: `${type.name}.${field.name}`,
          field,
          description: field.description ?? '',
          rule: rules[type.name]?.[field.name],
        })),
  )
const isRoot = (door: Door) => ROOTS.includes(door.type)
const nameOf = (door: Door) => door.name

/** Knocks as somebody without a session. */
const knock = (door: Door): unknown =>
  door.field.resolve?.(
    {},
    {},
    { viewer: null, now: new Date(), stepUpSeconds: 600, noteRefusal: async () => undefined },
    {} as GraphQLResolveInfo,
  )

/** The names of the questions a rule asks, all of which must be answered with yes. */
function asks(rule: Rule | undefined): string[] {
  if (!rule) return []
  if (!('getRules' in rule)) return [rule.name]
  if (rule.constructor.name !== 'RuleAnd') return []
  return rule.getRules().flatMap(part => asks(part as Rule))
}

const doors = doorsOf(await buildOpenSchema())

test('every root field has a rule', () => {
  const roots = doors.filter(isRoot)
  expect(roots.length).toBeGreaterThan(20)
  expect(roots.filter(door => !door.rule).map(nameOf)).toEqual([])
})

test('every field whose description says "Needs" has a rule', () => {
  const guarded = doors.filter(door => /\bNeeds\b/.test(door.description))
  expect(guarded.length).toBeGreaterThan(15)
  expect(guarded.filter(door => !door.rule).map(nameOf)).toEqual([])
})

test('a rule asks for what its description promises', () => {
  const lax = doors.filter(({ description, rule }) => {
    const permissions = /except for oneself|in the project/.test(description)
      ? []
      : [...description.matchAll(/\bNeeds `(\w+)`/g)].map(match => match[1]!)
    const held = permissions.every(name =>
      asks(rule).some(question => question === `holds:${name}` || question === `holdsHere:${name}`),
    )
    const promised = [
      // who owes something may pay it, and leave
      ...(/\bSessions only\b/.test(description) && !asks(rule).includes('signedInOwing')
        ? ['signedIn']
        : []),
      ...(/\b(Operators only|For operators)\b/.test(description) ? ['operator'] : []),
      ...(/\brecent sign-in\b/.test(description) ? ['recentSignIn'] : []),
    ]
    return !held || !promised.every(name => asks(rule).includes(name))
  })
  expect(lax.map(nameOf)).toEqual([])
})

test('no rule names a field that does not exist', () => {
  const known = new Set(doors.map(nameOf))
  const named = Object.entries(rules).flatMap(([type, fields]) =>
    Object.keys(fields).map(field => `${type}.${field}`),
  )
  expect(named.filter(name => !known.has(name))).toEqual([])
})

test('nothing but the listed fields is open to strangers', () => {
  const open = doors.filter(
    ({ rule }) => rule === everyone || rule === everyoneButKeys || rule === everyoneFinished,
  )
  expect(open.map(nameOf).toSorted()).toEqual(OPEN_TO_EVERYONE)
})

test('a stranger is refused at every other door', async () => {
  const shut = doorsOf(await buildGuardedSchema()).filter(
    door => door.rule && !OPEN_TO_EVERYONE.includes(door.name),
  )
  expect(shut.length).toBeGreaterThan(25)
  for (const door of shut)
    expect(await knock(door), door.name).toMatchObject({
      code: expect.stringMatching(/^(UNAUTHENTICATED|FORBIDDEN)$/),
    })
})

describe('with its rule taken away', () => {
  const kept = ROOTS.map(type => [type, rules[type]!] as const)
  beforeAll(() => {
    for (const type of ROOTS) rules[type] = {}
  })
  afterAll(() => {
    for (const [type, fields] of kept) rules[type] = fields
  })

  test('every root field is shut', async () => {
    const roots = doorsOf(await buildGuardedSchema()).filter(isRoot)
    expect(roots).toHaveLength(doors.filter(isRoot).length)
    for (const door of roots)
      expect(await knock(door), door.name).toMatchObject({
        code: 'FORBIDDEN',
        message: 'No rule opens this door.',
      })
  })
})

test('where no type has any rule, the roots are shut all the same', async () => {
  const schema = await buildGuardedSchema({})
  const roots = doorsOf(schema).filter(isRoot)
  expect(roots.length).toBeGreaterThan(40)
  for (const door of roots)
    expect(await knock(door), door.name).toMatchObject({ message: 'No rule opens this door.' })
})
