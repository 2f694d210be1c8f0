import { expect } from 'vitest'
import { ask, type Refusal } from './client.ts'
import { PASSWORD, SESSION } from './people.ts'
import type { TestServer } from './server.ts'

export const SIGN_IN = `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { ${SESSION} } } }`

let sources = 0
/** An address that nobody else has tried from; for servers that trust one proxy. */
export const freshSource = (): string => `203.0.${(sources += 1) >> 8}.${sources & 255}`

export interface Guess {
  password?: string
  organisationId?: string
  source?: string
}

/** Tries a login from a source, a new one unless it is named. */
export const guess = (
  node: TestServer,
  email: string,
  { password = PASSWORD, organisationId, source = freshSource() }: Guess = {},
) =>
  ask(
    node.url,
    SIGN_IN,
    { input: { email, password, organisationId } },
    { 'x-forwarded-for': source },
  )

export const WRONG = 'not the password at all'
export const INVALID = ['UNAUTHENTICATED', 'CREDENTIALS_INVALID'] as const

/** Expects a delay, and says how many seconds it is. */
export async function delayOf(attempt: Promise<unknown>): Promise<number> {
  const refusal = (await attempt.catch(error => error)) as Refusal
  expect(refusal).toMatchObject({
    code: 'RATE_LIMITED',
    extensions: { retryAfter: expect.any(Number) },
  })
  return refusal.extensions.retryAfter as number
}
