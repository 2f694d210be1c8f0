import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import { hook } from '../house/world.ts'
import { doChore } from '../support/chores.ts'
import { ask } from '../support/client.ts'
import { organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'

let server: TestServer
/** A second node on the same database. */
let other: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  other = await startServer({ beside: server })
  admin = await organisation(server)
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

const VIEWER = `{ viewer { operator } }`
const refresh = (refreshToken: string) =>
  ask(
    server.url,
    `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { accessToken refreshToken session { id member { id organisation { id } } } } }`,
    { t: refreshToken },
  )
const count = async (table: string, where = 'true', values: unknown[] = []) =>
  (
    await server.database.owner(
      `select count(*)::int as count from ${table} where ${where}`,
      values,
    )
  )[0]!.count as number
const sessionRow = async ({ sessionId }: Person) =>
  (await server.database.owner(`select * from session where id = $1`, [sessionId]))[0]
const doneBy = (nodes: TestServer[]) =>
  nodes.flatMap(node => node.log).filter(line => line.includes('what was out of date is purged'))
    .length

test('sessions that ran out are ended, kept for a month, and then gone; live ones stay', async () => {
  const resting = await signIn(server, admin.email)
  const left = await signIn(server, admin.email)
  await left.ask(`mutation { signOut { session { id } } }`)
  server.clock.advance({ hours: 13 })
  await doChore(server, 'purge')
  // it ended when it ran out, not when that was noticed
  const ended = await sessionRow(resting)
  expect(ended).toMatchObject({ end_reason: 'it ran out' })
  expect(Date.parse(String(ended!.ended_at)) - Date.parse(String(ended!.last_active_at))).toBe(
    43_200_000,
  )
  for (const { refreshToken } of [resting, left])
    await expect(refresh(refreshToken)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')

  server.clock.advance({ days: 29 })
  await doChore(server, 'purge')
  for (const person of [resting, left]) expect(await sessionRow(person)).toBeDefined()
  const live = await signIn(server, admin.email)
  const old = live.refreshToken
  live.take((await refresh(live.refreshToken)).refreshSession)
  live.take((await refresh(live.refreshToken)).refreshSession)

  server.clock.advance({ hours: 11 })
  live.take((await refresh(live.refreshToken)).refreshSession)
  server.clock.advance({ hours: 11 })
  live.take((await refresh(live.refreshToken)).refreshSession)
  server.clock.advance({ hours: 4 })
  await doChore(server, 'purge')
  for (const person of [resting, left]) {
    expect(await sessionRow(person)).toBeUndefined()
    await expect(refresh(person.refreshToken)).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
  }
  live.take((await refresh(live.refreshToken)).refreshSession)
  await live.ask(VIEWER)
  await expect(refresh(old)).rejects.toBeRefused('UNAUTHENTICATED', 'REFRESH_TOKEN_REUSED')
})

test('old links, challenges, enrolments, attempts and sightings go, however many there are; young ones stay', async () => {
  const now = server.clock.now()
  const ago = (days: number) => new Date(now.getTime() - days * 86_400_000)
  const insert = {
    link: (days: number) =>
      server.database.owner(
        `insert into link (id, created_at, user_id, kind, email, token_digest, expires_at, spent_at)
         values ($1, $2, $3, 'MAGIC_LINK', 'x@example.com', $1::uuid::text, $2, $2)`,
        [newId(), ago(days), admin.userId],
      ),
    challenge: (days: number) =>
      server.database.owner(
        `insert into challenge (id, created_at, user_id, token_digest, method, expires_at)
         values ($1, $2, $3, $1::uuid::text, 'PASSWORD', $2)`,
        [newId(), ago(days), admin.userId],
      ),
    totp_factor: (days: number) =>
      server.database.owner(
        `insert into totp_factor (id, created_at, user_id, name, sealed_seed, expires_at)
         values ($1, $2, $3, 'Phone', 'sealed', $2)`,
        [newId(), ago(days), admin.userId],
      ),
    sighting: (days: number) =>
      server.database.owner(
        `insert into sighting (user_id, trait, created_at, last_seen_at) values ($3, $1, $2, $2)`,
        [newId(), ago(days), admin.userId],
      ),
  }
  for (const [table, young, old] of [
    ['link', 6, 8],
    ['challenge', 0, 2],
    ['totp_factor', 0, 2],
    ['sighting', 399, 401],
  ] as const) {
    await insert[table](young)
    await insert[table](old)
  }
  await server.database.owner(
    `insert into attempt (key, count, forgotten_at) select 'old ' || n, 1, $1::timestamptz from generate_series(1, 2500) as n`,
    [ago(0)],
  )
  await server.database.owner(
    `insert into attempt (key, count, forgotten_at) values ('young', 1, $1)`,
    [ago(-1)],
  )
  const before = await count('sighting')
  await doChore(server, 'purge')
  expect(await count('link')).toBe(1)
  expect(await count('challenge')).toBe(1)
  expect(await count('totp_factor')).toBe(1)
  expect(await count('sighting')).toBe(before - 1)
  expect(await count('attempt', `key like 'old %'`)).toBe(0)
  expect(await count('attempt', `key = 'young'`)).toBe(1)
})

test('when the hour has come, one of the nodes does it', async () => {
  const before = doneBy([server, other])
  await server.database.owner(`update pgboss.schedule set cron = '* * * * *' where name = 'purge'`)
  await until(() => doneBy([server, other]) > before, 75_000)
  await server.database.owner(`delete from pgboss.schedule where name = 'purge'`)
  expect(doneBy([server, other])).toBe(before + 1)
  expect(await count('pgboss.job', `name = 'purge' and state < 'completed'`)).toBe(0)
}, 90_000)

test('deliveries are kept for a month, and a deleted webhook as long as its deliveries', async () => {
  const own = await organisation(server)
  const { webhook, delivery } = await hook(own)
  const { webhook: kept } = await hook(own)
  await own.ask(`mutation ($id: ID!) { deleteWebhook(id: $id) { deletedId } }`, { id: webhook })
  const held = async () => [
    await count('webhook', 'id = $1', [webhook]),
    await count('webhook_delivery', 'id = $1', [delivery]),
  ]
  server.clock.advance({ days: 29 })
  await doChore(server, 'purge')
  expect(await held()).toEqual([1, 1])
  server.clock.advance({ days: 2 })
  await doChore(server, 'purge')
  expect(await held()).toEqual([0, 0])
  expect(await count('webhook', 'id = $1', [kept])).toBe(1)
})
