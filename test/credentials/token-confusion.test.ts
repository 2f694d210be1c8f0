import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { challenge, enrol } from '../support/authenticator.ts'
import { post } from '../support/client.ts'
import { freshSource } from '../support/guesses.ts'
import { magicToken, mailedLink, openProject, resetToken, signUp } from '../support/links.ts'
import { tokenIn } from '../support/mailbox.ts'
import {
  freshEmail,
  invite,
  organisation,
  PASSWORD,
  SESSION,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { createKey, createServiceAccount } from './keys.ts'

let server: TestServer
let admin: Person
/** One genuine token of every kind, each good in its own place. */
let tokens: Record<string, string>
/** Whose address is about to change. */
let mover: Person
/** Somebody without a password, who proves themselves by links. */
let linked: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
  const person = await signIn(server, (await admin.bring()).email)
  const careful = await admin.bring()
  linked = await admin.bring()
  await server.database.owner(`update user_account set password_hash = null where id = $1`, [
    linked.userId,
  ])
  const { recoveryCodes } = await enrol(careful)
  tokens = {
    'an access token': person.accessToken,
    'a refresh token': person.refreshToken,
    'an API key': (
      await createKey(admin, await createServiceAccount(admin, ['viewUser']), ['viewUser'])
    ).secret!,
    'an invitation': (await invite(admin)).token,
    'a password reset': await resetToken(server, (await admin.bring()).email),
    'a sign-in link': await magicToken(server, (await admin.bring()).email),
    'an address to confirm': await confirmation(),
    'an address to move to': await moving(await admin.bring()),
    'a challenge': (await challenge(server, careful.email)).token,
    'a recovery code': recoveryCodes![0]!,
    'a session id': person.sessionId,
  }
})
afterAll(() => server.stop())

async function confirmation(): Promise<string> {
  const [email, projectId] = [freshEmail(), await openProject(admin)]
  return tokenIn(await mailedLink(server, email, () => signUp(server, { projectId, email })))
}

async function moving(person: Person): Promise<string> {
  const email = freshEmail()
  mover = person
  const ASK = `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`
  return tokenIn(await mailedLink(server, email, () => person.ask(ASK, { email })))
}

const VIEWER = '{ viewer { operator } }'
const REFRESH = `mutation ($t: String) { refreshSession(input: { refreshToken: $t }) { ${SESSION} } }`
const BY_COOKIE = `mutation { refreshSession { ${SESSION} } }`
const COOKIE = '__Host-gatehouse-refresh'
const send = (query: string, variables: object = {}, headers: Record<string, string> = {}) =>
  post(server.url, JSON.stringify({ query, variables }), {
    'x-forwarded-for': freshSource(),
    ...headers,
  })

const ACCEPT = `mutation ($t: String!) { acceptInvitation(input: { token: $t,
  newAccount: { firstName: "Eve", lastName: "Lee", password: "${PASSWORD}" } }) { signIn { ${SESSION} } } }`
const RESET = `mutation ($t: String!) { resetPassword(input: { token: $t, newPassword: "${PASSWORD}" }) { email } }`
const VERIFY = `mutation ($t: String!) { verifyMfa(input: { challenge: $t, method: TOTP, code: "000000" }) { ${SESSION} } }`

/** Where a token may be presented, and which kind belongs there. */
const PLACES: Record<string, { own: string; present: (token: string) => ReturnType<typeof send> }> =
  {
    'as a Bearer': {
      own: 'an access token, an API key',
      present: t => send(VIEWER, {}, { authorization: `Bearer ${t}` }),
    },
    'to refreshSession': { own: 'a refresh token', present: t => send(REFRESH, { t }) },
    'in the refresh cookie': {
      own: 'a refresh token',
      present: t => send(BY_COOKIE, {}, { cookie: `${COOKIE}=${t}` }),
    },
    'to acceptInvitation': { own: 'an invitation', present: t => send(ACCEPT, { t }) },
    'to declineInvitation': {
      own: 'an invitation',
      present: t =>
        send(`mutation ($t: String!) { declineInvitation(token: $t) { email } }`, { t }),
    },
    'to resetPassword': { own: 'a password reset', present: t => send(RESET, { t }) },
    'to signInWithMagicLink': {
      own: 'a sign-in link',
      present: t =>
        send(
          `mutation ($t: String!) { signInWithMagicLink(input: { token: $t }) { __typename ... on Authenticated { ${SESSION} } } }`,
          { t },
        ),
    },
    'to reauthenticate': {
      own: 'a sign-in link',
      present: t =>
        send(
          `mutation ($t: String!) { reauthenticate(input: { magicLinkToken: $t }) { ${SESSION} } }`,
          { t },
          { authorization: `Bearer ${linked.accessToken}` },
        ),
    },
    'to verifyEmail': {
      own: 'an address to confirm',
      present: t =>
        send(`mutation ($t: String!) { verifyEmail(input: { token: $t }) { email } }`, { t }),
    },
    'to confirmEmailChange': {
      own: 'an address to move to',
      present: t =>
        send(
          `mutation ($t: String!) { confirmEmailChange(token: $t) { email } }`,
          { t },
          { authorization: `Bearer ${mover.accessToken}` },
        ),
    },
    'to verifyMfa': { own: 'a challenge', present: t => send(VERIFY, { t }) },
  }

