import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { newcomer, organisation, PASSWORD, SESSION, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const AGENTS: Record<string, string> = {
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0': 'Firefox on Linux',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 Safari/605.1.15':
    'Safari on macOS',
  'curl/8.5.0': 'curl',
}

test('a session is shown with device, address, way in and times, to its owner and to who manages people', async () => {
  const person = await newcomer(admin)
  const begun = new Map<string, string>()
  for (const [index, agent] of Object.keys(AGENTS).entries()) {
    const { signIn } = await ask(
      server.url,
      `mutation ($email: EmailAddress!, $password: String!) {
        signIn(input: { email: $email, password: $password }) { ... on Authenticated { ${SESSION} } } }`,
      { email: person.email, password: PASSWORD },
      { 'user-agent': agent, 'x-forwarded-for': `192.0.2.${index + 1}` },
    )
    begun.set(signIn.session.id, agent)
    if (index === 0) person.take(signIn)
  }
  const LIST = `sessions(first: 100) { totalCount nodes { id device ipAddress method current createdAt lastActiveAt
    idleExpiresAt expiresAt member { id } } }`
  const mine = (list: any) => list.nodes.filter(({ id }: { id: string }) => begun.has(id))
  const expected = (current: string | null) =>
    [...begun].map(([id, agent], index) =>
      expect.objectContaining({
        id,
        device: AGENTS[agent],
        ipAddress: `192.0.2.${index + 1}`,
        method: 'PASSWORD',
        current: id === current,
        member: { id: person.memberId },
      }),
    )
  const inOrder = (list: any) =>
    mine(list).toSorted((left: any, right: any) => left.ipAddress.localeCompare(right.ipAddress))
  const { me, organisation: own } = await person.ask(
    `query ($id: ID!) { me { ${LIST} } organisation { member(id: $id) { ${LIST} } } }`,
    { id: person.memberId },
  )
  for (const list of [me.sessions, own.member.sessions])
    expect(inOrder(list)).toEqual(expected(person.sessionId))
  const { organisation: here } = await admin.ask(
    `query ($id: ID!) { organisation { member(id: $id) { ${LIST} } ${LIST} } }`,
    { id: person.memberId },
  )
  for (const list of [here.sessions, here.member.sessions]) {
    expect(inOrder(list)).toEqual(expected(null))
    for (const each of mine(list)) {
      const [created, seen, idle, end] = [
        each.createdAt,
        each.lastActiveAt,
        each.idleExpiresAt,
        each.expiresAt,
      ].map(at => new Date(at).getTime()) as [number, number, number, number]
      expect(seen).toBeGreaterThanOrEqual(created)
      expect(idle - seen).toBe(12 * 3_600_000)
      expect(end - created).toBe(30 * 24 * 3_600_000)
    }
  }
})

test.each([
  ' ',
  '<script>alert(1)</script>',
  '\u00e9\u00e9',
  '('.repeat(2_000),
  'constructor',
  '__proto__/1.0',
])('a client that says of itself %j hides no list', async agent => {
  const person = await newcomer(admin)
  const { signIn } = await ask(
    server.url,
    `mutation ($email: EmailAddress!, $password: String!) {
        signIn(input: { email: $email, password: $password }) { ... on Authenticated { ${SESSION} } } }`,
    { email: person.email, password: PASSWORD },
    { 'user-agent': agent },
  )
  const { organisation: here } = await admin.ask(
    `query ($id: ID!) { organisation { member(id: $id) { sessions { nodes { id device } } } } }`,
    { id: person.memberId },
  )
  const shown = here.member.sessions.nodes.find(
    ({ id }: { id: string }) => id === signIn.session.id,
  )
  expect(shown.device.length).toBeGreaterThan(0)
  expect(shown.device.length).toBeLessThanOrEqual(512)
})
