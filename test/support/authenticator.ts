import { codeAt, stepAt } from '../../src/credentials/totp/totp.ts'
import { ask } from './client.ts'
import { freshSource } from './guesses.ts'
import { PASSWORD, Person, SESSION } from './people.ts'
import type { TestServer } from './server.ts'

const ANSWER = `__typename ... on Authenticated { ${SESSION} } ... on MfaChallenge { token methods expiresAt }`

/** An authenticator app. */
export class Authenticator {
  readonly #server: TestServer
  readonly id: string
  readonly seed: string
  #last = 0

  constructor(server: TestServer, id: string, seed: string) {
    this.#server = server
    this.id = id
    this.seed = seed
  }

  /** The code that it shows now, or `steps` later. */
  code(steps = 0): string {
    return codeAt(this.seed, stepAt(this.#server.clock.now()) + steps)
  }

  /** A code that was not asked for before: it waits for the next step, where it must. */
  fresh(): string {
    const now = stepAt(this.#server.clock.now())
    this.#last = Math.max(this.#last + 1, now)
    if (this.#last > now) this.#server.clock.advance({ seconds: (this.#last - now) * 30 })
    return codeAt(this.seed, this.#last)
  }

  /** A code that fits none of the steps around. */
  wrong(): string {
    const near = new Set([-2, -1, 0, 1, 2].map(steps => this.code(steps)))
    for (let number = 0; ; number += 1) {
      const code = String(number).padStart(6, '0')
      if (!near.has(code)) return code
    }
  }
}

/** Turns second factors on, or adds one, in the session of a person. */
export async function enrol(
  person: Person,
  name?: string,
): Promise<{ app: Authenticator; recoveryCodes: string[] | null }> {
  const { startTotpEnrolment } = await person.ask(
    `mutation ($name: String) { startTotpEnrolment(name: $name) { id secret } }`,
    { name },
  )
  const app = new Authenticator(person.server, startTotpEnrolment.id, startTotpEnrolment.secret)
  const { confirmTotpEnrolment } = await person.ask(CONFIRM, {
    input: { enrolmentId: app.id, code: app.fresh() },
  })
  return { app, recoveryCodes: confirmTotpEnrolment.recoveryCodes }
}

export const CONFIRM = `mutation ($input: ConfirmTotpEnrolmentInput!) { confirmTotpEnrolment(input: $input) {
  recoveryCodes mfa { enabled required recoveryCodesRemaining factors { id name method createdAt lastUsedAt } } } }`

const from = (source: string) => ({ 'x-forwarded-for': source })

/** Signs in up to the question for the second factor. */
export async function challenge(
  server: TestServer,
  email: string,
  more: { password?: string; organisationId?: string; source?: string } = {},
): Promise<{ __typename: string; token: string; methods: string[]; expiresAt: string }> {
  const { password = PASSWORD, organisationId, source = freshSource() } = more
  const { signIn } = await ask(
    server.url,
    `mutation ($input: SignInInput!) { signIn(input: $input) { ${ANSWER} } }`,
    { input: { email, password, organisationId } },
    from(source),
  )
  return signIn
}

export interface CodeAnswer {
  method?: 'TOTP' | 'RECOVERY_CODE'
  source?: string
}

/** Answers a challenge, from a source of its own unless it is named. */
export async function verify(
  server: TestServer,
  token: string,
  code: string,
  { method, source = freshSource() }: CodeAnswer = {},
): Promise<Person> {
  const { verifyMfa } = await ask(
    server.url,
    `mutation ($input: VerifyMfaInput!) { verifyMfa(input: $input) { ${SESSION} } }`,
    { input: { challenge: token, code, method } },
    from(source),
  )
  return new Person(server, verifyMfa)
}

/** Signs in with both factors. */
export async function signInWith(
  server: TestServer,
  email: string,
  app: Authenticator,
): Promise<Person> {
  return verify(server, (await challenge(server, email)).token, app.fresh())
}
