import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { newcomer, operator, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const ENDED = ['UNAUTHENTICATED', 'SESSION_ENDED'] as const
const settle = (by: Person, of: 'Organisation' | 'Platform', session: Record<string, unknown>) =>
  by.ask(
    `mutation ($input: Update${of}SettingsInput!) { update${of}Settings(input: $input) { __typename } }`,
    { input: { session } },
  )
const mustBeOver = async (person: Person) => {
  await expect(person.ask(`{ me { id } }`)).rejects.toBeRefused(...ENDED)
  await expect(
    ask(
      server.url,
      `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { accessToken } }`,
      { t: person.refreshToken },
    ),
  ).rejects.toBeRefused(...ENDED)
}

test('what ran out under a stricter rule does not come back when the organisation loosens it, seen or unseen', async () => {
  for (const strict of [{ idleTimeoutMinutes: 5 }, { lifetimeHours: 1 }]) {
    admin = await signIn(server, admin.email)
    await settle(admin, 'Organisation', strict)
    const [seen, unseen] = [await newcomer(admin), await newcomer(admin)]
    const other = await organisation(server)
    const untouched = await newcomer(other)
    server.clock.advance({ minutes: 'lifetimeHours' in strict ? 61 : 6 })
    await expect(seen.ask(`{ me { id } }`)).rejects.toBeRefused(...ENDED)
    admin = await signIn(server, admin.email)
    await settle(admin, 'Organisation', { idleTimeoutMinutes: null, lifetimeHours: null })
    for (const person of [seen, unseen]) await mustBeOver(person)
    const [row] = await server.database.owner(`select ended_at from session where id = $1`, [
      untouched.sessionId,
    ])
    expect(row!.ended_at).toBeNull()
  }
})

test('nor when the platform does', async () => {
  let op = await operator(server)
  await settle(op, 'Platform', { idleTimeoutMinutes: 5 })
  admin = await signIn(server, admin.email)
  const person = await newcomer(admin)
  server.clock.advance({ minutes: 6 })
  op = await operator(server)
  await settle(op, 'Platform', { idleTimeoutMinutes: 720 })
  await mustBeOver(person)
  await op.ask(`{ me { id } }`)
})

test('a session past its absolute end is in no list, though it was active a moment ago', async () => {
  admin = await signIn(server, admin.email)
  const person = await newcomer(admin)
  const second = await signIn(server, person.email)
  await server.database.owner(`update session set expires_at = $2 where id = $1`, [
    second.sessionId,
    server.clock.now(),
  ])
  const { me } = await person.ask(`{ me { sessions { totalCount nodes { id } } } }`)
  expect(me.sessions).toEqual({ totalCount: 1, nodes: [{ id: person.sessionId }] })
  const { organisation: there } = await admin.ask(
    `query ($id: ID!) { organisation { sessions(memberId: $id) { totalCount } member(id: $id) { sessions { totalCount } } } }`,
    { id: person.memberId },
  )
  expect([there.sessions.totalCount, there.member.sessions.totalCount]).toEqual([1, 1])
})
