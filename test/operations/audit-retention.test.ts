import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dropOldEvents, makeMonths } from '../../src/operations/audit/retention.ts'
import { doChore } from '../support/chores.ts'
import { newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import { act, sealNow, sealsOf, tamper, verify } from './trail.ts'

const DAY_MS = 86_400_000
const today = new Date()
/** A day of the month that the tests begin in, or of one that came after: all are over, for no younger events are dropped. */
const dayOf = (month: number, day: number) =>
  Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - 6 + month, day, 12)
// on the day that the tests end on, this reaches back to the fifteenth of the next month
const DAYS = (dayOf(5, 5) - dayOf(1, 15)) / DAY_MS

let server: TestServer
let admin: Person
/** An organisation that does nothing after the first day. */
let quiet: Person

beforeAll(async () => {
  server = await startServer({ settings: { AUDIT_RETENTION_DAYS: String(DAYS) } })
  goTo(dayOf(0, 5))
  await makeMonths(server.app.node.database.store.system, server.clock.now())
  admin = await organisation(server)
  quiet = await organisation(server)
  for (const moment of [dayOf(0, 6), dayOf(1, 10), dayOf(1, 20), dayOf(5, 5)]) {
    goTo(moment)
    admin = await signIn(server, admin.email)
    await act(admin, 3)
    await sealNow(server)
  }
}, 60_000)
afterAll(() => server.stop())

const goTo = (moment: number) =>
  server.clock.advance({ seconds: (moment - server.clock.now().getTime()) / 1_000 })
const months = async (): Promise<string[]> =>
  (
    await server.database.owner(
      `select relname as name from pg_class where relnamespace = 'trail'::regnamespace and relkind = 'r' order by 1`,
    )
  ).map(({ name }) => name as string)
const nameOf = (month: number) =>
  `event_${new Date(dayOf(month, 1)).toISOString().slice(0, 7).replace('-', '_')}`
/** How many of the acts of a day are told of. */
async function told(day: number): Promise<number> {
  const range = { from: new Date(day - DAY_MS / 2), to: new Date(day + DAY_MS / 2) }
  const { organisation: own } = await admin.ask(
    `query ($range: DateTimeRange) { organisation { auditEvents(filter: { topics: ["project.created"], occurredAt: $range }) { nodes { id } } } }`,
    { range },
  )
  return own.auditEvents.nodes.length
}
const drop = () =>
  dropOldEvents(
    server.app.node.database.store.system,
    server.clock.now(),
    DAYS,
    new AbortController().signal,
  )

test('events are told of with or without a month of their own, and get one once it is made', async () => {
  expect(await months()).not.toContain(nameOf(5))
  expect(await told(dayOf(5, 5))).toBe(3)
  await server.app.node.database.store.system.rows({
    text: `select app_make_event_months($1, $1)`,
    values: [new Date(dayOf(5, 1))],
  })
  expect(await months()).toContain(nameOf(5))
  expect(await told(dayOf(5, 5))).toBe(3)
  const where = await server.database.owner(
    `select distinct tableoid::regclass::text as part from event where id >= app_id_at($1) and organisation_id = $2 order by 1`,
    [new Date(dayOf(5, 1)), admin.organisationId],
  )
  expect(where.map(({ part }) => part)).toEqual([`trail.${nameOf(5)}`])
})

test('what is not sealed is never dropped, whether by itself or with its month', async () => {
  expect(await months()).toContain(nameOf(0))
  // as if no worker had come by since
  const marks = await server.database.owner(
    `insert into event_unsealed select distinct on (app_id_at(date_trunc('month', occurred_at))) id, '11111111-1111-1111-1111-111111111111'::uuid
     from event where organisation_id = $1 and topic = 'project.created' and id < app_id_at($2) returning event_id`,
    [admin.organisationId, new Date(dayOf(1, 15))],
  )
  expect(marks).toHaveLength(2)
  expect((await drop()).months).toBe(0)
  expect(await months()).toContain(nameOf(0))
  const left = await server.database.owner(`select id from event where id = any($1::uuid[])`, [
    marks.map(mark => mark.event_id),
  ])
  expect(left).toHaveLength(2)
  // one of each day, and the others have gone
  expect([await told(dayOf(1, 10)), await told(dayOf(1, 20))]).toEqual([1, 3])
  await tamper(
    server,
    `delete from event_unsealed where chain = '11111111-1111-1111-1111-111111111111'`,
  )
})

