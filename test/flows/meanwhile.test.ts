import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { challenge, enrol, verify as answerChallenge } from '../support/authenticator.ts'
import { ask } from '../support/client.ts'
import { onPostgres } from '../support/database.ts'
import {
  magicSignIn,
  magicToken,
  mailedLink,
  openProject,
  OTHER_PASSWORD,
  requestVerification,
  reset,
  resetToken,
  verify,
} from '../support/links.ts'
import { tokenIn } from '../support/mailbox.ts'
import { meanwhile } from '../support/meanwhile.ts'
import {
  freshEmail,
  newcomer,
  operator,
  organisation,
  PASSWORD,
  SESSION,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { answer } from '../http/pages.ts'

let server: TestServer
let admin: Person
let projectId: string

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const GONE = ['BAD_USER_INPUT', 'TOKEN_INVALID'] as const
const WRONG = ['UNAUTHENTICATED', 'CREDENTIALS_INVALID'] as const

/** What deleting an account does to it last, before it is committed. */
const deletionOf = ({ userId }: Person): [string, unknown[]][] => [
  [
    `update user_account set deleted_at = now(), email = id || '@deleted.invalid', email_verified_at = null,
      password_hash = null where id = $1`,
    [userId],
  ],
  ['delete from link where user_id = $1', [userId]],
  ['delete from challenge where user_id = $1', [userId]],
]

describe.skipIf(!onPostgres())('while the account is being deleted,', () => {
  const ways: Record<string, (person: Person) => Promise<() => Promise<unknown>>> = {
    'a sign-in link': async ({ email }) => {
      const token = await magicToken(server, email)
      return () => magicSignIn(server, token)
    },
    'a link for a new password': async ({ email }) => {
      const token = await resetToken(server, email)
      return () => reset(server, token)
    },
    'a confirmation': async person => {
      await server.database.owner(
        'update user_account set email_verified_at = null, proven_at = null where id = $1',
        [person.userId],
      )
      const link = await mailedLink(server, person.email, () =>
        requestVerification(server, person.email),
      )
      return () => verify(server, tokenIn(link), OTHER_PASSWORD)
    },
    'a challenge': async person => {
      const { app } = await enrol(person)
      server.clock.advance({ seconds: 60 })
      const { token } = await challenge(server, person.email)
      return () => answerChallenge(server, token, app.code())
    },
  }

  test.each(Object.entries(ways))('%s leads nowhere', async (_what, make) => {
    admin = await signIn(server, admin.email)
    const person = await newcomer(admin)
    const use = await make(person)
    await expect(meanwhile(server, deletionOf(person), use)).rejects.toBeRefused(...GONE)
    const sessions = await server.database.owner(
      'select id from session where user_id = $1 and id <> $2',
      [person.userId, person.sessionId],
    )
    expect(sessions).toEqual([])
  })

  test('its password signs nobody in, and its session begins no change', async () => {
    const person = await newcomer(admin)
    await expect(
      meanwhile(server, deletionOf(person), () => signIn(server, person.email)),
    ).rejects.toBeRefused(...WRONG)
    const other = await newcomer(admin)
    await expect(
      meanwhile(server, deletionOf(other), () =>
        other.ask(
          `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`,
          { email: freshEmail() },
        ),
      ),
    ).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  })

  test('whoever adds its address to an organisation invites a newcomer', async () => {
    const person = await newcomer(admin)
    const elsewhere = await organisation(server)
    const { member } = await meanwhile(server, deletionOf(person), () =>
      elsewhere.add({ email: person.email }),
    )
    expect(member).toMatchObject({ status: 'INVITED', userId: null })
  })

  test('no organisation is founded for it', async () => {
    const person = await newcomer(admin)
    const chief = await operator(server)
    const { createOrganisation } = await meanwhile(server, deletionOf(person), () =>
      chief.ask(
        `mutation ($input: CreateOrganisationInput!) { createOrganisation(input: $input) { organisation { id } } }`,
        { input: { name: 'Late', administratorEmail: person.email } },
      ),
    )
    const members = await server.database.owner(
      'select user_id from principal where organisation_id = $1 and removed_at is null and user_id is not null',
      [createOrganisation.organisation.id],
    )
    expect(members).toEqual([{ user_id: chief.userId }])
  })
})

describe.skipIf(!onPostgres())('while the password is being replaced, the old one', () => {
  const replaced = ({ userId }: Person): [string, unknown[]][] => [
    [`update user_account set password_changed_at = now() where id = $1`, [userId]],
  ]

  test('does not prove again who is there', async () => {
    const person = await newcomer(admin)
    await expect(
      meanwhile(server, replaced(person), () =>
        person.ask(
          `mutation ($password: String) { reauthenticate(input: { password: $password }) { ${SESSION} } }`,
          { password: PASSWORD },
        ),
      ),
    ).rejects.toBeRefused(...WRONG)
  })

  test('does nothing on a page', async () => {
    const person = await newcomer(admin)
    const moved = freshEmail('moved')
    const url = await mailedLink(server, moved, () =>
      person.ask(
        `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`,
        {
          email: moved,
        },
      ),
    )
    const response = await meanwhile(server, replaced(person), () =>
      answer(server, url, { password: PASSWORD }),
    )
    expect(response.status).not.toBe(303)
    const [account] = await server.database.owner('select email from user_account where id = $1', [
      person.userId,
    ])
    expect(account).toEqual({ email: person.email })
  })
})

describe.skipIf(!onPostgres())('while a session is being ended,', () => {
  test.each([
    [
      'leaves no link behind that would outlive it',
      (person: Person) =>
        person.ask(
          `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`,
          { email: freshEmail() },
        ),
    ],
    [
      'joins nothing',
      async (person: Person) =>
        person.ask(`mutation ($id: ID!) { joinProject(id: $id) { __typename } }`, {
          id: projectId,
        }),
    ],
  ])('it %s', async (_what, act) => {
    projectId = await openProject(admin)
    const person = await newcomer(admin)
    await expect(
      meanwhile(
        server,
        [
          [`update user_account set password_changed_at = now() where id = $1`, [person.userId]],
          [`update session set ended_at = now() where id = $1`, [person.sessionId]],
        ],
        () => act(person),
      ),
    ).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
    const left = await server.database.owner(`select kind from link where user_id = $1`, [
      person.userId,
    ])
    expect(left).toEqual([])
  })

  test('it changes no password', async () => {
    const person = await newcomer(admin)
    const input = { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD }
    await expect(
      meanwhile(
        server,
        [[`update session set ended_at = now() where id = $1`, [person.sessionId]]],
        () =>
          person.ask(
            `mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { ${SESSION} } }`,
            { input },
          ),
      ),
    ).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
    await signIn(server, person.email)
  })
})

describe.skipIf(!onPostgres())('while a second factor is being turned on,', () => {
  test('the password leads to the question for it, and a sign-in link too', async () => {
    const person = await newcomer(admin)
    const token = await magicToken(server, person.email)
    const { app } = await enrol(await newcomer(admin))
    const turnOn: [string, unknown[]][] = [
      ['update totp_factor set user_id = $1 where id = $2', [person.userId, app.id]],
    ]
    const { __typename } = await meanwhile(server, turnOn, () => challenge(server, person.email))
    expect(__typename).toBe('MfaChallenge')
    await server.database.owner('update user_account set second_factor = false where id = $1', [
      person.userId,
    ])
    const { signInWithMagicLink } = await meanwhile(
      server,
      [['update user_account set second_factor = true where id = $1', [person.userId]]],
      () =>
        ask(
          server.url,
          `mutation ($token: String!) { signInWithMagicLink(input: { token: $token }) { __typename } }`,
          { token },
        ),
    )
    expect(signInWithMagicLink).toEqual({ __typename: 'MfaChallenge' })
  })
})
