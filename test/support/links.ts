import { ask } from './client.ts'
import { linkIn, mailsSoFar, mailsTo, tokenIn } from './mailbox.ts'
import type { TestServer } from './server.ts'

export const REQUEST_RESET = `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { email } }`
export const RESET = `mutation ($token: String!, $password: String!) {
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
