import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, post } from '../support/client.ts'
import { mailedLink, OTHER_PASSWORD, requestReset, reset, resetToken } from '../support/links.ts'
import { mailsSoFar, mailsTo, tokenIn } from '../support/mailbox.ts'
import {
  freshEmail,
  newcomer,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const row = async (userId: string) =>
  (await server.database.owner('select * from user_account where id = $1', [userId]))[0]!

test('a mailed link replaces the password, ends every session and tells the owner', async () => {
  const person = await newcomer(admin)
  const elsewhere = await signIn(server, person.email)
  const link = await mailedLink(server, person.email, () => requestReset(server, person.email))
  expect(link.startsWith(`${server.app.node.server.config.PUBLIC_URL}/reset-password?token=`)).toBe(
    true,
  )

  const { resetPassword } = await reset(server, tokenIn(link))
  expect(resetPassword).toEqual({ email: person.email })

  await expect(signIn(server, person.email)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  await expect(person.ask('{ me { id } }')).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  await expect(elsewhere.ask('{ me { id } }')).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'SESSION_ENDED',
  )
  await signIn(server, person.email, OTHER_PASSWORD)
  const [notice] = await mailsTo(server, person.email, 2)
  expect(notice!.subject).toBe('Your password was changed')
  expect(notice!.text).not.toContain('http')
})

test('a link works once: of many at once one is taken', async () => {
  const { email } = await newcomer(admin)
  const token = await resetToken(server, email)
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => reset(server, token, `${OTHER_PASSWORD} ${index}`)),
  )
  expect(tries.filter(each => each.status === 'fulfilled')).toHaveLength(1)
  for (const each of tries)
    if (each.status === 'rejected')
      expect(each.reason).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'TOKEN_INVALID' })
  const winner = tries.findIndex(each => each.status === 'fulfilled')
  await signIn(server, email, `${OTHER_PASSWORD} ${winner}`)
})

test('the newest link is the only one', async () => {
  const { email } = await newcomer(admin)
  const first = await resetToken(server, email)
  const second = await resetToken(server, email)
  await expect(reset(server, first)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  await reset(server, second)
})

test('a refused password leaves the link as it is', async () => {
  const { email } = await newcomer(admin)
  const token = await resetToken(server, email)
  await expect(reset(server, token, 'short')).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'PASSWORD_TOO_SHORT',
  )
  await reset(server, token)
})

test('the policy of every organisation that the person entered counts', async () => {
  const strict = await organisation(server)
  await server.database.owner('update organisation set password_min_length = 40 where id = $1', [
    strict.organisationId,
  ])
  const person = await newcomer(admin)
  await strict.add({ email: person.email })
  const loose = await resetToken(server, person.email)
  await reset(server, loose)
  const { me } = await (
    await signIn(server, person.email, OTHER_PASSWORD)
  ).ask('{ me { memberships { nodes { organisation { id } } } } }')
  expect(me.memberships.nodes).toHaveLength(2)
  await (await signIn(server, person.email, OTHER_PASSWORD)).switchTo(strict.organisationId)
  const token = await resetToken(server, person.email)
  await expect(reset(server, token, `${PASSWORD} now`)).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'PASSWORD_TOO_SHORT',
  )
})

