import { afterAll, beforeAll, expect, test } from 'vitest'
import { doChore } from '../support/chores.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { plansOf } from '../support/statements.ts'

// Plans, not times: one's own notices are found by their index, however many rows of others lie beside.

let server: TestServer
let reader: Person

beforeAll(async () => {
  server = await startServer()
  const admin = await organisation(server)
  reader = await newcomer(admin)
  const people = [reader, ...(await Promise.all([1, 2, 3, 4].map(() => newcomer(admin))))]
  await server.database.owner(
    `insert into notification (id, created_at, user_id, organisation_id, topic, category, mail, shown_at, read_at, rhythm, due_at)
     select gen_random_uuid(), now(), person, $2, 'member.locked', 'MEMBERSHIP',
       '{"template": "membershipBarred", "data": {"organisation": "Acme", "how": "LOCKED", "until": null}}',
       now(), case when n % 100 > 0 then now() end, case when n % 1000 = 0 then 'DAILY' end,
       case when n % 1000 = 0 then now() + interval '1 day' end
     from unnest($1::uuid[]) as person, generate_series(1, 4000) as n`,
    [people.map(({ userId }) => userId), admin.organisationId],
  )
  await server.database.owner(`analyze notification`)
}, 120_000)
afterAll(() => server.stop())

const list = (args: string, fields = 'nodes { id }') =>
  plansOf(server, () => reader.ask(`{ me { notifications(first: 20${args}) { ${fields} } } }`), {
    reading: true,
  })

test('a page of one’s own list is read in the order of its index', async () => {
  const plan = await list('')
  expect(plan).toMatch(/Backward using notification_of/)
  expect(plan).not.toMatch(/Seq Scan on notification\b|Sort/)
})

test('what is unread has an index of its own, for the page and for the number', async () => {
  for (const plan of [await list(', unread: true'), await list(', unread: true', 'totalCount')]) {
    expect(plan).toMatch(/notification_unread/)
    expect(plan).not.toMatch(/Seq Scan on notification\b/)
  }
})

test('a run of the digests looks at what is due, and not at what is not', async () => {
  const plan = await plansOf(server, () => doChore(server, 'digests'))
  expect(plan).toMatch(/notification_due/)
  expect(plan).not.toMatch(/Seq Scan on notification\b/)
})
