import type { ServerProcess } from './processes.ts'
import { callers } from './seed.ts'

/** Someone who calls: by access token, or, at the bare server, by the session itself. */
export interface Caller {
  token: string
  sessionId: string
}

const SIGN_IN = `mutation ($input: SignInInput!) {
  signIn(input: $input) { ... on Authenticated { accessToken session { id } } }
}`

interface Answer {
  data?: { signIn: { accessToken: string; session: { id: string } } | null }
}

/** Signs the callers in, one after the other, as anyone would. */
export async function signInAll(server: ServerProcess, password: string): Promise<Caller[]> {
  const signedIn: Caller[] = []
  for (const email of callers) {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: SIGN_IN, variables: { input: { email, password } } }),
    })
    const answer = (await response.json()) as Answer
    const done = answer.data?.signIn
    if (!done) throw new Error(`${email} could not sign in: ${JSON.stringify(answer)}`)
    signedIn.push({ token: done.accessToken, sessionId: done.session.id })
  }
  return signedIn
}
