import { randomUUID } from 'node:crypto'
import { ask } from './client.ts'
import { linkIn, mailsSoFar, mailsTo, tokenIn } from './mailbox.ts'
import { PASSWORD, Person, SESSION } from './people.ts'
import type { TestServer } from './server.ts'

const REQUEST_RESET = `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { email } }`
const RESET = `mutation ($token: String!, $password: String!) {
  resetPassword(input: { token: $token, newPassword: $password }) { email } }`

export const OTHER_PASSWORD = 'quite another kettle of herring'

export const requestReset = (server: TestServer, email: string) =>
  ask(server.url, REQUEST_RESET, { email })

export const reset = (server: TestServer, token: string, password = OTHER_PASSWORD) =>
  ask(server.url, RESET, { token, password })

/** Does something that mails a link to an address, and brings the link. */
export async function mailedLink(
  server: TestServer,
  email: string,
  step: () => Promise<unknown>,
): Promise<string> {
  const before = await mailsSoFar(server, email)
  await step()
  return linkIn((await mailsTo(server, email, before.length + 1))[0]!)
}

/** Asks for a reset and brings the token of its link. */
export const resetToken = async (server: TestServer, email: string): Promise<string> =>
  tokenIn(await mailedLink(server, email, () => requestReset(server, email)))

const SIGN_UP = `mutation ($input: SignUpInput!) { signUp(input: $input) { email } }`

/** Registers with a project, from a source of one's own where the server trusts a proxy. */
export const signUp = (
  server: TestServer,
  input: Record<string, unknown>,
  headers: Record<string, string> = {},
) =>
  ask(
    server.url,
    SIGN_UP,
    { input: { firstName: 'Ann', lastName: 'Lee', password: PASSWORD, ...input } },
    headers,
  )

const VERIFY = `mutation ($input: VerifyEmailInput!) { verifyEmail(input: $input) { email } }`

export const verify = (
  server: TestServer,
  token: string,
  password?: string,
  accessToken?: string,
) =>
  ask(
    server.url,
    VERIFY,
    { input: { token, password } },
    accessToken ? { authorization: `Bearer ${accessToken}` } : {},
  )

export const requestVerification = (server: TestServer, email: string) =>
  ask(
    server.url,
    `mutation ($email: EmailAddress!) { requestEmailVerification(email: $email) { email } }`,
    { email },
  )

export const requestMagicLink = (server: TestServer, email: string, projectId?: string) =>
  ask(
    server.url,
    `mutation ($input: RequestMagicLinkInput!) { requestMagicLink(input: $input) { email } }`,
    { input: { email, projectId } },
  )

const MAGIC = `mutation ($input: SignInWithMagicLinkInput!) { signInWithMagicLink(input: $input) {
  ... on Authenticated { ${SESSION} } ... on MfaChallenge { token } } }`

/** Signs in through a mailed link. */
export async function magicSignIn(
  server: TestServer,
  token: string,
  more: Record<string, unknown> = {},
): Promise<Person> {
  const { signInWithMagicLink } = await ask(server.url, MAGIC, { input: { token, ...more } })
  return new Person(server, signInWithMagicLink)
}

export const magicToken = async (server: TestServer, email: string, projectId?: string) =>
  tokenIn(await mailedLink(server, email, () => requestMagicLink(server, email, projectId)))

/** A project that is open to registration. */
export async function openProject(
  admin: Person,
  registration: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): Promise<string> {
  const { createProject } = await admin.ask(
    `mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }`,
    {
      input: {
        name: `Shop ${randomUUID()}`,
        ...more,
        registration: {
          enabled: true,
          defaultRoleId: (await admin.roles()).Viewer,
          ...registration,
        },
      },
    },
  )
  return createProject.project.id
}
