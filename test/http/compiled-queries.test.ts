import { afterAll, beforeAll, expect, test } from 'vitest'
import { post } from '../support/client.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  await newcomer(admin)
  await newcomer(admin)
})
afterAll(() => server.stop())

type Variables = Record<string, unknown>

const send = async (query: string, variables: Variables, more: object = {}) => {
  const { status, text } = await post(server.url, JSON.stringify({ query, variables, ...more }), {
    authorization: `Bearer ${admin.accessToken}`,
  })
  return `${status} ${text.replaceAll(/"requestId":"[^"]+"/g, '"requestId":""')}`
}

const MEMBERS = 'organisation { members(first: $n) { nodes { id } pageInfo { hasNextPage } } }'

/** The first time graphql-js runs a query, and from then on what was compiled of it. */
test.each<[string, string, Variables?, object?]>([
  ['a variable with a default', `query ($n: Int! = 2) { ${MEMBERS} }`],
  ['a default that gives way', `query ($n: Int! = 2) { ${MEMBERS} }`, { n: 1 }],
  ['null for what has a default', `query ($n: Int! = 2) { ${MEMBERS} }`, { n: null }],
  [
    'nothing for an argument with a default',
    `query ($n: Int) { organisation { members(first: $n) { nodes { id } } } }`,
  ],
  [
    'an optional variable for an argument with a default',
    `query ($o: MemberOrder = { field: NAME }) { organisation { members(orderBy: $o) { nodes { id } } } }`,
  ],
  [
    'null for an argument with a default',
    `query ($o: MemberOrder = { field: NAME }) { organisation { members(orderBy: $o) { nodes { id } } } }`,
    { o: null },
  ],
  [
    'an object without a field that has a default',
    `query ($o: MemberOrder!) { organisation { members(orderBy: $o) { nodes { id } } } }`,
    { o: { field: 'CREATED_AT' } },
  ],
  [
    'a variable within an object',
    `query ($d: OrderDirection!) { organisation { members(orderBy: { field: NAME, direction: $d }) { nodes { id } } } }`,
    { d: 'DESC' },
  ],
  [
    'an absent variable within an object',
    `query ($l: Boolean) { organisation { members(filter: { locked: $l }) { nodes { id } } } }`,
  ],
  [
    'a null variable within an object',
    `query ($l: Boolean) { organisation { members(filter: { locked: $l }) { nodes { id } } } }`,
    { l: null },
  ],
  [
    'one value for a list',
    `query ($s: [AccessStatus!]) { organisation { members(filter: { status: $s }) { nodes { id } } } }`,
    { s: 'ACTIVE' },
  ],
  [
    'a list with a variable',
    `query ($s: AccessStatus!) { organisation { members(filter: { status: [$s, LOCKED_OUT] }) { nodes { id } } } }`,
    { s: 'ACTIVE' },
  ],
  [
    'a list with a variable that fits',
    `query ($s: AccessStatus!) { organisation { members(filter: { status: [$s, SUSPENDED] }) { nodes { id } } } }`,
    { s: 'ACTIVE' },
  ],
  [
    'an enum that is none',
    `query ($s: [AccessStatus!]) { organisation { members(filter: { status: $s }) { nodes { id } } } }`,
    { s: ['NONE'] },
  ],
  [
    'an address that is none',
    `query ($e: [EmailAddress!]) { organisation { members(filter: { emails: $e }) { nodes { id } } } }`,
    { e: ['none'] },
  ],
  [
    'an address as a literal that is none',
    `{ organisation { members(filter: { emails: ["none"] }) { nodes { id } } } }`,
  ],
  ['a number for an id', `query ($i: ID!) { node(id: $i) { id } }`, { i: 1 }],
  [
    'a date',
    `query ($d: DateTime = "2020-01-01T00:00:00Z") { organisation { members(filter: { inactiveSince: $d }) { nodes { id } } } }`,
  ],
  ['variables that nobody asks for', `query ($n: Int! = 2) { ${MEMBERS} }`, { n: 1, more: 2 }],
  [
    'include and skip',
    `query ($y: Boolean!, $n: Boolean!) { organisation { a: name @include(if: $y) b: name @skip(if: $y) c: name @include(if: $n) d: name @skip(if: $n) e: name @include(if: $y) @skip(if: $n) f: name @include(if: $y) @skip(if: $y) } }`,
    { y: true, n: false },
  ],
  [
    'include by a default',
    `query ($y: Boolean! = false) { organisation { a: name @include(if: $y) b: name @skip(if: $y) } }`,
  ],
  [
    'include by literals',
    `{ organisation { a: name @include(if: true) b: name @skip(if: true) } }`,
  ],
  [
    'all of it skipped',
    `query ($y: Boolean!) { organisation @skip(if: $y) { name } }`,
    { y: true },
  ],
  [
    'one field twice, once skipped',
    `query ($y: Boolean!) { organisation { name name @include(if: $y) settings { mfaRequired } settings @include(if: $y) { invitationLifetimeHours } } }`,
    { y: false },
  ],
  [
    'a fragment skipped',
    `query ($y: Boolean!) { organisation { ...F @include(if: $y) ... on Organisation @skip(if: $y) { name } ... @include(if: $y) { slug } } } fragment F on Organisation { settings { mfaRequired } }`,
    { y: false },
  ],
  [
    'a fragment in and out',
    `query ($y: Boolean!) { organisation { ...F @include(if: $y) ...F } } fragment F on Organisation { name settings { mfaRequired ...G } } fragment G on OrganisationSettings { invitationLifetimeHours }`,
    { y: false },
  ],
  [
    'a skipped fragment within an included one',
    `query ($y: Boolean!, $n: Boolean!) { organisation { ...F @include(if: $y) } } fragment F on Organisation { name @include(if: $n) ... @skip(if: $n) { slug } }`,
    { y: true, n: false },
  ],
  [
    'an interface',
    `query ($i: ID!) { node(id: $i) { __typename id ... on Organisation { name } ... on Node { again: id } ... on Member { name } ...F } } fragment F on Organisation { slug }`,
    { i: 'ORGANISATION' },
  ],
  [
    'an interface with a field of many types',
    `query ($i: ID!) { node(id: $i) { ... on Organisation { x: name } ... on Member { x: name } ... on User { x: name } } }`,
    { i: 'ORGANISATION' },
  ],
  [
    'a name from the prototype as an alias',
    `{ organisation { constructor: name toString: slug hasOwnProperty: name } valueOf: organisation { name } }`,
  ],
  ['the prototype as an alias', `{ __proto__: organisation { name } }`],
  [
    'the prototype as an inner alias',
    `{ organisation { __proto__: settings { mfaRequired } name } }`,
  ],
  ['the prototype as an alias of a scalar', `{ organisation { __proto__: name } }`],
  [
    'names from the prototype as variables',
    `query ($toString: Boolean! = false, $constructor: Boolean! = false) { organisation { name @include(if: $toString) slug @include(if: $constructor) } }`,
  ],
  [
    'the prototype as a variable',
    `query ($__proto__: Boolean! = false) { organisation { name @include(if: $__proto__) slug } }`,
  ],
  [
    'an optional variable named as something of the prototype',
    `query ($toString: String) { organisation { members(search: $toString) { nodes { id } } } }`,
  ],
  [
    'an alias of a reserved word',
    `{ organisation { class: name function: slug return: name null: name undefined: name } }`,
  ],
  ['a door that is shut', `{ platform { users { totalCount } } organisation { name } }`],
  [
    'nothing of that id',
    `{ a: node(id: "00000000-0000-7000-8000-000000000000") { id } b: organisation { name } c: node(id: "none") { id } }`,
  ],
  [
    'refusals of several fields',
    `{ organisation { member(id: "x") { id } role(id: "x") { id } project(id: "x") { id } } }`,
  ],
  ['a cursor that is none', `{ organisation { name members(after: "x") { nodes { id } } } }`],
  [
    'a fault below what must not be null',
    `{ organisation { name roles { nodes { name } } members { nodes { projectAccess(after: "x") { nodes { id } } name } } } }`,
  ],
  [
    'lists of unions and their names',
    `{ organisation { workflows { nodes { steps { __typename ... on WaitStep { minutes } } } } } }`,
  ],
  [
    'names of types alone',
    `{ __typename t: __typename organisation { __typename } organisation { __typename members { __typename nodes { __typename } } } }`,
  ],
  [
    'the schema',
    `{ __schema { queryType { name } types { name kind } } __type(name: "Viewer") { fields { name args { name defaultValue } type { kind ofType { name } } } } }`,
  ],
  [
    'the schema with a variable',
    `query ($n: String!, $d: Boolean = true) { __type(name: $n) { fields(includeDeprecated: $d) { name } } }`,
    { n: 'Member' },
  ],
  [
    'one operation of several',
    `query A { organisation { name } } query B { organisation { slug } }`,
    {},
    { operationName: 'B' },
  ],
  [
    'no operation of several',
    `query A { organisation { name } } query B { organisation { slug } }`,
  ],
  ['an operation that is none', `query A { organisation { name } }`, {}, { operationName: 'C' }],
  [
    'strings with everything',
    `{ organisation { members(search: "\\u2028 \\" \\\\ \` \${1} \\n '") { nodes { id } } } }`,
  ],
  [
    'a block string',
    `{ organisation { members(search: """ " \` \${process.exit()} \\""" """) { nodes { id } } } }`,
  ],
  [
    'a default string with everything',
    `query ($s: String = "\\u2028 \\" \` \${1} '") { organisation { members(search: $s) { nodes { id } } } }`,
  ],
  ['a number too large', `{ organisation { members(first: 99999999999) { nodes { id } } } }`],
  ['too many', `query ($n: Int!) { ${MEMBERS} }`, { n: 101 }],
  [
    'a directive with null',
    `query ($y: Boolean! = true) { organisation { name @include(if: $y) } }`,
    { y: null },
  ],
  [
    'a directive without its variable',
    `query ($y: Boolean) { organisation { name @include(if: $y) } }`,
  ],
])('is answered alike each time: %s', async (_what, query, variables = {}, more = {}) => {
  const values = variables.i === 'ORGANISATION' ? { i: admin.organisationId } : variables
  const first = await send(query, values, more)
  for (let time = 2; time <= 4; time += 1) expect(await send(query, values, more)).toBe(first)
})

test('null for an argument that takes none is the caller’s fault', async () => {
  const query = `query ($o: MemberOrder = { field: NAME }) { organisation { members(orderBy: $o) { nodes { id } } } }`
  await expect(admin.ask(query, { o: null })).rejects.toBeRefused('BAD_USER_INPUT', 'REQUIRED')
})

test('a fault of ours is logged each time', async () => {
  await server.database.owner(
    `update role set created_at = 'infinity' where organisation_id = $1 and name = 'Viewer'`,
    [admin.organisationId],
  )
  const failures = () => server.log.filter(line => line.includes('a request failed')).length
  const before = failures()
  const answers: string[] = []
  for (let time = 1; time <= 3; time += 1)
    answers.push(await send('{ organisation { roles { nodes { createdAt } } } }', {}))
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toContain('INTERNAL_SERVER_ERROR')
  expect(failures() - before).toBe(3)
})