describe.each(Object.entries(PLACES))('%s', (_place, { own, present }) => {
  test('every token of another kind is refused', async () => {
    for (const [kind, token] of Object.entries(tokens)) {
      if (own.includes(kind)) continue
      const { status, json, text } = await present(token)
      const refusal = json.errors?.[0].extensions
      expect(status, kind).toBeLessThan(500)
      expect(['UNAUTHENTICATED', 'BAD_USER_INPUT'], `${kind}: ${text}`).toContain(refusal?.code)
      if (refusal.code === 'BAD_USER_INPUT') expect(refusal.reason, kind).toMatch(/^TOKEN_INVALID$/)
      expect(Object.values(json.data ?? {}).every(value => value === null)).toBe(true)
    }
  })
})

test('none of them came to harm by it', async () => {
  for (const kind of ['an access token', 'an API key'])
    expect((await PLACES['as a Bearer']!.present(tokens[kind]!)).json.data.viewer).not.toBeNull()
  const refreshed = await PLACES['to refreshSession']!.present(tokens['a refresh token']!)
  expect(refreshed.json.data.refreshSession.accessToken).toBeTruthy()
  const accepted = await PLACES['to acceptInvitation']!.present(tokens['an invitation']!)
  expect(accepted.json.data.acceptInvitation.signIn.accessToken).toBeTruthy()
  const chosen = await PLACES['to resetPassword']!.present(tokens['a password reset']!)
  expect(chosen.json.data.resetPassword.email).toBeTruthy()
  const entered = await PLACES['to signInWithMagicLink']!.present(tokens['a sign-in link']!)
  expect(entered.json.data.signInWithMagicLink.accessToken).toBeTruthy()
  const confirmed = await PLACES['to verifyEmail']!.present(tokens['an address to confirm']!)
  expect(confirmed.json.data.verifyEmail.email).toBeTruthy()
  const moved = await PLACES['to confirmEmailChange']!.present(tokens['an address to move to']!)
  expect(moved.json.data.confirmEmailChange.email).not.toBe(mover.email)
})

describe('of two credentials in one request', () => {
  const cookieOf = (person: Person) => ({ cookie: `${COOKIE}=${person.refreshToken}` })
  const bearerOf = (person: Person) => ({ authorization: `Bearer ${person.accessToken}` })
  const WHO = `{ viewer { session { id } } }`

  test('the header says who calls, and a cookie adds nothing', async () => {
    const [one, two] = [await signIn(server, admin.email), await admin.bring()]
    const { json } = await send(WHO, {}, { ...bearerOf(two), ...cookieOf(one) })
    expect(json.data.viewer.session.id).toBe(two.sessionId)
    const refused = await send(WHO, {}, { authorization: 'Bearer x.y.z', ...cookieOf(one) })
    expect(refused.status).toBe(401)
  })

  test('the refresh token in the input counts, and the one in the cookie is not used up', async () => {
    const [one, two] = [await admin.bring(), await admin.bring()]
    const { json } = await send(REFRESH, { t: one.refreshToken }, cookieOf(two))
    expect(json.data.refreshSession.session.id).toBe(one.sessionId)
    const [row] = await server.database.owner(`select refresh_counter from session where id = $1`, [
      two.sessionId,
    ])
    expect(row!.refresh_counter).toBe(0)
    // a wrong one in the input is not made good by a right one in the cookie
    const wrong = await send(REFRESH, { t: 'gr_wrong' }, cookieOf(two))
    expect(wrong.json.errors[0].extensions.reason).toBe('CREDENTIALS_INVALID')
  })

  test('of two headers the first counts, and both in one are none', async () => {
    const [one, two] = [await admin.bring(), await admin.bring()]
    const bearers = [one, two].map(person => `Bearer ${person.accessToken}`)
    const answer = await new Promise<string>((resolve, reject) => {
      const sent = request(
        `${server.url}/graphql`,
        {
          method: 'POST',
          // Node sends a header for each of a list, whatever its types say
          headers: { 'content-type': 'application/json', authorization: bearers as never },
        },
        response => {
          let text = ''
          response.setEncoding('utf8').on('data', piece => (text += piece))
          response.on('end', () => resolve(text))
        },
      )
      sent.on('error', reject).end(JSON.stringify({ query: WHO }))
    })
    expect(JSON.parse(answer).data.viewer.session.id).toBe(one.sessionId)
    expect((await send(WHO, {}, { authorization: bearers.join(', ') })).status).toBe(401)
  })
})

test('a session, an id or a cookie that a client brings along is never adopted by a sign-in', async () => {
  const intruder = await admin.bring()
  const victim = await admin.bring()
  const chosen = `gr_${Buffer.alloc(52, 7).toString('base64url')}`
  for (const value of [intruder.refreshToken, chosen, intruder.sessionId]) {
    const { json, headers } = await send(
      `mutation ($email: EmailAddress!, $password: String!) {
        signIn(input: { email: $email, password: $password, delivery: COOKIE }) { ... on Authenticated { ${SESSION} } } }`,
      { email: victim.email, password: PASSWORD },
      { cookie: `${COOKIE}=${value}; session=${intruder.sessionId}` },
    )
    const { session } = json.data.signIn
    expect([intruder.sessionId, victim.sessionId]).not.toContain(session.id)
    const cookie = headers.getSetCookie()[0]!
    expect(cookie).not.toContain(value)
    const [row] = await server.database.owner(`select user_id from session where id = $1`, [
      session.id,
    ])
    expect(row!.user_id).toBe(victim.userId)
  }
  // what the intruder brought is theirs as before, and nobody else's
  const { json } = await send(REFRESH, { t: intruder.refreshToken })
  expect(json.data.refreshSession.session.id).toBe(intruder.sessionId)
  expect((await send(REFRESH, { t: chosen })).json.errors[0].extensions.code).toBe(
    'UNAUTHENTICATED',
  )
})
