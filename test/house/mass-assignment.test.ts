import {
  getNamedType,
  isInputObjectType,
  isListType,
  isNonNullType,
  type GraphQLInputObjectType,
  type GraphQLInputType,
} from 'graphql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildOpenSchema } from '../../src/graphql/schema.ts'
import { post } from '../support/client.ts'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { argumentsOf, doors, operationOf, type Door } from './fields.ts'
import { candidates, furnish, type Targets } from './world.ts'

// What stands in an input beside its own fields is refused before anything happens, whatever it is called.

const SMUGGLED = {
  operator: true,
  status: 'ACTIVE',
  organisationId: '01890000-0000-7000-8000-00000000abcd',
  organisation_id: '01890000-0000-7000-8000-00000000abcd',
  userId: '01890000-0000-7000-8000-00000000abcd',
  builtIn: true,
  vouched: true,
  provenAt: '2026-01-01T00:00:00Z',
  emailVerifiedAt: '2026-01-01T00:00:00Z',
  lockedAt: null,
  passwordHash: 'x',
  digest: 'x',
  confined: false,
  toString: 'x',
  hasOwnProperty: true,
}

/** Every input object of a mutation's arguments, at its path. */
function inputsIn(type: GraphQLInputType, path: string[], above: string[] = []): string[][] {
  const named = getNamedType(type)
  if (!isInputObjectType(named) || above.includes(named.name)) return []
  const inner = Object.values(named.getFields()).flatMap(field =>
    inputsIn(field.type, [...path, field.name], [...above, named.name]),
  )
  return [path, ...inner]
}

const places = doors(await buildOpenSchema())
  .filter(({ type }) => type === 'Mutation')
  .flatMap(door =>
    door.field.args.flatMap(arg => inputsIn(arg.type, [arg.name]).map(path => ({ door, path }))),
  )

let server: TestServer
let admin: Person
let own: Targets

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  own = await furnish(admin)
})
afterAll(() => server.stop())

const authorised = () => ({ authorization: `Bearer ${admin.accessToken}` })

/** The least arguments of a mutation with the input at a path among them. */
function filled(door: Door, path: string[]): Record<string, unknown> {
  const values = argumentsOf(door, { id: kind => candidates(own, kind)[0], also: path })
  const fill = (holder: Record<string, unknown>, types: GraphQLInputType, rest: string[]): void => {
    const bare = isNonNullType(types) ? types.ofType : types
    const [name, ...further] = rest
    const value = (holder[name!] ??= isListType(bare) ? [{}] : {})
    const inner = (Array.isArray(value) ? (value[0] ??= {}) : value) as Record<string, unknown>
    const type = getNamedType(types)
    if (further.length && isInputObjectType(type))
      fill(inner, type.getFields()[further[0]!]!.type, further)
    else Object.assign(at, { inner })
  }
  const at: { inner?: Record<string, unknown> } = {}
  fill(values, door.field.args.find(arg => arg.name === path[0])!.type, path)
  target = at.inner!
  return values
}
let target: Record<string, unknown> = {}

async function everything(): Promise<unknown> {
  const tables = await server.database.owner(
    `select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'organisation_id'
     union select 'user_account' union select 'organisation' union select 'platform_settings'`,
  )
  const rows: Record<string, unknown> = {}
  for (const { name } of tables.filter(each => each.name !== 'session'))
    rows[String(name)] = await server.database.owner(
      `select count(*)::int as count, md5(string_agg((to_jsonb(t) - 'last_active_at')::text, '|' order by t::text)) as digest from "${String(name)}" t`,
    )
  return rows
}

test('the mutations take many inputs', () => {
  expect(places.length).toBeGreaterThan(60)
})

test('of what is nobody’s to say, no input has a field', () => {
  const found = places.flatMap(({ door, path }) =>
    Object.keys(getNamed(door, path).getFields())
      .filter(name => Object.hasOwn(SMUGGLED, name))
      .map(name => `${door.name}(${[...path, name].join('.')})`),
  )
  // where a sign-in lands, which is asked of the memberships of whoever signs in
  expect(found).toEqual([
    'Mutation.signIn(input.organisationId)',
    'Mutation.signInWithMagicLink(input.organisationId)',
  ])
})

test('no input takes what is not its own, and nothing changes', async () => {
  const before = await everything()
  let number = 0
  for (const { door, path } of places) {
    const place = `${door.name}(${path.join('.')})`
    const values = filled(door, path)
    const query = operationOf(door, values, {})
    const [name, value] = foreignTo(getNamed(door, path))[number % 12]!
    number += 1
    Object.defineProperty(target, name, { value, enumerable: true })
    const { status, json } = await post(
      server.url,
      JSON.stringify({ query, variables: values }),
      authorised(),
    )
    expect(status, `${place} ${name}`).toBe(400)
    expect(json.data, `${place} ${name}`).toBeUndefined()
    expect(json.errors[0].extensions.code, `${place} ${name}`).toBe('BAD_USER_INPUT')
  }
  expect(await everything()).toEqual(before)
})

const foreignTo = (type: GraphQLInputObjectType) =>
  Object.entries(SMUGGLED).filter(([name]) => !Object.hasOwn(type.getFields(), name))

/** The input type at a path. */
function getNamed(door: Door, [first, ...rest]: string[]) {
  let named = getNamedType(door.field.args.find(arg => arg.name === first)!.type)
  for (const name of rest)
    if (isInputObjectType(named)) named = getNamedType(named.getFields()[name]!.type)
  if (!isInputObjectType(named)) throw new Error('no input')
  return named
}

test('a prototype is refused wherever it stands, and poisons nothing', async () => {
  const query = `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { user { operator } } }`
  for (const name of ['__proto__', 'constructor'])
    for (const value of ['{"operator":true}', '{"prototype":{"operator":true}}', 'null', '"x"'])
      for (const body of [
        `{"query":${JSON.stringify(query)},"variables":{"input":{"firstName":"Eve","${name}":${value}}}}`,
        `{"query":${JSON.stringify(query)},"variables":{"input":{"firstName":"Eve"},"${name}":${value}},"${name}":${value}}`,
      ]) {
        const { status, json } = await post(server.url, body, authorised())
        // what is no variable of the document is not looked at
        const harmless = status === 200 && json.data.updateProfile.user.operator === false
        expect(status === 400 || harmless, `${body}: ${JSON.stringify(json)}`).toBe(true)
        if (body.includes('"firstName":"Eve",')) expect(status, body).toBe(400)
      }
  expect(({} as Record<string, unknown>).operator).toBeUndefined()
  const { viewer } = await admin.ask(`{ viewer { operator } }`)
  expect(viewer.operator).toBe(false)
})
