import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bringWith } from '../credentials/keys.ts'
import { ask, post } from '../support/client.ts'
import { accept, freshEmail, mailedToken, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
let neighbour: Person

const PEOPLE = [
  ['Zoë', 'Ångström-Smith', 'zoe.k@sub.example.org'],
  ['adam', 'Old', 'zz@example.com'],
  ['Ädam', 'New', 'b@example.com'],
  ['ADAM', 'Öld', 'a@example.com'],
  ['Łukasz', '', 'l@example.com'],
  ['李', '小龍', 'li@example.com'],
  ['Ann', 'Lee', 'ann+one@example.com'],
  ['Ann', 'Lee', 'ann+two@example.com'],
  ['Ann', 'Lee', 'ann-three@example.com'],
  ['Eve', '%_\\', 'eve@example.com'],
] as const

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server, 'root@example.com')
  neighbour = await organisation(server)
  for (const [index, [firstName, lastName, email]] of PEOPLE.entries())
    await admin.add({ firstName, lastName, email, externalId: `x${index}`, sendInvitation: false })
  await neighbour.add({ firstName: 'Ann', lastName: 'Lee', sendInvitation: false })
  // instants that differ by a microsecond, and ties, for a cursor must tell them apart
  await server.database.owner(
    `update principal set created_at = '2026-01-01 00:00:00.000001Z'::timestamptz + (length(email) % 4) * interval '1 microsecond',
      last_active_at = case when length(email) % 3 = 0 then '-infinity'
        else '2026-02-01 00:00:00.000001Z'::timestamptz + (length(email) % 3) * interval '1 microsecond' end
     where organisation_id = $1`,
    [admin.organisationId],
  )
})
afterAll(() => server.stop())

const LIST = `query ($first: Int, $after: String, $search: String, $filter: MemberFilter, $orderBy: MemberOrder) {
  organisation { members(first: $first, after: $after, search: $search, filter: $filter, orderBy: $orderBy) {
    totalCount nodes { id email name } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`

const NAMES = { first: 100, orderBy: { field: 'NAME', direction: 'ASC' } }

async function list(variables: Record<string, unknown>, person = admin) {
  const { organisation: place } = await person.ask(LIST, { ...NAMES, ...variables })
  return place.members
}

/** Logins of the members found, without the domain. */
const found = async (variables: Record<string, unknown>): Promise<string[]> =>
  (await list(variables)).nodes
    .map((node: { email: string }) => node.email.split('@')[0])
    .toSorted()

