import { afterAll, beforeAll, expect, test } from 'vitest'
import { bringWith } from '../credentials/keys.ts'
import { furnish } from '../house/world.ts'
import { ask } from '../support/client.ts'
import { operator, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const EVENTS = `query ($first: Int! = 50, $after: String, $filter: AuditEventFilter) { organisation {
  auditEvents(first: $first, after: $after, filter: $filter) {
    nodes { id topic { name category } outcome occurredAt actor { kind id name } requestId reason
      target { id kind name node { id } } changes { field before after } }
    pageInfo { hasNextPage endCursor } } } }`
const trail = async (by: Person, variables: Record<string, unknown> = {}) =>
  (await by.ask(EVENTS, variables)).organisation.auditEvents
const nodes = async (by: Person, filter: Record<string, unknown> = {}): Promise<any[]> =>
  (await trail(by, { filter })).nodes
const lock = (id: string, reason: string) =>
  admin.ask(
    `mutation ($id: ID!, $reason: String) { lockMember(id: $id, reason: $reason) { member { id } } }`,
    { id, reason },
  )

test('what was done to somebody is told with who did it, why, and the thing itself', async () => {
  const person = await admin.bring()
  await lock(person.memberId, 'lost laptop')
  const [event] = await nodes(admin, { targetIds: [person.memberId], topics: ['member.locked'] })
  expect(event).toMatchObject({
    topic: { name: 'member.locked', category: 'MEMBERSHIP' },
    outcome: 'SUCCEEDED',
    actor: { kind: 'MEMBER', id: admin.memberId },
    reason: 'lost laptop',
    target: { id: person.memberId, kind: 'Member', name: 'Ann Lee', node: { id: person.memberId } },
  })
  expect(event.requestId).toMatch(/^[0-9a-f-]{36}$/)
  const { node } = await admin.ask(`query ($id: ID!) { node(id: $id) { __typename id } }`, {
    id: event.id,
  })
  expect(node).toEqual({ __typename: 'AuditEvent', id: event.id })
})

test('families, actors and outcomes narrow the list, several values of each one', async () => {
  const [one, other] = [await admin.bring(), await admin.bring()]
  await lock(one.memberId, 'x')
  const some = await nodes(admin, { targetIds: [one.memberId, other.memberId] })
  expect(new Set(some.map(({ target }) => target.id))).toEqual(
    new Set([one.memberId, other.memberId]),
  )
  const family = await nodes(admin, { topics: ['member.*'], targetIds: [one.memberId] })
  expect(family.map(({ topic }) => topic.name)).toEqual([
    'member.locked',
    'member.joined',
    'member.added',
  ])
  // as they call themselves, by their name and not by their address
  const [, joined] = family
  expect(joined.target.name).toBe(joined.actor.name)
  expect(joined.target.name).not.toContain('@')
  expect(await nodes(admin, { actorIds: [other.memberId], topics: ['member.*'] })).toHaveLength(1)
  expect(await nodes(admin, { outcome: 'DENIED', targetIds: [one.memberId] })).toEqual([])
  expect(await nodes(admin, { occurredAt: { to: '2020-01-01T00:00:00Z' } })).toEqual([])
  expect(await nodes(admin, { targetIds: [] })).toEqual([])
})

test('pages follow one another, newest first, each event once', async () => {
  const all = await nodes(admin)
  const read: any[] = []
  let after: string | null = null
  do {
    const page: any = await trail(admin, { first: 3, after })
    read.push(...page.nodes)
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  } while (after)
  expect(read.slice(0, all.length)).toEqual(all)
  expect(new Set(read.map(({ id }) => id)).size).toBe(read.length)
  const families = await trail(admin, { first: 2, filter: { topics: ['member.*', 'session.*'] } })
  const next = await trail(admin, {
    first: 2,
    filter: { topics: ['member.*', 'session.*'] },
    after: families.pageInfo.endCursor,
  })
  expect(next.nodes[0].id < families.nodes[1].id).toBe(true)
  await expect(trail(admin, { after: families.pageInfo.endCursor })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'CURSOR_INVALID',
  )
})

test.each([[['member.flown']], [['*']], [['member.%']], [['constructor']]])(
  'there is no topic %j',
  async topics => {
    await expect(trail(admin, { filter: { topics } })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'INVALID_FORMAT',
    )
  },
)

test('nobody reads the trail without the permission, and nobody a neighbour’s', async () => {
  const plain = await bringWith(admin, ['manageUser'])
  await expect(trail(plain)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  const auditor = await bringWith(admin, ['viewAudit'])
  expect((await nodes(auditor)).length).toBeGreaterThan(0)
  await expect(ask(server.url, EVENTS)).rejects.toBeRefused('UNAUTHENTICATED')

  const neighbour = await organisation(server)
  const [event] = await nodes(admin, { topics: ['member.added'] })
  expect(await nodes(neighbour, { targetIds: [event.target.id] })).toEqual([])
  await expect(
    neighbour.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id: event.id }),
  ).rejects.toBeRefused('NOT_FOUND')
  await expect(
    plain.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id: event.id }),
  ).rejects.toBeRefused('NOT_FOUND')
})

