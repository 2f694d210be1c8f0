import { afterAll, beforeAll, expect, test } from 'vitest'
import { post } from '../support/client.ts'
import { organisation, PASSWORD, SESSION, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let person: Person

beforeAll(async () => {
  server = await startServer()
  person = await organisation(server)
})
afterAll(() => server.stop())

const VIEWER = `{ viewer { operator } }`
const entry = `mutation ($email: EmailAddress!, $password: String!) {
    signIn(input: { email: $email, password: $password, delivery: COOKIE }) { ... on Authenticated { ${SESSION} } } }`
const send = (query: string, headers: Record<string, string>, variables = {}) =>
  post(server.url, JSON.stringify({ query, variables }), headers)

test('a refresh token in a cookie stays out of reach of scripts and other sites, and is good for refreshing alone', async () => {
  const signedIn = await send(entry, {}, { email: person.email, password: PASSWORD })
  const { accessToken, refreshToken, session } = signedIn.json.data.signIn
  expect(refreshToken).toBeNull()
  const [cookie] = signedIn.headers.getSetCookie()
  expect(cookie).toMatch(
    /^__Host-gatehouse-refresh=gr_[\w-]+; Path=\/; Expires=[^;]+ GMT; HttpOnly; Secure; SameSite=Strict$/,
  )
  const header = { cookie: cookie!.split(';')[0]! }

  expect((await send(VIEWER, header)).json.errors[0].extensions.code).toBe('UNAUTHENTICATED')
  const renewed = await send(`mutation { refreshSession { ${SESSION} } }`, header)
  expect(renewed.json.data.refreshSession).toMatchObject({
    refreshToken: null,
    session: { id: session.id },
  })
  const next = { cookie: renewed.headers.getSetCookie()[0]!.split(';')[0]! }
  expect(next.cookie).not.toBe(header.cookie)

  const bearer = { authorization: `Bearer ${accessToken}`, ...next }
  const left = await send(`mutation { signOut { session { id } } }`, bearer)
  expect(left.headers.getSetCookie()[0]).toMatch(
    /^__Host-gatehouse-refresh=; .*Expires=Thu, 01 Jan 1970/,
  )
  const dead = await send(`mutation { refreshSession { ${SESSION} } }`, next)
  expect(dead.json.errors[0].extensions).toMatchObject({
    code: 'UNAUTHENTICATED',
    reason: 'SESSION_ENDED',
  })
  expect(dead.headers.getSetCookie()[0]).toContain('1970')
  expect(
    (await send(`mutation { refreshSession { ${SESSION} } }`, {})).json.errors[0].extensions.code,
  ).toBe('UNAUTHENTICATED')
})
