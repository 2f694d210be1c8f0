import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enrol, verify } from '../support/authenticator.ts'
import { ask } from '../support/client.ts'
import { magicSignIn, magicToken, requestMagicLink } from '../support/links.ts'
import { organisation, PASSWORD, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const SIGN_IN = `mutation ($token: String!) { signInWithMagicLink(input: { token: $token }) {
  ... on Authenticated { accessToken } ... on MfaChallenge { token methods } } }`
const PROVE = `mutation ($input: ReauthenticateInput!) { reauthenticate(input: $input) { accessToken session { mfaVerifiedAt } } }`
const TOKEN_INVALID = ['BAD_USER_INPUT', 'TOKEN_INVALID'] as const

const withoutPassword = (person: Person) =>
  server.database.owner(`update user_account set password_hash = null where id = $1`, [
    person.userId,
  ])

test('a mailed link is never a second factor: it leads to the question for one', async () => {
  const person = await admin.bring()
  const { app } = await enrol(person)
  const token = await magicToken(server, person.email)
  const { signInWithMagicLink: asked } = await ask(server.url, SIGN_IN, { token })
  expect(asked.methods).toEqual(['TOTP', 'RECOVERY_CODE'])
  const session = await verify(server, asked.token, app.fresh())
  expect(decodeJwt(session.accessToken)).toMatchObject({ amr: ['mca', 'otp', 'mfa'], acr: '2' })
  await expect(ask(server.url, SIGN_IN, { token })).rejects.toBeRefused(...TOKEN_INVALID)
})

test('a fresh link proves again who is there, once, and only for accounts without a password', async () => {
  const person = await admin.bring()
  const before = await magicToken(server, person.email)
  await expect(person.ask(PROVE, { input: { magicLinkToken: before } })).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await withoutPassword(person)
  await expect(person.ask(PROVE, { input: { password: PASSWORD } })).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  const other = await admin.bring()
  await expect(other.ask(PROVE, { input: { magicLinkToken: 'x' } })).rejects.toBeRefused(
    'FORBIDDEN',
  )
  await withoutPassword(other)
  await expect(other.ask(PROVE, { input: { magicLinkToken: before } })).rejects.toBeRefused(
    ...TOKEN_INVALID,
  )
  const session = await magicSignIn(server, await magicToken(server, person.email))
  expect(decodeJwt(session.accessToken)).toMatchObject({ amr: ['mca'], acr: '1' })
  const token = await magicToken(server, person.email)
  const { reauthenticate } = await session.ask(PROVE, { input: { magicLinkToken: token } })
  session.accessToken = reauthenticate.accessToken
  expect(reauthenticate.session.mfaVerifiedAt).toBeNull()
  await expect(session.ask(PROVE, { input: { magicLinkToken: token } })).rejects.toBeRefused(
    ...TOKEN_INVALID,
  )
  await enrol(session)
  const last = await magicToken(server, person.email)
  await expect(session.ask(PROVE, { input: { magicLinkToken: last } })).rejects.toBeRefused(
    'MFA_REQUIRED',
  )
})

test('turning second factors on voids the links that wait', async () => {
  const person = await admin.bring()
  const token = await magicToken(server, person.email)
  await enrol(person)
  await expect(ask(server.url, SIGN_IN, { token })).rejects.toBeRefused(...TOKEN_INVALID)
  await requestMagicLink(server, person.email)
})

test('where an organisation takes mailed links alone, a password still proves again who is there', async () => {
  const person = await admin.bring()
  const session = await magicSignIn(server, await magicToken(server, person.email))
  await server.database.owner(
    `update organisation set sign_in_methods = '{MAGIC_LINK}' where id = $1`,
    [admin.organisationId],
  )
  try {
    const { reauthenticate } = await session.ask(PROVE, { input: { password: PASSWORD } })
    expect(reauthenticate.accessToken).toBeTruthy()
    await expect(
      signIn(server, person.email, PASSWORD, { organisationId: admin.organisationId }),
    ).rejects.toBeRefused('UNAUTHENTICATED')
  } finally {
    await server.database.owner(
      `update organisation set sign_in_methods = '{PASSWORD,MAGIC_LINK}' where id = $1`,
      [admin.organisationId],
    )
  }
})