test('what an auditor may not see is named as it was then, without the thing itself', async () => {
  const auditor = await bringWith(admin, ['viewAudit'])
  const [event] = await nodes(auditor, { targetIds: [(await admin.bring()).memberId] })
  expect(event.target).toMatchObject({ kind: 'Member', node: null })
  expect(event.target.name).not.toBeNull()
})

test('operators read what happened anywhere; nobody changes or deletes it', async () => {
  const op = await operator(server)
  const { platform } = await op.ask(
    `query ($id: ID!) { platform { auditEvents(first: 100, filter: { actorIds: [$id] }) { nodes { topic { name } } } } }`,
    { id: admin.memberId },
  )
  expect(platform.auditEvents.nodes.length).toBeGreaterThan(3)
  await expect(admin.ask(`{ platform { auditEvents { nodes { id } } } }`)).rejects.toBeRefused(
    'FORBIDDEN',
    'PERMISSION_MISSING',
  )
  for (const role of ['tenant', 'operator', 'system', 'self'])
    for (const right of ['UPDATE', 'DELETE', 'TRUNCATE']) {
      const [row] = await server.database.owner(
        `select has_table_privilege($1, 'event', $2) as may`,
        [`gatehouse_${role}`, right],
      )
      expect(row!.may).toBe(false)
    }
})

test('the topics are told to whoever calls', async () => {
  const { topics } = await admin.ask(`{ topics { name category description } }`)
  expect(topics).toContainEqual({
    name: 'member.locked',
    category: 'MEMBERSHIP',
    description: expect.any(String),
  })
})

test('the things that events tell of cost as many statements for many as for few, whatever they are', async () => {
  const op = await operator(server)
  const by = await organisation(server)
  for (let round = 0; round < 3; round += 1) await furnish(by)
  const page = (first: number) =>
    by.ask(
      `query ($first: Int!) { organisation { auditEvents(first: $first) { nodes { target { id kind node { __typename id } } } } } }`,
      { first },
    )
  const { organisation: own } = await page(100)
  const shown = own.auditEvents.nodes.filter(({ target }: any) => target?.node)
  expect(shown.length).toBeGreaterThan(20)
  for (const { target } of shown) {
    expect(target.node.id).toBe(target.id)
    if (target.kind !== 'Node') expect(target.node.__typename).toBe(target.kind)
  }
  const { seen: some } = await countStatements(server, () => page(40))
  const { seen: all } = await countStatements(server, () => page(100))
  expect(all).toBeLessThanOrEqual(some + 2)
  expect(all).toBeLessThan(25)
  const { seen: platform } = await countStatements(server, () =>
    op.ask(`{ platform { auditEvents(first: 100) { nodes { target { node { id } } } } } }`),
  )
  expect(platform).toBeLessThan(25)
})