describe('a list of members', () => {
  const COLUMNS = {
    NAME: 'sort_name',
    EMAIL: 'email',
    CREATED_AT: 'created_at',
    LAST_ACTIVE_AT: 'last_active_at',
  }
  const orders = Object.keys(COLUMNS).flatMap(field => [
    [field, 'ASC'],
    [field, 'DESC'],
  ]) as [keyof typeof COLUMNS, string][]

  test.each(orders)('read page by page by %s %s is the sorted whole', async (field, direction) => {
    const column = COLUMNS[field]
    const whole = await server.database.owner(
      `select id from principal where organisation_id = $1 and removed_at is null order by ${column} ${direction}, id ${direction}`,
      [admin.organisationId],
    )
    for (const first of [1, 4, 11]) {
      const read: string[] = []
      let after: string | null = null
      for (;;) {
        const page: any = await list({ first, after, orderBy: { field, direction } })
        expect(page.totalCount).toBe(11)
        expect(page.pageInfo.hasPreviousPage).toBe(after !== null)
        expect(page.edges.map((edge: any) => edge.node.id)).toEqual(
          page.nodes.map((node: any) => node.id),
        )
        expect(page.pageInfo.startCursor).toBe(page.edges[0].cursor)
        expect(page.pageInfo.endCursor).toBe(page.edges.at(-1).cursor)
        read.push(...page.nodes.map((node: any) => node.id))
        after = page.pageInfo.endCursor
        if (!page.pageInfo.hasNextPage) break
      }
      expect(read).toEqual(whole.map(row => row.id))
    }
  })

  test('sorts names without regard to case and accents', async () => {
    const names = (await list({ search: 'adam' })).nodes.map((node: any) => node.name)
    expect(names).toEqual(
      ['Ädam New', 'adam Old', 'ADAM Öld'].toSorted((a, b) => (fold(a) < fold(b) ? -1 : 1)),
    )
  })
  const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

  test.each([
    ['zo', ['zoe.k']],
    ['ANGSTROM', ['zoe.k']],
    ['ｓｍｉｔｈ zoë', ['zoe.k']],
    ['strom', []],
    ['sub', ['zoe.k']],
    ['k', ['zoe.k']],
    ['zoe.k@sub.example.org', ['zoe.k']],
    ['old', ['a', 'zz']],
    ['ad ne', ['b']],
    ['小', ['li']],
    ['thr', ['ann-three']],
    ['ann lee one', ['ann+one']],
    ['%', []],
    ['_', []],
    ["' or true --", []],
    ['\u0000', []],
  ])('is searched for %j by beginnings of words', async (search, logins) => {
    expect(await found({ search })).toEqual(logins)
  })

  test('is filtered by every condition, all of which must hold', async () => {
    const { Administrator, Member } = await admin.roles()
    const foreign = (await neighbour.roles()).Member
    expect(await found({ filter: { status: ['ACTIVE'] } })).toEqual(['root'])
    expect(await found({ filter: { roleIds: [Administrator] } })).toEqual(['root'])
    expect(await found({ filter: { roleIds: [Administrator, Member] } })).toHaveLength(11)
    expect(await found({ filter: { roleIds: [foreign] } })).toEqual([])
    expect(await found({ filter: { emails: [' LI@EXAMPLE.com', 'l@example.com'] } })).toEqual([
      'l',
      'li',
    ])
    expect(await found({ filter: { externalIds: ['x1', 'x9', 'X2'] } })).toEqual(['eve', 'zz'])
    expect(await found({ filter: { externalIds: ['x1'], status: ['ACTIVE'] } })).toEqual([])
    expect(await found({ filter: { status: [] } })).toEqual([])
    expect(await found({ filter: { locked: true } })).toEqual([])
    expect(await found({ filter: { locked: false } })).toHaveLength(11)
    expect(await found({ filter: { createdAt: { from: '2026-01-01T00:00:00.001Z' } } })).toEqual([])
    expect(await found({ filter: { createdAt: { to: '2026-01-01T00:00:00.001Z' } } })).toHaveLength(
      11,
    )
    const never = await found({ filter: { inactiveSince: '2026-02-01T00:00:00Z' } })
    const { nodes } = await list({ filter: { inactiveSince: '2026-02-01T00:00:00Z' } })
    expect(never).not.toHaveLength(0)
    expect(nodes.every((node: any) => node.email.length % 3 === 0)).toBe(true)
  })

  test.each([0, -1, 101, 2_147_483_647])('does not take pages of %i', async first => {
    await expect(list({ first })).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
  })

  test('takes a cursor for the very list it came from', async () => {
    const base = { first: 2, search: 'ann', filter: { status: ['INVITED'] } }
    const after = (await list(base)).pageInfo.endCursor as string
    expect((await list({ ...base, after })).nodes).toHaveLength(1)
    const others: Record<string, unknown>[] = [
      { search: 'anne' },
      { search: null },
      { filter: null },
      { filter: { status: ['INVITED'], locked: false } },
      { orderBy: { field: 'EMAIL', direction: 'ASC' } },
      { orderBy: { field: 'NAME', direction: 'DESC' } },
    ]
    for (const other of others)
      await expect(list({ ...base, ...other, after }), JSON.stringify(other)).rejects.toBeRefused(
        'BAD_USER_INPUT',
        'CURSOR_INVALID',
      )
    await expect(list({ ...base, after }, neighbour)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'CURSOR_INVALID',
    )
  })

  test('refuses a cursor that was changed or made up', async () => {
    const { endCursor } = (await list({ first: 1 })).pageInfo
    const [body, proof] = endCursor.split('.')
    const forged = Buffer.from(JSON.stringify(['', admin.memberId])).toString('base64url')
    const changed = (text: string) => (text[3] === 'A' ? 'B' : 'A')
    const cursors = [
      '',
      '.',
      'x',
      body,
      `${body}.`,
      `.${proof}`,
      `${forged}.${proof}`,
      `${body}.${proof.slice(0, 3)}${changed(proof)}${proof.slice(4)}`,
      `${body.slice(0, 3)}${changed(body)}${body.slice(4)}.${proof}`,
      `${body}.${proof.slice(0, 8)}`,
      endCursor.repeat(50),
      '\u0000',
    ]
    for (const after of cursors)
      await expect(list({ first: 1, after }), after).rejects.toBeRefused(
        'BAD_USER_INPUT',
        'CURSOR_INVALID',
      )
  })

  test('is shut to strangers and to members whose role does not show people', async () => {
    await expect(ask(server.url, LIST, NAMES)).rejects.toBeRefused('UNAUTHENTICATED')
    await neighbour.role('Mute', [])
    const mute = await neighbour.bring('Mute')
    await expect(list({}, mute)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
    const { organisation: place } = await mute.ask(
      `query ($id: ID!) { organisation { member(id: $id) { email } } }`,
      {
        id: mute.memberId,
      },
    )
    expect(place.member.email).toBe(mute.email)
  })

  test('shows those who share a project, or nobody else, where the role says so', async () => {
    const shared = await neighbour.role('Team', ['viewUser'], { visibility: 'SHARED_PROJECTS' })
    const access = async (name: string) => {
      const { createProject } = await neighbour.ask(
        `mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }`,
        { name },
      )
      return [{ projectId: createProject.project.id, roleId: (await neighbour.roles()).Viewer }]
    }
    const bridge = await access('Bridge')
    await neighbour.role('Alone', ['viewUser'], { visibility: 'SELF' })
    const alone = await neighbour.bring('Alone')
    const email = freshEmail()
    await neighbour.add({ email, roleId: shared, projectAccess: bridge })
    const mate = await neighbour.add({ projectAccess: bridge, sendInvitation: false })
    await neighbour.add({ projectAccess: await access('Tunnel'), sendInvitation: false })
    const teamster = await accept(server, await mailedToken(server, email))

    expect((await list({}, alone)).nodes).toMatchObject([{ id: alone.memberId }])
    const { nodes, totalCount } = await list({}, teamster)
    expect(totalCount).toBe(2)
    expect(nodes.map((node: any) => node.id).toSorted()).toEqual(
      [mate.member.id, teamster.memberId].toSorted((one, two) => one.localeCompare(two)),
    )
    const one = `query ($id: ID!) { organisation { member(id: $id) { id } } }`
    await expect(teamster.ask(one, { id: alone.memberId })).rejects.toBeRefused('NOT_FOUND')
    await expect(alone.ask(one, { id: mate.member.id })).rejects.toBeRefused('NOT_FOUND')
  })

  test('and a member by id are the organisation in use: a neighbour is unknown', async () => {
    const one = `query ($id: ID!) { organisation { member(id: $id) { id } } }`
    for (const id of [neighbour.memberId, '01920000-0000-7000-8000-000000000000'])
      await expect(admin.ask(one, { id }), id).rejects.toBeRefused('NOT_FOUND')
    expect(await found({ search: neighbour.email })).toEqual([])
    expect(await found({ filter: { emails: [neighbour.email] } })).toEqual([])
  })
})

test('two aliases in one document are judged each by itself, whichever comes first', async () => {
  const reader = await bringWith(admin, ['viewUser'])
  const other = await admin.bring()
  const sessions = `sessions { nodes { id } }`
  for (const [first, second] of [
    [reader, other],
    [other, reader],
  ] as const) {
    const { json } = await post(
      server.url,
      JSON.stringify({
        query: `query ($first: ID!, $second: ID!) { organisation {
          first: member(id: $first) { id ${sessions} } second: member(id: $second) { id ${sessions} } } }`,
        variables: { first: first.memberId, second: second.memberId },
      }),
      { authorization: `Bearer ${reader.accessToken}` },
    )
    const own = first === reader ? 'first' : 'second'
    const foreign = first === reader ? 'second' : 'first'
    expect(json.data.organisation[own].sessions.nodes).toEqual([{ id: reader.sessionId }])
    expect(json.data.organisation[foreign].sessions).toBeNull()
    expect(json.errors).toMatchObject([
      { path: ['organisation', foreign, 'sessions'], extensions: { reason: 'PERMISSION_MISSING' } },
    ])
  }
})
