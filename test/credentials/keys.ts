import type { Variables } from 'graphql-request'
import { ask } from '../support/client.ts'
import type { Person } from '../support/people.ts'

const CREATE_ACCOUNT = `mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { serviceAccount { id } } }`
const KEY = `id name prefix status scopes { name } projects { id } allowedIpRanges issuedAt expiresAt revokedAt`
const CREATE_KEY = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { ${KEY} } secret } }`
const UPDATE_KEY = `mutation ($id: ID!, $input: UpdateApiKeyInput!) { updateApiKey(id: $id, input: $input) { apiKey { ${KEY} } } }`
const RENEW_KEY = `mutation ($id: ID!, $expiresAt: DateTime, $overlap: Int! = 0) {
  renewApiKey(id: $id, expiresAt: $expiresAt, overlapMinutes: $overlap) { apiKey { ${KEY} } secret } }`
const REVOKE_KEY = `mutation ($id: ID!) { revokeApiKey(id: $id) { apiKey { ${KEY} } } }`

export interface Key {
  id: string
  name: string
  prefix: string | null
  status: string
  scopes: { name: string }[]
  projects: { id: string }[] | null
  allowedIpRanges: string[] | null
  issuedAt: string | null
  expiresAt: string | null
  revokedAt: string | null
}

export interface Issued extends Key {
  secret: string | null
}

let number = 0

export async function createRole(
  admin: Person,
  permissions: string[],
  more: Record<string, unknown> = {},
): Promise<{ id: string; name: string }> {
  const name = `Role ${(number += 1)}`
  const { createRole: made } = await admin.ask(
    `mutation ($input: CreateRoleInput!) { createRole(input: $input) { role { id name } } }`,
    { input: { name, level: 'ORGANISATION', permissions, ...more } },
  )
  return made.role
}

/** A member with a role of their own that holds just these. */
export async function bringWith(admin: Person, permissions: string[]): Promise<Person> {
  return admin.bring((await createRole(admin, permissions)).name)
}

export async function createProject(admin: Person): Promise<string> {
  const { createProject: made } = await admin.ask(
    `mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }`,
    { input: { name: `Project ${(number += 1)}` } },
  )
  return made.project.id
}

export async function grant(admin: Person, principalId: string, projectId: string, roleId: string) {
  const { grantProjectAccess } = await admin.ask(
    `mutation ($input: GrantProjectAccessInput!) { grantProjectAccess(input: $input) { projectAccess { id } } }`,
    { input: { principalId, projectId, roleId } },
  )
  return grantProjectAccess.projectAccess.id as string
}

export async function createServiceAccount(
  admin: Person,
  permissions: string[],
  more: Record<string, unknown> = {},
): Promise<string> {
  const { id: roleId } = await createRole(admin, permissions)
  const { createServiceAccount: made } = await admin.ask(CREATE_ACCOUNT, {
    input: { name: `Machine ${(number += 1)}`, roleId, ...more },
  })
  return made.serviceAccount.id
}

export async function createKey(
  by: Person,
  ownerId: string,
  scopes: string[],
  more: Record<string, unknown> = {},
): Promise<Issued> {
  const { createApiKey: made } = await by.ask(CREATE_KEY, {
    input: { ownerId, name: `Key ${(number += 1)}`, scopes, ...more },
  })
  return { ...made.apiKey, secret: made.secret }
}

export const updateKey = async (by: Person, id: string, input: object): Promise<Key> =>
  (await by.ask(UPDATE_KEY, { id, input })).updateApiKey.apiKey

export async function renewKey(
  by: Person,
  id: string,
  more: { expiresAt?: string; overlap?: number } = {},
  url?: string,
): Promise<Issued> {
  const { renewApiKey: made } = await by.ask(RENEW_KEY, { id, ...more }, url)
  return { ...made.apiKey, secret: made.secret }
}

export const revokeKey = async (by: Person, id: string): Promise<Key> =>
  (await by.ask(REVOKE_KEY, { id })).revokeApiKey.apiKey

export async function readKey(by: Person, id: string): Promise<Key> {
  const { node } = await by.ask(`query ($id: ID!) { node(id: $id) { ... on ApiKey { ${KEY} } } }`, {
    id,
  })
  return node
}

/** Asks with a key instead of a session. */
export const askBy = (
  { server }: Person,
  secret: string | null,
  document: string,
  variables: Variables = {},
  headers: Record<string, string> = {},
  url = server.url,
) => ask(url, document, variables, { ...headers, authorization: `Bearer ${secret}` })

/** What a key may do right now; null where it does not hold. */
export async function heldBy(
  person: Person,
  secret: string | null,
  url?: string,
): Promise<string[] | null> {
  try {
    const { viewer } = await askBy(
      person,
      secret,
      `{ viewer { permissions { name } } }`,
      {},
      {},
      url,
    )
    return viewer.permissions.map((permission: { name: string }) => permission.name)
  } catch (error) {
    if ((error as { reason?: string }).reason === 'KEY_INVALID') return null
    throw error
  }
}