test('whole months are dropped and the rest by batches, and the chain goes on from a checkpoint', async () => {
  await doChore(server, 'keep-events')
  expect(await months()).not.toContain(nameOf(0))
  expect(await months()).toContain(nameOf(1))
  expect([await told(dayOf(1, 10)), await told(dayOf(1, 20)), await told(dayOf(5, 5))]).toEqual([
    0, 3, 3,
  ])
  const [orphans] = await server.database.owner(
    `select count(*)::int as count from event_person p where not exists (select from event e where e.id = p.id)`,
  )
  expect(orphans!.count).toBe(0)
  const after = await sealsOf(server, admin.organisationId)
  expect(after[0]!.number).toBeGreaterThan(1)
  // a chain never ends in nothing
  expect(await sealsOf(server, quiet.organisationId)).toHaveLength(1)
  const { status, output } = await verify(server)
  expect(output).toContain('The trail is whole.')
  expect(output).toContain(
    `What is older than ${new Date(server.clock.now().getTime() - DAYS * DAY_MS).toISOString().slice(0, 10)}`,
  )
  expect(status).toBe(0)
}, 60_000)

test('the trail is whole with somebody erased, and what is done to it afterwards is found', async () => {
  const person = await newcomer(admin, { firstName: 'Theodolinde' })
  await sealNow(server)
  await person.ask(`mutation { deleteAccount { deletedId } }`)
  await until(async () => {
    const [row] = await server.database.owner(
      `select count(*)::int as count from event_person where target_name like 'Theodolinde%' or actor_name like 'Theodolinde%'`,
    )
    return row!.count === 0
  })
  await sealNow(server)
  const whole = await verify(server)
  expect(whole.output).toMatch(/[1-9]\d* halves of events tell of nobody any more/)
  expect(whole.status).toBe(0)

  const seals = await sealsOf(server, admin.organisationId)
  await tamper(server, `delete from event where id = $1`, [seals.at(-1)!.events[0]])
  const broken = await verify(server)
  expect(broken.output).toContain(
    `BROKEN: Organisation ${admin.organisationId}, seal ${seals.at(-1)!.number}, event ${seals.at(-1)!.events[0]}: the event was removed.`,
  )
  expect(broken.status).toBe(1)
}, 60_000)

test('without the setting nothing is dropped', async () => {
  const other = await startServer()
  try {
    const by = await organisation(other)
    await act(by, 1)
    await sealNow(other)
    other.clock.advance({ days: 4_000 })
    await doChore(other, 'keep-events')
    const [row] = await other.database.owner(
      `select count(*)::int as count from event where topic = 'project.created'`,
    )
    expect(row!.count).toBe(1)
  } finally {
    await other.stop()
  }
}, 60_000)

describe('the database itself', () => {
  const DAY = `now() - interval '24 hours'`
  const asSystem = (text: string) =>
    server.app.node.database.store.system.rows<{ count: number }>({ text, values: [] })
  const kept = async () =>
    (
      await server.database.owner(
        `select (select count(*)::int from event) as events, (select count(*)::int from event_person) as people,
          (select count(*)::int from event_seal) as seals, (select kept_since::text from event_chain where kept_since is not null) as since`,
      )
    )[0]

  test.each([
    `${DAY} + interval '1 minute'`,
    'now()',
    `now() + interval '100 years'`,
    `'infinity'::timestamptz`,
    'null::timestamptz',
  ])('refuses to drop what is younger than any setting allows: before %s', async moment => {
    await act(admin, 1)
    await sealNow(server)
    const before = [await kept(), await months()]
    for (const call of [`app_drop_event_months(${moment})`, `app_drop_events(${moment}, 1000000)`])
      await expect(asSystem(`select ${call} as count`)).rejects.toThrow(
        /kept for a day at least|infinity/,
      )
    expect([await kept(), await months()]).toEqual(before)
  })

  test('drops up to the shortest time of the settings, and nothing that is younger for a node whose clock is ahead', async () => {
    await expect(startServer({ settings: { AUDIT_RETENTION_DAYS: '0' } })).rejects.toThrow(
      'AUDIT_RETENTION_DAYS',
    )
    goTo(Date.now())
    admin = await signIn(server, admin.email)
    await act(admin, 2)
    await sealNow(server)
    server.clock.advance({ days: 400 })
    await dropOldEvents(
      server.app.node.database.store.system,
      server.clock.now(),
      1,
      new AbortController().signal,
    )
    goTo(Date.now())
    expect(await told(Date.now())).toBe(2)
    expect(await told(dayOf(5, 5))).toBe(0)
    expect(await asSystem(`select app_drop_events(${DAY}, 1000) as count`)).toEqual([{ count: 0 }])
  })
})
