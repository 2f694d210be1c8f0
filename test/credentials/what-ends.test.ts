import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  challenge,
  enrol,
  signInWith,
  verify,
  type Authenticator,
} from '../support/authenticator.ts'
import { ask } from '../support/client.ts'
import {
  magicSignIn,
  magicToken,
  mailedLink,
  OTHER_PASSWORD,
  reset,
  resetToken,
} from '../support/links.ts'
import { tokenIn } from '../support/mailbox.ts'
import {
  freshEmail,
  operator,
  organisation,
  PASSWORD,
  SESSION,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
let chief: Person

beforeAll(async () => {
  server = await startServer({
    settings: { TRUST_PROXY: '1', ACCESS_TOKEN_SECONDS: '3600', STEP_UP_SECONDS: '3600' },
  })
  admin = await organisation(server)
  chief = await operator(server)
})
afterAll(() => server.stop())

/** Somebody with an authenticator, all that may yet let somebody in or change the account, and a second session. */
interface Pending {
  person: Person
  app: Authenticator
  elsewhere: Person
  challenge: string
  magicLink: string
  resetLink: string
  emailChange: string
}

async function pending(): Promise<Pending> {
  const { email } = await admin.bring()
  const begun = await signIn(server, email)
  const { app } = await enrol(begun)
  const person = await signInWith(server, email, app)
  const elsewhere = await signInWith(server, email, app)
  const moved = freshEmail('moved')
  return {
    person,
    app,
    elsewhere,
    magicLink: await magicToken(server, email),
    resetLink: await resetToken(server, email),
    emailChange: tokenIn(
      await mailedLink(server, moved, () =>
        person.ask(
          `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`,
          {
            email: moved,
          },
        ),
      ),
    ),
    challenge: (await challenge(server, email)).token,
  }
}

type Kept = 'sessions' | 'links' | 'challenges'

const ACTS: Record<string, { act: (of: Pending) => Promise<unknown>; keeps?: Kept[] }> = {
  'a changed password': {
    act: ({ person }) =>
      person
        .ask(`mutation ($i: ChangePasswordInput!) { changePassword(input: $i) { ${SESSION} } }`, {
          i: { currentPassword: PASSWORD, newPassword: OTHER_PASSWORD },
        })
        .then(({ changePassword }) => person.take(changePassword)),
  },
  'a password that was chosen anew': { act: ({ resetLink }) => reset(server, resetLink) },
  'a further authenticator': { act: ({ person }) => enrol(person, 'Tablet') },
  'a removed authenticator': {
    act: ({ person, app }) =>
      person.ask(
        `mutation ($id: ID!, $code: String!) { removeMfaFactor(id: $id, code: $code) { mfa { enabled } } }`,
        { id: app.id, code: app.fresh() },
      ),
  },
  'a reset of the second factors': {
    act: ({ person }) =>
      chief.ask(`mutation ($id: ID!) { resetUserMfa(id: $id, reason: "lost") { user { id } } }`, {
        id: person.userId,
      }),
  },
  'a deleted account': {
    act: ({ person }) => person.ask(`mutation { deleteAccount { deletedId } }`),
  },
  'ending the other sessions': {
    act: ({ person }) => person.ask(`mutation { revokeOtherSessions { count } }`),
    keeps: ['links'],
  },
  'an operator who ends all sessions': {
    act: ({ person }) =>
      chief.ask(`mutation ($id: ID!) { revokeUserSessions(id: $id) { count } }`, {
        id: person.userId,
      }),
    keeps: ['links'],
  },
  'a suspension that was lifted again': {
    act: async ({ person: { userId: id } }) => {
      await chief.ask(`mutation ($id: ID!) { suspendUser(id: $id) { user { id } } }`, { id })
      await chief.ask(`mutation ($id: ID!) { activateUser(id: $id) { user { id } } }`, { id })
    },
    keeps: ['links'],
  },
}

describe.each(Object.entries(ACTS))('%s', (_name, { act, keeps = [] }) => {
  test(`ends ${['sessions', 'links', 'challenges'].filter(each => !keeps.includes(each as Kept)).join(', ')} of before`, async () => {
    const before = await pending()
    const { app, elsewhere } = before
    await act(before)
    await expect(elsewhere.ask(`{ me { id } }`)).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'SESSION_ENDED',
    )
    await expect(verify(server, before.challenge, app.fresh())).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'TOKEN_INVALID',
    )
    const links = await server.database.owner(
      `select kind from link where user_id = $1 and spent_at is null order by kind`,
      [elsewhere.userId],
    )
    expect(links.map(({ kind }) => kind)).toEqual(
      keeps.includes('links') ? ['EMAIL_CHANGE', 'MAGIC_LINK', 'PASSWORD_RESET'] : [],
    )
    if (keeps.includes('links')) return
    await expect(magicSignIn(server, before.magicLink)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'TOKEN_INVALID',
    )
    await expect(reset(server, before.resetLink)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'TOKEN_INVALID',
    )
  })
})

test('a session of one organisation ends the sign-ins of that organisation alone', async () => {
  const { createProject } = await admin.ask(
    `mutation ($roleId: ID!) { createProject(input: { name: "Shop", signInUrl: "https://shop.example/enter",
      registration: { enabled: true, defaultRoleId: $roleId } }) { project { id } } }`,
    { roleId: (await admin.roles()).Viewer },
  )
  const { id: projectId } = createProject.project
  const person = await admin.bring()
  await person.ask(`mutation ($id: ID!) { joinProject(id: $id) { __typename } }`, { id: projectId })
  const { app } = await enrol(person)
  const byLink = async () => {
    const token = await magicToken(server, person.email, projectId)
    const { signInWithMagicLink } = await ask(
      server.url,
      `mutation ($token: String!) { signInWithMagicLink(input: { token: $token }) { ... on MfaChallenge { token } } }`,
      { token },
    )
    return signInWithMagicLink.token as string
  }
  const confined = await verify(server, await byLink(), app.fresh())
  const [own, theirs] = [(await challenge(server, person.email)).token, await byLink()]
  await confined.ask(`mutation { revokeOtherSessions { count } }`)
  await expect(verify(server, theirs, app.fresh())).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'TOKEN_INVALID',
  )
  await verify(server, own, app.fresh())
})
