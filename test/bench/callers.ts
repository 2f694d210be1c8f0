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
export async function signInAll(
  server: ServerProcess,
  password: string,
  emails = callers,
): Promise<Caller[]> {
  const signedIn: Caller[] = []
  for (const email of emails) {
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

const ROLES = `{ organisation { roles(first: 100) { nodes { id name } } } }`
const ACCOUNT = `mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { serviceAccount { id } } }`
const KEY = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }`

/** As many API keys as there are callers, each of a service account of its own that may do everything. */
export async function takeKeys(server: ServerProcess, people: Caller[]): Promise<Caller[]> {
  const [administrator] = people
  const ask = async <Data>(query: string, variables: object = {}): Promise<Data> => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${administrator!.token}`,
      },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = (await response.json()) as { data: Data; errors?: unknown }
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
  const { organisation } = await ask<{
    organisation: { roles: { nodes: { id: string; name: string }[] } }
  }>(ROLES)
  const role = organisation.roles.nodes.find(each => each.name === 'Administrator')!
  const scopes = [
    'viewUser',
    'manageUser',
    'manageServiceAccount',
    'manageRole',
    'manageProject',
    'manageOrganisation',
  ]
  const keys: Caller[] = []
  for (const number of people.keys()) {
    const { createServiceAccount: made } = await ask<{
      createServiceAccount: { serviceAccount: { id: string } }
    }>(ACCOUNT, { input: { name: `Machine ${number}`, roleId: role.id } })
    const { createApiKey } = await ask<{ createApiKey: { secret: string } }>(KEY, {
      input: { ownerId: made.serviceAccount.id, name: 'bench', scopes },
    })
    keys.push({ token: createApiKey.secret, sessionId: '' })
  }
  return keys
}
