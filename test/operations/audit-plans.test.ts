import { afterAll, beforeAll, expect, test } from 'vitest'
import { organisation, operator, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { plansOf as statementPlans } from '../support/statements.ts'
import { tamper } from './trail.ts'

// Plans, not times: what is asked of the trail reads the months that it is about, by their indexes, under row-level security.

const MANY = 6_000
const MONTHS = 12

let server: TestServer
let admin: Person
/** Of an organisation where little happens, all the year round. */
let quiet: Person
/** Months by how long ago they were: the present one, the last, the one before. The organisations with many events have them in three. */
let months: string[]

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  const neighbour = await organisation(server)
  months = (
    await server.database.owner(
      `select to_char(date_trunc('month', now()) - n * interval '1 month', 'YYYY_MM') as month from generate_series(0, ${MONTHS - 1}) n`,
    )
  ).map(({ month }) => month as string)
  await server.app.node.database.store.system.rows({
    text: `select app_make_event_months(now() - interval '${MONTHS - 1} months', now())`,
    values: [],
  })
  for (const { organisationId, memberId } of [admin, neighbour])
    await tamper(
      server,
      `with made as (
         insert into event (id, organisation_id, topic, occurred_at, outcome, actor_kind, actor_id, target_kind, target_id, changes, actor_commitment)
         select (left(replace(app_id_at(at)::text, '-', ''), 12) || '7000' || '8' || substr(md5($1::text || n), 1, 15))::uuid, $1::uuid,
           (array['member.locked', 'role.created', 'member.added'])[1 + n % 3], at, 'SUCCEEDED', 'MEMBER', $2::uuid, 'Member',
           (left(replace(app_id_at(at)::text, '-', ''), 12) || '70008000' || substr(md5($2::text), 1, 12))::uuid, '[]', 'x'
         from (select n, date_trunc('month', now()) - (n % 3) * interval '1 month' + (n % 20000) * interval '1 minute' as at
           from generate_series(1, ${MANY}) n) x returning id, organisation_id)
       insert into event_person (id, organisation_id, actor_salt, actor_name) select id, organisation_id, 'x', 'Ann' from made`,
      [organisationId, memberId],
    )
  quiet = await organisation(server)
  await tamper(
    server,
    `insert into event (id, organisation_id, topic, occurred_at, outcome, actor_kind, actor_id, target_kind, target_id, changes, actor_commitment)
     select (left(replace(app_id_at(at)::text, '-', ''), 12) || '7000' || '8' || substr(md5($1::text || n), 1, 15))::uuid, $1::uuid,
       (array['member.locked', 'role.created', 'project.created', 'member.added'])[1 + n % 4], at, 'SUCCEEDED', 'MEMBER', $2::uuid, 'Member', $2::uuid, '[]', 'x'
     from (select n, date_trunc('month', now()) - (n % ${MONTHS}) * interval '1 month' + n * interval '1 minute' as at
       from generate_series(1, ${MONTHS * 8}) n) x`,
    [quiet.organisationId, quiet.memberId],
  )
  await tamper(server, 'analyze event')
  await tamper(server, 'analyze event_person')
}, 120_000)
afterAll(() => server.stop())

/** The plans of the statements that read events in an operation. */
async function plansOf(by: Person, document: string, variables: object = {}): Promise<string> {
  const ask = () => by.ask(document, { ...variables })
  const plans = await statementPlans(server, ask, { about: /from event e/ })
  expect(plans).not.toBe('')
  return plans
}

const list = (filter: object) =>
  plansOf(
    admin,
    `query ($filter: AuditEventFilter) { organisation { auditEvents(filter: $filter) { nodes { id actor { name } } } } }`,
    { filter },
  )
/** Months whose partitions a plan names, the rest among them. */
const monthsIn = (plan: string): string[] =>
  [
    ...new Set([...plan.matchAll(/ on event_(\d{4}_\d\d|rest)/g)].map(([, month]) => month!)),
  ].toSorted()
/** A month that holds much, read from its beginning to its end. */
const whole = () => new RegExp(`Seq Scan on event_(person_)?(${months.slice(0, 3).join('|')})`)

test('a page without a filter reads the index of the organisation, and what stands beside by its key', async () => {
  const plan = await list({})
  expect(plan).toMatch(new RegExp(`Index .*event_${months[0]}_organisation_id_id_idx`))
  expect(plan).toMatch(new RegExp(`Index .*event_person_${months[0]}_pkey`))
  expect(plan).not.toMatch(whole())
})

test.each([
  ['topics', { topics: ['member.locked'] }, 'organisation_id_topic_id_idx'],
  ['actors', { actorIds: ['01900000-0000-7000-8000-000000000001'] }, 'actor_id_id_idx'],
  ['targets', { targetIds: ['01900000-0000-7000-8000-000000000001'] }, 'target_id_id_idx'],
])('filtered by %s it reads the index of those', async (_name, filter, index) => {
  const plan = await list(filter)
  expect(plan).toContain(index)
  expect(plan).not.toMatch(whole())
})

test.each([
  ['nothing', {}],
  ['several topics', { topics: ['member.locked', 'role.*'] }],
  ['a family of topics', { topics: ['member.*'] }],
])(
  'filtered by %s it opens the newest months alone, where they fill the page',
  async (_name, filter) => {
    const opened = monthsIn(await list(filter))
    expect(opened).toEqual(expect.arrayContaining(months.slice(0, 2)))
    for (const month of months.slice(2)) expect(opened).not.toContain(month)
  },
)

