import { afterAll, beforeAll, expect, test } from 'vitest'
import { post } from '../support/client.ts'
import { organisation, PASSWORD, SESSION, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

// A browser that holds a refresh cookie is asked by other sites too.

const FRIEND = 'https://app.example.com'
const STRANGERS = [
  'https://evil.example',
  'http://app.example.com',
  'https://app.example.com.evil.example',
  'https://app.example.com:8443',
  'null',
]

let server: TestServer
let closed: TestServer
let person: Person
let cookie: string

beforeAll(async () => {
  server = await startServer({ settings: { CORS_ORIGINS: `https://other.example,${FRIEND}` } })
  closed = await startServer({ beside: server, settings: { CORS_ORIGINS: '' } })
  person = await organisation(server)
  const { headers } = await post(
    server.url,
    JSON.stringify({
      query: `mutation ($email: EmailAddress!, $password: String!) {
        signIn(input: { email: $email, password: $password, delivery: COOKIE }) { ... on Authenticated { ${SESSION} } } }`,
      variables: { email: person.email, password: PASSWORD },
    }),
  )
  cookie = headers.getSetCookie()[0]!.split(';')[0]!
})
afterAll(async () => {
  await closed.stop()
  await server.stop()
})

const REFRESH = `mutation { refreshSession { ${SESSION} } }`

const preflight = (url: string, origin: string) =>
  fetch(`${url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,authorization',
    },
  })

test('answers are for pages of the origins that are allowed, and for nobody else', async () => {
  const allowed = await preflight(server.url, FRIEND)
  expect(allowed.headers.get('access-control-allow-origin')).toBe(FRIEND)
  expect(allowed.headers.get('access-control-allow-credentials')).toBe('true')
  expect(allowed.headers.get('access-control-allow-methods')).not.toMatch(/GET|DELETE|\*/)
  for (const [url, origins] of [
    [server.url, STRANGERS],
    [closed.url, [...STRANGERS, FRIEND]],
  ] as const)
    for (const origin of origins) {
      const asked = await preflight(url, origin)
      expect(asked.headers.get('access-control-allow-origin'), `${url} ${origin}`).toBeNull()
      const { headers } = await post(url, `{"query":"{ viewer { operator } }"}`, { origin })
      expect(headers.get('access-control-allow-origin'), `${url} ${origin}`).toBeNull()
    }
})

test('no request that a browser sends without asking first spends the cookie', async () => {
  const counter = async () => {
    const [row] = await server.database.owner(
      `select max(refresh_counter) as n from session where user_id = $1`,
      [person.userId],
    )
    return row!.n
  }
  const body = JSON.stringify({ query: REFRESH })
  const simple = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ]
  for (const type of simple) {
    const { status } = await post(server.url, body, {
      'content-type': type,
      cookie,
      origin: STRANGERS[0]!,
    })
    expect(status, type).toBeGreaterThanOrEqual(400)
  }
  const got = await fetch(`${server.url}/graphql?query=${encodeURIComponent(REFRESH)}`, {
    headers: { cookie },
  })
  expect(got.status).toBe(405)
  expect(await counter()).toBe(0)
  const own = await post(server.url, body, { cookie, origin: FRIEND })
  expect(own.json.data.refreshSession.session.id).toBeTruthy()
  expect(await counter()).toBe(1)
})
