import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, post } from '../support/client.ts'
import { linkIn, mailsTo, tokenIn } from '../support/mailbox.ts'
import { freshEmail, operator, PASSWORD, type Person } from '../support/people.ts'
import { OPERATOR, startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
/** Everything that must not be in the log, by what it is. */
const secrets: Record<string, string> = {
  'the password of the operator': OPERATOR.password,
  'the secret of the server': Buffer.alloc(32, 7).toString('base64'),
}

beforeAll(async () => {
  // as talkative as it can be
  server = await startServer({ settings: { LOG_LEVEL: 'trace' } })
  admin = await operator(server)
  keep('an access token', admin.accessToken)
  keep('a refresh token', admin.refreshToken)
})
afterAll(() => server.stop())

function keep(what: string, secret: string): string {
  if (secret.length < 12) throw new Error(`${what} is too short to be looked for`)
  secrets[what] = secret
  return secret
}

/** As a buffer is written into JSON. */
const bytesOf = (text: string) => [...Buffer.from(text)].join(',')

/** Whatever of the secrets was logged, whole or in part. */
function leaks(): string[] {
  const log = server.log.join('')
  return Object.entries(secrets)
    .filter(([, secret]) =>
      [secret, secret.slice(-16), encodeURIComponent(secret), bytesOf(secret)].some(text =>
        log.includes(text),
      ),
    )
    .map(([what]) => what)
}

async function invite(
  email = freshEmail('log'),
): Promise<{ email: string; link: string; token: string }> {
  await admin.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`,
    {
      input: { email, firstName: 'Ann', lastName: 'Lee' },
    },
  )
  const link = linkIn((await mailsTo(server, email))[0]!)
  return { email, link, token: keep(`the token mailed to ${email}`, tokenIn(link)) }
}

/** Changes tables, as their owner. */
async function asOwner(text: string): Promise<void> {
  const { url } = server.database.options
  if (!url) return void (await server.database.owner(text))
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

const ACCEPT = `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { signIn { accessToken refreshToken } } }`
const SIGN_IN = `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { accessToken refreshToken } } }`

test('requests are logged, with an id, a path and a status', async () => {
  const answer = await post(server.url, JSON.stringify({ query: '{ __typename }' }))
  const id = answer.headers.get('x-request-id')!
  const lines = server.log
    .map(line => JSON.parse(line) as Record<string, any>)
    .filter(line => line.reqId === id)
  expect(lines.some(line => line.req?.path === '/graphql' && line.req.method === 'POST')).toBe(true)
  expect(lines.some(line => line.res?.statusCode === 200)).toBe(true)
})

test('signing in, adding, accepting, refreshing and signing out leave no secret in the log', async () => {
  const { email, token } = await invite()
  const password = keep('the password of a newcomer', 'sesame-open-5f2c81')
  const { acceptInvitation } = await ask(server.url, ACCEPT, {
    input: { token, newAccount: { firstName: 'Ann', lastName: 'Lee', password } },
  })
  keep('the first access token', acceptInvitation.signIn.accessToken)
  keep('the first refresh token', acceptInvitation.signIn.refreshToken)

  const { signIn } = await ask(server.url, SIGN_IN, { input: { email, password } })
  keep('an access token of a sign-in', signIn.accessToken)
  const { refreshSession } = await ask(
    server.url,
    `mutation ($token: String) { refreshSession(input: { refreshToken: $token }) { accessToken refreshToken } }`,
    { token: keep('a refresh token of a sign-in', signIn.refreshToken) },
  )
  keep('a renewed access token', refreshSession.accessToken)
  keep('a renewed refresh token', refreshSession.refreshToken)
  await ask(
    server.url,
    `{ viewer { operator } }`,
    {},
    { authorization: `Bearer ${refreshSession.accessToken}` },
  )
  await ask(
    server.url,
    `mutation { signOut { __typename } }`,
    {},
    {
      authorization: `Bearer ${refreshSession.accessToken}`,
    },
  )
  expect(leaks()).toEqual([])
})

test('a session in a cookie leaves no cookie in the log', async () => {
  const signedIn = await post(
    server.url,
    JSON.stringify({ query: SIGN_IN, variables: { input: { ...OPERATOR, delivery: 'COOKIE' } } }),
  )
  const [cookie] = signedIn.headers.getSetCookie()
  keep('the cookie of a session', cookie!.split(';')[0]!.split('=').slice(1).join('='))
  const refreshed = await post(
    server.url,
    JSON.stringify({ query: `mutation { refreshSession(input: {}) { accessToken } }` }),
    { cookie: cookie!.split(';')[0]! },
  )
  keep('an access token beside a cookie', refreshed.json.data.refreshSession.accessToken)
  keep(
    'the next cookie',
    refreshed.headers.getSetCookie()[0]!.split(';')[0]!.split('=').slice(1).join('='),
  )
  expect(leaks()).toEqual([])
})

test('the page of an invitation leaves neither its link nor what was typed in the log', async () => {
  const { link, token } = await invite()
  const password = keep('a password typed into the page', 'typed-into-a-form-77a1')
  const shown = await fetch(link)
  const page = await shown.text()
  const cookie = shown.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  keep('the cookie of the form', cookie.split('=').slice(1).join('='))
  const csrf = keep('the token of the form', /name="_csrf" value="([^"]+)"/.exec(page)![1]!)
  const form = { token, _csrf: csrf, answer: 'accept', firstName: 'Ann', lastName: 'Lee' }
  const send = (fields: Record<string, string>, headers: Record<string, string> = { cookie }) =>
    fetch(link, { method: 'POST', body: new URLSearchParams(fields), headers, redirect: 'manual' })
  expect(
    (await send({ ...form, password: keep('a password that is too short', 'tooshort-9b1f') }))
      .status,
  ).toBe(422)
  expect((await send({ ...form, password }, {})).status).toBe(403)
  expect((await send({ ...form, password })).status).toBe(303)
  await fetch(`${link}&again=1`)
  await fetch(`${server.url}/accept-invitation/elsewhere?token=${token}`)
  expect(leaks()).toEqual([])
})

describe('what goes wrong leaves no secret in the log either', () => {
  const password = 'a-wrong-one-4c81d0e2'
  const refresh = 'gr_this-one-is-no-refresh-token'

  test.each<[string, string, Record<string, string>]>([
    [
      'a wrong password',
      JSON.stringify({
        query: SIGN_IN,
        variables: { input: { email: 'nobody@example.com', password } },
      }),
      {},
    ],
    [
      'a password that is no text',
      JSON.stringify({
        query: SIGN_IN,
        variables: { input: { email: 'nobody@example.com', password: [{ password }] } },
      }),
      {},
    ],
    [
      'a password in the place of an address',
      JSON.stringify({ query: SIGN_IN, variables: { input: { email: password, password } } }),
      {},
    ],
    [
      'a password in the document',
      JSON.stringify({
        query: `mutation { signIn(input: { email: "nobody@example.com", password: "${password}" }) { __typename } }`,
      }),
      {},
    ],
    [
      'a document that breaks off',
      JSON.stringify({ query: `mutation { signIn(input: { password: "${password}` }),
      {},
    ],
    ['a body that is no JSON', `{"query": "mutation { signIn(password: ${password}`, {}],
    [
      'an access token that does not hold',
      JSON.stringify({ query: '{ viewer { operator } }' }),
      { authorization: `Bearer ${password}` },
    ],
    [
      'a header that is none',
      JSON.stringify({ query: '{ viewer { operator } }' }),
      { authorization: `Basic ${password}` },
    ],
    [
      'a wrong refresh token',
      JSON.stringify({
        query: `mutation { refreshSession(input: { refreshToken: "${refresh}" }) { accessToken } }`,
      }),
      {},
    ],
    [
      'a wrong cookie',
      JSON.stringify({ query: `mutation { refreshSession(input: {}) { accessToken } }` }),
      { cookie: `__Host-gatehouse-refresh=${refresh}` },
    ],
    ['a body of the wrong kind', `password=${password}`, { 'content-type': 'text/plain' }],
  ])('%s', async (_what, body, headers) => {
    keep('what was sent', password)
    keep('the refresh token that was sent', refresh)
    const before = server.log.length
    const { status, json } = await post(server.url, body, headers)
    expect(json?.errors ?? status, body).not.toBe(200)
    expect(server.log.length).toBeGreaterThan(before)
    expect(leaks()).toEqual([])
  })

  test('a query string is not logged', async () => {
    keep('what was sent', password)
    await fetch(`${server.url}/graphql?query={viewer{operator}}&access_token=${password}`)
    await fetch(`${server.url}/nowhere?token=${password}`)
    expect(leaks()).toEqual([])
  })

  test('a request that is no HTTP is not repeated', async () => {
    keep('what was sent', password)
    const { connect } = await import('node:net')
    await new Promise<void>(resolve => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
        socket.end(`POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization Bearer ${password}\r\n\r\n`),
      )
      socket.resume().on('close', () => resolve())
    })
    expect(leaks()).toEqual([])
  })

  test('a failure of the database is logged without the row at which it failed', async () => {
    await asOwner(`alter table user_account add constraint not_now check (first_name <> 'Never')`)
    const { email, token } = await invite()
    const secret = keep('the password of a row', 'never-written-11d9a')
    await expect(
      ask(server.url, ACCEPT, {
        input: { token, newAccount: { firstName: 'Never', lastName: 'Lee', password: secret } },
      }),
    ).rejects.toBeRefused('INTERNAL_SERVER_ERROR')
    const lines = server.log.filter(line => line.includes('a request failed'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('not_now')
    expect(lines[0]).toContain('"stack"')
    expect(lines[0]).not.toMatch(/\$argon2/)
    expect(lines[0]).not.toContain(email)
    expect(leaks()).toEqual([])
  })
})

test('mails are delivered without their links or their people in the log', () => {
  const log = server.log.join('')
  expect(log).not.toContain('accept-invitation?')
  expect(log).not.toMatch(/log-\d+-\d+@example\.com/)
  expect(log).not.toContain(PASSWORD)
})
