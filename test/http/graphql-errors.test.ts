import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, post } from '../support/client.ts'
import { invite, organisation, PASSWORD, SESSION, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { LOG_LEVEL: 'trace' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const SECRET = 'hunter2-is-my-secret-password'
const VIEWER = '{ viewer { operator } }'
const send = (
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) => post(server.url, JSON.stringify({ query, variables }), headers)
const asAdmin = () => ({ authorization: `Bearer ${admin.accessToken}` })

describe('an error never repeats what was sent', () => {
  const typed = 'mutation ($i: SignInInput!) { signIn(input: $i) { __typename } }'
  const login = { email: 'a@example.com', password: SECRET }
  const literal = (input: string) => `mutation { signIn(input: ${input}) { __typename } }`

  test.each<[string, string, Record<string, unknown>, unknown[]]>([
    ['an unknown field', typed, { i: { ...login, extra: 1 } }, ['i', 'extra']],
    [
      'an unknown field much like another',
      typed,
      { i: { ...login, passwort: SECRET } },
      ['i', 'passwort'],
    ],
    ['a number for a password', typed, { i: { ...login, password: 4711 } }, ['i', 'password']],
    ['a list for a password', typed, { i: { ...login, password: [SECRET] } }, ['i', 'password']],
    ['a password for an address', typed, { i: { ...login, email: SECRET } }, ['i', 'email']],
    ['a password for an enum', typed, { i: { ...login, delivery: SECRET } }, ['i', 'delivery']],
    ['a password for the whole', typed, { i: SECRET }, ['i']],
    ['a missing field', typed, { i: { password: SECRET } }, ['i', 'email']],
  ])('for %s in a variable, and says where it is', async (_what, query, variables, path) => {
    const answer = await send(query, variables)
    expectRefused(answer, 400, 'BAD_USER_INPUT')
    expect(answer.json.errors[0].extensions.fields[0].path).toEqual(path)
    expect(answer.text).not.toContain(SECRET)
    expect(answer.text).not.toContain('4711')
  })

  test.each([
    literal(`{ email: "a@example.com", password: 4711 }`),
    literal(`{ email: "${SECRET}", password: "x" }`),
    literal(`{ email: "a@example.com", password: ["${SECRET}"] }`),
    literal(`{ email: "a@example.com", password: "${SECRET}", extra: "${SECRET}" }`),
    literal(`{ email: "a@example.com", password: "${SECRET}", delivery: "${SECRET}" }`),
    literal(`{ email: "a@example.com", password: "${SECRET}", delivery: hunter2 }`),
    literal(`"${SECRET}"`),
  ])('for the literal %s', async query => {
    const answer = await send(query)
    expectRefused(answer, 400, 'GRAPHQL_VALIDATION_FAILED')
    expect(answer.text).not.toMatch(/hunter2|4711/)
  })

  test.each([
    `mutation { signIn(input: { email: "a@example.com", password: "${SECRET}) { __typename } }`,
    `mutation { signIn(input: { email: "a@example.com", password: "${SECRET}\\q" }) { __typename } }`,
    `"${SECRET}" "${SECRET}"`,
  ])('for the syntax of %s', async query => {
    const answer = await send(query)
    expect(answer.text).not.toContain('hunter2')
    expectRefused(answer, 400, 'GRAPHQL_PARSE_FAILED')
  })
})

test.each([
  'subscription { viewer { operator } }',
  'subscription S { nothing }',
  `query A { viewer { operator } } subscription B { viewer { operator } }`,
])('%s is refused as no operation of this server', async query => {
  expectRefused(await send(query), 400, 'GRAPHQL_VALIDATION_FAILED')
})

test('every refusal within GraphQL names the request', async () => {
  const refused = [
    await send(VIEWER),
    await send('{ organisation { member(id: "x") { id } } }', {}, asAdmin()),
    await send('{ nothing }'),
    await send(VIEWER, {}, { authorization: 'Bearer x' }),
    await post(`${server.url}/nowhere`, '{}'),
  ]
  const ids = refused.map(({ json, headers }) => [
    json.errors[0].extensions.requestId,
    headers.get('x-request-id'),
  ])
  for (const [inBody, inHeader] of ids) expect(inBody).toBe(inHeader)
  expect(new Set(ids.flat()).size).toBe(refused.length)
})

test('a batch is refused under the id of its request', async () => {
  expectRefused(await post(server.url, `[{"query":"${VIEWER}"}]`), 400, 'BAD_REQUEST')
})

test('the log holds neither passwords nor tokens, whatever is sent and at whatever level', async () => {
  const { token } = await invite(admin)
  const person = await signIn(server, admin.email)
  const cookie = `__Host-gatehouse-refresh=${person.refreshToken}`
  await fetch(`${server.url}/accept-invitation?token=${token}`)
  await send(
    `query ($t: String!) { invitationPreview(token: $t) { email } }`,
    { t: token },
    { ...asAdmin(), cookie },
  )
  await send(`mutation { refreshSession { ${SESSION} } }`, {}, { cookie })
  await send(
    `mutation ($p: String!) { signIn(input: { email: "${admin.email}", password: $p }) { __typename } }`,
    { p: SECRET },
  )
  await fetch(`${server.url}/graphql?token=${token}&password=${SECRET}`)
  await fetch(`${server.url}/${SECRET}?token=${token}`, {
    headers: { referer: `${server.url}/?token=${token}` },
  })
  const log = server.log.join('\n')
  expect(log).toContain('/accept-invitation')
  for (const secret of [
    PASSWORD,
    token,
    person.accessToken,
    person.refreshToken,
    admin.accessToken,
  ])
    expect(log).not.toContain(secret)
  expect(log.replaceAll(`/${SECRET}`, '')).not.toContain(SECRET)
})
