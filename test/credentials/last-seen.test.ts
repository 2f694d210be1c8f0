import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { askBy, createKey, createServiceAccount } from './keys.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const VIEWER = `{ viewer { operator } }`

/** Asks at a node that then stops: what it was to write is written. */
async function seen(ask: (url: string) => Promise<unknown>): Promise<void> {
  const node = await startServer({ beside: server })
  await ask(node.url)
  await ask(node.url)
  await node.stop()
}

test('when somebody was last seen is written once a minute and no oftener', async () => {
  const person = await newcomer(admin)
  const key = await createKey(admin, await createServiceAccount(admin, ['viewUser']), ['viewUser'])
  const written = async () => {
    const [row] = await server.database.owner(
      `select (select last_active_at from session where id = $1) as session,
        (select last_active_at from principal where id = $2) as member,
        (select last_used_at from api_key where id = $3) as key`,
      [person.sessionId, person.memberId, key.id],
    )
    return Object.fromEntries(
      Object.entries(row!).map(([name, at]) => [name, at && new Date(at as string).getTime()]),
    )
  }
  const ask = async (url: string) => {
    await person.ask(VIEWER, {}, url)
    await askBy(admin, key.secret, VIEWER, {}, {}, url)
  }
  await seen(ask)
  const first = await written()
  expect(first.key).not.toBeNull()
  server.clock.advance({ seconds: 50 })
  await seen(ask)
  expect(await written()).toEqual(first)
  server.clock.advance({ seconds: 15 })
  const now = server.clock.now().getTime()
  await seen(ask)
  for (const [name, at] of Object.entries(await written()))
    expect(Math.abs(Number(at) - now), name).toBeLessThan(10_000)
})

test('a session that ended before that was written stays as it was', async () => {
  const person = await newcomer(admin)
  const [before] = await server.database.owner(`select last_active_at from session where id = $1`, [
    person.sessionId,
  ])
  server.clock.advance({ minutes: 2 })
  const node = await startServer({ beside: server })
  await person.ask(VIEWER, {}, node.url)
  await server.database.owner(`update session set ended_at = now() where id = $1`, [
    person.sessionId,
  ])
  await node.stop()
  const [after] = await server.database.owner(`select last_active_at from session where id = $1`, [
    person.sessionId,
  ])
  expect(after).toEqual(before)
})
