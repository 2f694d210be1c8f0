import { post } from '../support/client.ts'
import { OPERATOR } from './node-process.ts'

type Json = any

export interface Answer {
  status: number
  data: Json
  /** The first refusal. */
  error: { code: string; reason?: string; retryAfter?: number } | undefined
  retryAfter: string | null
  tookMs: number
}

/** Asks and tells whatever came back; only a lost connection is an error. */
export async function query(
  url: string,
  text: string,
  variables: object = {},
  token?: string,
): Promise<Answer> {
  const begun = Date.now()
  const { status, json, headers } = await post(
    url,
    JSON.stringify({ query: text, variables }),
    token ? { authorization: `Bearer ${token}` } : {},
  )
  return {
    status,
    data: json?.data,
    error: json?.errors?.[0]?.extensions,
    retryAfter: headers.get('retry-after'),
    tookMs: Date.now() - begun,
  }
}

export const signIn = (url: string): Promise<Answer> =>
  query(
    url,
    `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { accessToken } } }`,
    { input: OPERATOR },
  )

/** An access token of the operator. */
export async function tokenOf(url: string): Promise<string> {
  const { data, error } = await signIn(url)
  if (!data?.signIn) throw new Error(`no sign-in: ${JSON.stringify(error)}`)
  return data.signIn.accessToken
}

export const viewer = (url: string, token: string): Promise<Answer> =>
  query(url, `{ viewer { organisation { members(first: 1) { totalCount } } } }`, {}, token)

export const addMember = (url: string, token: string, email: string): Promise<Answer> =>
  query(
    url,
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`,
    { input: { email, firstName: 'Ann', lastName: 'Lee' } },
    token,
  )