test('a link runs out', async () => {
  const { email } = await newcomer(admin)
  const token = await resetToken(server, email)
  await server.database.owner(`update link set expires_at = now() where email = $1`, [email])
  await expect(reset(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
})

test('whoever proves a mailbox for the first time takes the account over as it was never used', async () => {
  const email = freshEmail()
  const { invitationUrl } = await admin.add({ email, sendInvitation: false })
  const { acceptInvitation } = await ask(
    server.url,
    `mutation ($token: String!, $password: String!) { acceptInvitation(input: { token: $token,
      newAccount: { firstName: "Eve", lastName: "", password: $password } }) { signIn { accessToken user { id } } } }`,
    { token: tokenIn(invitationUrl), password: PASSWORD },
  )
  const { accessToken, user } = acceptInvitation.signIn
  expect(await row(user.id)).toMatchObject({ proven_at: null })
  await admin.ask(
    `mutation { updateOrganisationSettings(input: { apiKey: { selfService: true } }) { organisation { id } } }`,
  )
  const { viewer } = await ask(
    server.url,
    `{ viewer { principal { ... on Member { id } } } }`,
    {},
    { authorization: `Bearer ${accessToken}` },
  )
  const { createApiKey } = await ask(
    server.url,
    `mutation ($ownerId: ID!) { createApiKey(input: { ownerId: $ownerId, name: "Key", scopes: ["viewUser"] }) { secret } }`,
    { ownerId: viewer.principal.id },
    { authorization: `Bearer ${accessToken}` },
  )
  const byKey = () =>
    ask(
      server.url,
      `{ viewer { __typename } }`,
      {},
      {
        authorization: `Bearer ${createApiKey.secret}`,
      },
    )

  await reset(server, await resetToken(server, email))

  await expect(
    ask(server.url, '{ me { id } }', {}, { authorization: `Bearer ${accessToken}` }),
  ).rejects.toBeRefused('UNAUTHENTICATED')
  await expect(signIn(server, email)).rejects.toBeRefused('UNAUTHENTICATED')
  await expect(byKey()).rejects.toBeRefused('UNAUTHENTICATED', 'KEY_INVALID')
  const keys = await server.database.owner(`select revoked_at from api_key where owner_id = $1`, [
    viewer.principal.id,
  ])
  expect(keys).toEqual([{ revoked_at: expect.anything() }])
  expect(await row(user.id)).toMatchObject({
    proven_at: expect.anything(),
    email_verified_at: expect.anything(),
  })
  await signIn(server, email, OTHER_PASSWORD)
})

test('a login that its owner has not confirmed since it was edited gets no link', async () => {
  const person = await newcomer(admin)
  await server.database.owner('update user_account set email_verified_at = null where id = $1', [
    person.userId,
  ])
  await requestReset(server, person.email)
  expect(await mailsSoFar(server, person.email)).toEqual([])
})

describe('an unknown address', () => {
  test('is answered like a known one, and gets no mail', async () => {
    const { email } = await newcomer(admin)
    const stranger = freshEmail('stranger')
    const [known, unknown] = [
      await requestReset(server, email),
      await requestReset(server, stranger),
    ]
    expect(known).toEqual({ requestPasswordReset: { email } })
    expect(unknown).toEqual({ requestPasswordReset: { email: stranger } })
    expect(await mailsSoFar(server, stranger)).toEqual([])
    expect(await mailsSoFar(server, email)).toHaveLength(1)
  })

  test('is slowed down like a known one, whatever the source', async () => {
    const proxied = await startServer({ settings: { TRUST_PROXY: '1' } })
    const refusalsOf = async (email: string) => {
      const codes: string[] = []
      for (let count = 0; count < 12; count += 1)
        codes.push(
          await ask(
            proxied.url,
            `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { email } }`,
            { email },
            { 'x-forwarded-for': `198.51.100.${count}` },
          ).then(
            () => 'OK',
            error => error.code,
          ),
        )
      return codes
    }
    try {
      const expected = [...Array<string>(10).fill('OK'), 'RATE_LIMITED', 'RATE_LIMITED']
      expect(await refusalsOf('operator@localhost.test')).toEqual(expected)
      expect(await refusalsOf(freshEmail('stranger'))).toEqual(expected)
    } finally {
      await proxied.stop()
    }
  })
})

test.each([
  [['a@example.com', 'b@example.com']],
  [{ address: 'a@example.com' }],
  ['a@example.com,b@example.com'],
  ['a@example.com\r\nBcc: b@example.com'],
  ['A <a@example.com>'],
])('%j is no address, and nobody is mailed', async email => {
  const answer = await post(
    server.url,
    JSON.stringify({
      query: `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { email } }`,
      variables: { email },
    }),
  )
  expect(answer.status).toBe(400)
  expect(answer.json.errors[0].extensions.code).toBe('BAD_USER_INPUT')
  expect(await mailsSoFar(server, 'b@example.com')).toEqual([])
})

test('what a request says of its host never shapes a link', async () => {
  const { email } = await newcomer(admin)
  const link = await mailedLink(server, email, () =>
    ask(
      server.url,
      `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { email } }`,
      { email },
      {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        forwarded: 'host=evil.example;proto=https',
        origin: 'https://evil.example',
      },
    ),
  )
  expect(new URL(link).origin).toBe(server.app.node.server.config.PUBLIC_URL)
})

test('an API key neither asks for a link nor uses one', async () => {
  const { createApiKey } = await admin.ask(
    `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }`,
    { input: { ownerId: await serviceAccount(), name: 'Key', scopes: [] } },
  )
  const headers = { authorization: `Bearer ${createApiKey.secret}` }
  await expect(
    ask(
      server.url,
      `mutation { requestPasswordReset(email: "a@example.com") { email } }`,
      {},
      headers,
    ),
  ).rejects.toBeRefused('FORBIDDEN', 'KEY_NOT_ALLOWED')
})

async function serviceAccount(): Promise<string> {
  const { createServiceAccount } = await admin.ask(
    `mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { serviceAccount { id } } }`,
    { input: { name: 'Robot', roleId: (await admin.roles()).Member } },
  )
  return createServiceAccount.serviceAccount.id
}