test('nobody’s events are looked for down one index each, however rare they are', async () => {
  const actorIds = [admin.memberId, '01900000-0000-7000-8000-000000000001']
  for (const filter of [{ topics: ['role.*', 'organisation.*'] }, { actorIds }]) {
    const plan = await list(filter)
    expect(plan).toMatch(/Row|ROW/)
    // those are of the key alone, and of the organisation
    expect(plan).not.toMatch(/event_\d{4}_\d\d_(pkey|organisation_id_id_idx)/)
  }
})

const byPages = async (by: Person, first: number, filter: object): Promise<string[]> => {
  const found: string[] = []
  for (let after: string | null = null; ;) {
    const { auditEvents }: any = (
      await by.ask(
        `query ($first: Int!, $after: String, $filter: AuditEventFilter) { organisation {
          auditEvents(first: $first, after: $after, filter: $filter) { nodes { id occurredAt topic { name } } pageInfo { hasNextPage endCursor } } } }`,
        { first, after, filter },
      )
    ).organisation
    found.push(
      ...auditEvents.nodes.map(
        ({ topic, occurredAt }: any) => `${topic.name} ${new Date(occurredAt).toISOString()}`,
      ),
    )
    if (!auditEvents.pageInfo.hasNextPage) return found
    after = auditEvents.pageInfo.endCursor
  }
}

test.each([5, 19, 100])(
  'pages of %i go through the months, and leave nothing out and show nothing twice',
  async first => {
    const long = { from: new Date(Date.now() - 250 * 86_400_000) }
    const short = {
      from: new Date(Date.now() - 200 * 86_400_000),
      to: new Date(Date.now() - 9 * 86_400_000),
    }
    for (const [filter, condition] of [
      [{}, 'true'],
      [{ topics: ['role.created', 'project.*'] }, `topic in ('role.created', 'project.created')`],
      [
        { topics: ['member.*'], occurredAt: long },
        `topic like 'member.%' and occurred_at >= '${long.from.toISOString()}'`,
      ],
      [
        { actorIds: [quiet.memberId], outcome: 'SUCCEEDED' },
        `actor_id = '${quiet.memberId}' and outcome = 'SUCCEEDED'`,
      ],
      [
        { targetIds: [quiet.memberId], topics: ['role.*'] },
        `target_id = '${quiet.memberId}' and topic like 'role.%'`,
      ],
      [
        { occurredAt: short },
        `occurred_at >= '${short.from.toISOString()}' and occurred_at < '${short.to.toISOString()}'`,
      ],
    ] as const) {
      const expected = await server.database.owner(
        `select topic, occurred_at from event where organisation_id = $1 and ${condition} order by id desc`,
        [quiet.organisationId],
      )
      expect(expected.length).toBeGreaterThan(MONTHS)
      expect(await byPages(quiet, first, filter)).toEqual(
        expected.map(
          ({ topic, occurred_at: at }) =>
            `${topic as string} ${new Date(at as string).toISOString()}`,
        ),
      )
    }
  },
)

test('what came from a clock that was ahead is shown before all else', async () => {
  const ahead = await organisation(server)
  await tamper(
    server,
    `insert into event (id, organisation_id, topic, occurred_at, outcome, actor_kind, actor_id, changes, actor_commitment)
     values (app_id_at(now() + interval '2 years'), $1, 'role.deleted', now() + interval '2 years', 'SUCCEEDED', 'MEMBER', $2, '[]', 'x')`,
    [ahead.organisationId, ahead.memberId],
  )
  for (const filter of [
    {},
    { topics: ['role.*', 'organisation.*'] },
    { actorIds: [ahead.memberId] },
  ])
    expect((await byPages(ahead, 1, filter))[0]).toMatch(/^role.deleted /)
})

test('of a stretch of time only its months are opened', async () => {
  const [year, month] = months[1]!.split('_')
  const day = (of: string) => new Date(`${year}-${month}-${of}T00:00:00Z`)
  const plan = await list({ occurredAt: { from: day('05'), to: day('20') } })
  expect(monthsIn(plan)).toEqual([months[1]])
  expect(plan).not.toMatch(whole())
  // up to a moment, nothing that is younger
  const older = await list({ topics: ['role.created'], occurredAt: { to: day('20') } })
  expect(monthsIn(older)).not.toContain(months[0])
})

test('an event is found by its id in its own month', async () => {
  const [event] = await server.database.owner(
    `select id from event where organisation_id = $1 and id < app_id_at(date_trunc('month', now())) order by id desc limit 1`,
    [admin.organisationId],
  )
  const plan = await plansOf(
    admin,
    `query ($id: ID!) { node(id: $id) { ... on AuditEvent { actor { name } } } }`,
    {
      id: event!.id,
    },
  )
  expect(plan).toMatch(new RegExp(`event_${months[1]}_pkey`))
  expect(monthsIn(plan)).toEqual([months[1]])
  expect(plan).not.toMatch(whole())
})

test('the platform’s page reads by the key alone, and of some topics by their index', async () => {
  const chief = await operator(server)
  const plan = await plansOf(chief, `{ platform { auditEvents { nodes { id } } } }`)
  expect(plan).toMatch(new RegExp(`Index .*event_${months[0]}_pkey`))
  expect(plan).not.toMatch(whole())
  const filtered = await plansOf(
    chief,
    `{ platform { auditEvents(filter: { topics: ["member.*", "organisation.*"] }) { nodes { id } } } }`,
  )
  expect(filtered).toMatch(new RegExp(`Index .*event_${months[0]}_topic_id_idx`))
  expect(filtered).not.toMatch(/event_\d{4}_\d\d_(pkey|organisation_id_id_idx)/)
  expect(monthsIn(filtered)).not.toContain(months[2])
})
