import { digest } from '../../src/shared/tokens.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  mailedLink,
  magicToken,
  openProject,
  OTHER_PASSWORD,
  requestVerification,
  reset,
  resetToken,
  signUp,
  verify,
} from '../support/links.ts'
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
let projectId: string

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  projectId = await openProject(admin)
})
afterAll(() => server.stop())

const memberships = async (person: Person) =>
  (
    await person.ask(
      `{ me { emailVerifiedAt memberships { nodes { role { name } organisation { id } } } } }`,
    )
  ).me

/** Somebody who has registered, and the token that was mailed to them. */
async function registered(email = freshEmail()) {
  const link = await mailedLink(server, email, () => signUp(server, { projectId, email }))
  return { email, link, token: tokenIn(link) }
}

test('whoever proves the mailbox chooses the password, and is let into what they registered for', async () => {
  const { email, link, token } = await registered()
  expect(new URL(link).pathname).toBe('/verify-email')
  expect(await verify(server, token, OTHER_PASSWORD)).toEqual({ verifyEmail: { email } })

  await expect(signIn(server, email)).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
  const person = await signIn(server, email, OTHER_PASSWORD)
  expect(person.organisationId).toBe(admin.organisationId)
  const me = await memberships(person)
  expect(me.emailVerifiedAt).not.toBeNull()
  expect(me.memberships.nodes).toEqual([
    { role: { name: 'Member' }, organisation: { id: admin.organisationId } },
  ])
  await person.ask(`mutation ($id: ID) { switchProject(id: $id) { session { id } } }`, {
    id: projectId,
  })
})

test('without a password the one set before the proof is void', async () => {
  const { email, token } = await registered()
  await verify(server, token)
  await expect(signIn(server, email)).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
})

test('a link works once: of many at once one is taken', async () => {
  const { email, token } = await registered()
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => verify(server, token, `${OTHER_PASSWORD} ${index}`)),
  )
  expect(tries.filter(each => each.status === 'fulfilled')).toHaveLength(1)
  await signIn(
    server,
    email,
    `${OTHER_PASSWORD} ${tries.findIndex(each => each.status === 'fulfilled')}`,
  )
  await expect(verify(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
})

test('a refused password leaves the link as it is', async () => {
  const { token, email } = await registered()
  await expect(verify(server, token, email)).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'PASSWORD_TOO_COMMON',
  )
  await verify(server, token, PASSWORD)
})

