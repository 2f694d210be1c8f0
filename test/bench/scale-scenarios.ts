import type { Caller } from './callers.ts'
import { FAMILIES, GIVEN } from './crowd.ts'
import type { Scenario } from './load.ts'
import type { ServerProcess } from './processes.ts'

const CONNECTIONS = 8
/** Small enough for the smaller crowd to have a thousand pages. */
const DEEP_PAGE = 9
const PAGES = 1_000

const MEMBERS = `query ($first: Int!, $after: String, $search: String, $filter: MemberFilter) {
  organisation { members(first: $first, after: $after, search: $search, filter: $filter) {
    nodes { id name email status role { name } createdAt lastActiveAt } pageInfo { hasNextPage endCursor } } } }`

interface Answer {
  errors?: unknown
  data?: {
    organisation: {
      members: { nodes: { name: string }[]; pageInfo: { endCursor: string | null } }
    }
  }
}

interface Variables {
  first: number
  after?: string
  search?: string
  filter?: object
}

const post = async (server: ServerProcess, { token }: Caller, variables: Variables) => {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: MEMBERS, variables }),
  })
  const { data, errors } = (await response.json()) as Answer
  if (!data) throw new Error(JSON.stringify(errors))
  return data.organisation.members
}

/** Where page 1,000 begins, found by reading on from page to page. */
async function findDeepCursor(server: ServerProcess, caller: Caller): Promise<string> {
  let left = DEEP_PAGE * (PAGES - 1)
  let after: string | undefined
  while (left > 0) {
    const first = Math.min(100, left)
    const { pageInfo } = await post(server, caller, { first, ...(after && { after }) })
    after = pageInfo.endCursor!
    left -= first
  }
  return after!
}

/** What is read of a crowd, each connection as a caller of its own with words of its own. */
export async function readings(server: ServerProcess, people: Caller[]): Promise<Scenario[]> {
  const after = await findDeepCursor(server, people[0]!)
  const reading = (
    name: string,
    variables: (connection: number) => Variables,
    least: number,
  ): Scenario => ({
    name,
    server,
    connections: CONNECTIONS,
    method: 'POST',
    path: '/graphql',
    bodies: n => JSON.stringify({ query: MEMBERS, variables: variables(n) }),
    headers: n => ({ authorization: `Bearer ${people[n % people.length]!.token}` }),
    sound: body => {
      const { errors, data } = body as Answer
      return errors === undefined && (data?.organisation.members.nodes.length ?? 0) >= least
    },
  })
  const given = (n: number) => GIVEN[(n * 7) % GIVEN.length]!
  const family = (n: number) => FAMILIES[(n * 11) % FAMILIES.length]!
  return [
    reading('first page', () => ({ first: 25 }), 25),
    reading('page 1,000 by cursor', () => ({ first: DEEP_PAGE, after }), DEEP_PAGE),
    reading('search: a full name', n => ({ first: 5, search: `${given(n)} ${family(n)}` }), 5),
    reading('search: beginning of a family name', n => ({ first: 25, search: family(n) }), 25),
    reading('search: a given name', n => ({ first: 25, search: given(n) }), 25),
    reading('filter: suspended', () => ({ first: 25, filter: { status: ['SUSPENDED'] } }), 25),
    reading(
      'filter: suspended or switched off, and not locked',
      () => ({ first: 5, filter: { locked: false, status: ['SUSPENDED', 'INACTIVE'] } }),
      5,
    ),
  ]
}
