import type { Caller } from './callers.ts'
import type { Scenario } from './load.ts'
import type { ServerProcess } from './processes.ts'

const VIEWER = `{ viewer { operator organisation { id name } principal { id name role { name } } permissions { name } } }`
const MEMBERS = `{ organisation { members(first: 50) {
  nodes { id name email status role { name } createdAt lastActiveAt } pageInfo { hasNextPage endCursor } } } }`

const MEMBERS_IN_FULL = `{ organisation { members(first: 50) {
  nodes { id name email status role { name } createdAt lastActiveAt viewerCanManage
    projectAccess(first: 3) { nodes { project { name } role { name } } } } pageInfo { hasNextPage endCursor } } } }`

interface ViewerAnswer {
  errors?: unknown
  data: {
    viewer: {
      organisation: { name: string }
      principal: { role: { name: string } }
      permissions: unknown[]
    }
  }
}

interface MembersAnswer {
  errors?: unknown
  data: {
    organisation: {
      members: {
        nodes: { email: string; role: { name: string } }[]
        pageInfo: { hasNextPage: boolean; endCursor: string }
      }
    }
  }
}

const soundViewer = ({ errors, data }: ViewerAnswer) =>
  errors === undefined &&
  data.viewer.organisation.name !== '' &&
  data.viewer.principal.role.name === 'Administrator' &&
  data.viewer.permissions.length >= 6

const soundMembers = ({ errors, data }: MembersAnswer) =>
  errors === undefined &&
  data.organisation.members.nodes.length === 50 &&
  data.organisation.members.nodes.every(({ email, role }) => email !== '' && role.name !== '') &&
  data.organisation.members.pageInfo.hasNextPage &&
  data.organisation.members.pageInfo.endCursor !== ''

/** A GraphQL query that each connection asks as a caller of its own. */
const graphql = (
  name: string,
  server: ServerProcess,
  people: Caller[],
  connections: number,
  query: string,
  sound: Scenario['sound'],
): Scenario => ({
  name,
  server,
  connections,
  method: 'POST',
  path: '/graphql',
  body: JSON.stringify({ query }),
  headers: n => ({ authorization: `Bearer ${people[n % people.length]!.token}` }),
  sound,
})

export const viewer = (server: ServerProcess, people: Caller[], connections: number): Scenario =>
  graphql('`viewer`', server, people, connections, VIEWER, body =>
    soundViewer(body as ViewerAnswer),
  )

export const members = (server: ServerProcess, people: Caller[], connections: number): Scenario =>
  graphql('`members(first: 50)`', server, people, connections, MEMBERS, body =>
    soundMembers(body as MembersAnswer),
  )

export const viewerByKey = (server: ServerProcess, keys: Caller[], connections: number): Scenario =>
  graphql('`viewer` by API key', server, keys, connections, VIEWER, body =>
    soundViewer(body as ViewerAnswer),
  )

export const membersInFull = (
  server: ServerProcess,
  people: Caller[],
  connections: number,
): Scenario =>
  graphql('`members(first: 50)` with access', server, people, connections, MEMBERS_IN_FULL, body =>
    soundMembers(body as MembersAnswer),
  )

/** The yardstick, with one statement for each request or one for all of a turn. */
export const bare = (
  server: ServerProcess,
  people: Caller[],
  connections: number,
  kind: 'plain' | 'shared',
): Scenario => ({
  name: `bare Fastify, ${kind}`,
  server,
  connections,
  method: 'GET',
  path: `/${kind}`,
  headers: n => ({ 'x-session': people[n % people.length]!.sessionId }),
  sound: body => people.some(each => each.sessionId === (body as { id: string }).id),
})

const SIGN_IN = `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { accessToken } } }`

/** Sign-ins with a right password, each connection as somebody else. */
export const signIns = (
  server: ServerProcess,
  emails: string[],
  password: string,
  connections: number,
): Scenario => ({
  name: '`signIn`',
  server,
  connections,
  slow: true,
  method: 'POST',
  path: '/graphql',
  bodies: n =>
    JSON.stringify({
      query: SIGN_IN,
      variables: { input: { email: emails[n % emails.length], password } },
    }),
  headers: () => ({}),
  sound: body =>
    typeof (body as { data?: { signIn?: { accessToken?: string } } }).data?.signIn?.accessToken ===
    'string',
})

/** What a library costs that compares passwords, without anything around it. */
export const bareHashes = (
  server: ServerProcess,
  connections: number,
  library: 'argon2' | 'node-rs',
): Scenario => ({
  name: `bare ${library === 'argon2' ? library : '@node-rs/argon2'}`,
  server,
  connections,
  slow: true,
  method: 'GET',
  path: `/${library}`,
  headers: () => ({}),
  sound: body => (body as { same?: boolean }).same === true,
})