test('a fresh link replaces the one before and keeps what was registered for', async () => {
  const { email, token } = await registered()
  const fresh = tokenIn(await mailedLink(server, email, () => requestVerification(server, email)))
  await expect(verify(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  await verify(server, fresh, PASSWORD)
  expect((await signIn(server, email)).organisationId).toBe(admin.organisationId)
})

test('an address that is confirmed or unknown gets no link, and the same answer', async () => {
  const { email } = await newcomer(admin)
  const stranger = freshEmail('stranger')
  for (const each of [email, stranger])
    expect(await requestVerification(server, each)).toEqual({
      requestEmailVerification: { email: each },
    })
  expect(await mailsSoFar(server, email)).toEqual([])
  expect(await mailsSoFar(server, stranger)).toEqual([])
})

test.each(['PASSWORD_RESET', 'MAGIC_LINK', 'EMAIL_CHANGE'])(
  'a link of the kind %s confirms nothing',
  async kind => {
    const { token } = await registered()
    await server.database.owner(`update link set kind = $1 where token_digest = $2`, [
      kind,
      digest(token),
    ])
    await expect(verify(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  },
)

test('a confirmation link neither resets a password nor signs in', async () => {
  const { token } = await registered()
  await expect(reset(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
})

test.each([
  ['has left the address since', `email = 'elsewhere-' || email`],
  ['was confirmed since', 'email_verified_at = now(), proven_at = now()'],
])('a link is over once the account %s', async (_what, change) => {
  const { email, token } = await registered()
  const [before] = await server.database.owner(
    `update user_account set ${change} where email = $1 returning id, password_hash`,
    [email],
  )
  await expect(verify(server, token, undefined)).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'TOKEN_INVALID',
  )
  const after = await server.database.owner(
    `select id, password_hash from user_account where id = $1`,
    [before!.id],
  )
  expect(after).toEqual([before])
})

test('who proves it by another link has no use for this one any more', async () => {
  const { email, token } = await registered()
  await reset(server, await resetToken(server, email))
  await expect(verify(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
})

test('a project that has been closed since lets nobody in, but the address counts as proven', async () => {
  const closing = await openProject(admin)
  const email = freshEmail()
  const link = await mailedLink(server, email, () => signUp(server, { projectId: closing, email }))
  await admin.ask(
    `mutation ($id: ID!) { updateProject(id: $id, input: { registration: { enabled: false } }) { project { id } } }`,
    { id: closing },
  )
  await verify(server, tokenIn(link), PASSWORD)
  const me = await memberships(await signIn(server, email))
  expect(me.memberships.nodes).toEqual([])
  expect(me.emailVerifiedAt).not.toBeNull()
})

test.each([
  ['locked', 'locked_at = now()'],
  ['suspended', `status = 'SUSPENDED'`],
])('an account that is %s is let in nowhere by it, but counts as proven', async (_what, bar) => {
  const { email, token } = await registered()
  await server.database.owner(`update user_account set ${bar} where email = $1`, [email])
  await verify(server, token, PASSWORD)
  await server.database.owner(
    `update user_account set status = 'ACTIVE', locked_at = null where email = $1`,
    [email],
  )
  const me = await memberships(await signIn(server, email))
  expect(me.memberships.nodes).toEqual([])
  expect(me.emailVerifiedAt).not.toBeNull()
})

describe('a login that an administrator changed', () => {
  /** Somebody whose edited login waits for its confirmation, and the token that was mailed to it. */
  async function edited() {
    const person = await newcomer(admin)
    await server.database.owner('update user_account set email_verified_at = null where id = $1', [
      person.userId,
    ])
    const token = tokenIn(
      await mailedLink(server, person.email, () => requestVerification(server, person.email)),
    )
    return { person, token }
  }

  test('is confirmed in a session of that account, whose password and sessions stay', async () => {
    const { person, token } = await edited()
    const elsewhere = await signIn(server, person.email)
    await verify(server, token, undefined, person.accessToken)
    expect((await memberships(person)).emailVerifiedAt).not.toBeNull()
    await elsewhere.ask('{ me { id } }')
    await signIn(server, person.email)
    await magicToken(server, person.email)
  })

  test('is confirmed by nobody else, and its link buys no password', async () => {
    const { person, token } = await edited()
    const stranger = await newcomer(admin)
    await expect(verify(server, token)).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    await expect(verify(server, token, undefined, stranger.accessToken)).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
    await expect(verify(server, token, OTHER_PASSWORD)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'POLICY_FORBIDS',
    )
    await expect(verify(server, token, OTHER_PASSWORD, person.accessToken)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'POLICY_FORBIDS',
    )
    await verify(server, token, undefined, person.accessToken)
  })

  test('is not confirmed in a session that acts in one organisation only', async () => {
    const { person, token } = await edited()
    await server.database.owner(
      'update session set confined_to_id = organisation_id where id = $1',
      [person.sessionId],
    )
    await expect(verify(server, token, undefined, person.accessToken)).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
  })
})

test('the confirmation comes in the language of the account', async () => {
  const { email } = await registered()
  await server.database.owner(`update user_account set locale = 'de-CH' where email = $1`, [email])
  await requestVerification(server, email)
  const [mail] = await mailsTo(server, email, 2)
  expect(mail!.subject).toBe('E-Mail-Adresse bestätigen')
})
