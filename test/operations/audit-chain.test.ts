import { afterAll, beforeAll, expect, test } from 'vitest'
import { doChore } from '../support/chores.ts'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import { act, sealNow, sealsOf, tamper, verify } from './trail.ts'

let server: TestServer
/** A second node, which seals too. */
let other: TestServer

beforeAll(async () => {
  server = await startServer()
  other = await startServer({ beside: server })
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

const eventsOf = async (chain: string): Promise<string[]> =>
  (
    await server.database.owner(`select id from event where organisation_id = $1 order by id`, [
      chain,
    ])
  ).map(({ id }) => id as string)
const unsealed = async (): Promise<number> =>
  (await server.database.owner(`select count(*)::int as count from event_unsealed`))[0]!
    .count as number

/** An organisation with two seals, of which the second holds several events. */
async function sealed(): Promise<Person> {
  const admin = await organisation(server)
  await sealNow(server)
  await act(admin, 2)
  await sealNow(server)
  const [, second] = await sealsOf(server, admin.organisationId)
  // the worker, who comes once a minute, may have come in between
  return second && second.events.length > 1 ? admin : sealed()
}

test('every event is sealed once, whatever is written and sealed at the same time, and the trail is whole', async () => {
  const people = [await organisation(server), await organisation(server)]
  const acts = people.flatMap(by => Array.from({ length: 12 }, () => act(by, 1)))
  const sealing = [server, other, server, other].map(sealNow)
  await Promise.all([...acts, ...sealing, doChore(server, 'seal-events')])
  // what strangers were refused is written after they were answered
  await until(async () => {
    await sealNow(server)
    return (await unsealed()) === 0
  })
  for (const { organisationId } of people) {
    const seals = await sealsOf(server, organisationId)
    expect(seals.map(({ number }) => number)).toEqual(seals.map((_, index) => index + 1))
    expect(seals.flatMap(({ events }) => events).toSorted()).toEqual(await eventsOf(organisationId))
  }
  const { status, output } = await verify(server)
  expect(output).toContain('The trail is whole.')
  expect(status).toBe(0)
}, 60_000)

test('what is committed late, with an id from before what was sealed already, is sealed all the same', async () => {
  const admin = await sealed()
  const [first] = await eventsOf(admin.organisationId)
  // as its transaction would have written it, had it been open all the time
  const late = first!.replace(/.{12}$/, '000000000000')
  await server.database.owner(
    `with copy as (insert into event select ($2::uuid), organisation_id, topic, occurred_at, outcome, actor_kind, actor_id,
       actor_user_id, api_key_id, target_kind, target_id, changes, refusal, request_id, actor_commitment, target_commitment
       from event where id = $1 returning id, organisation_id),
     beside as (insert into event_person select ($2::uuid), organisation_id, actor_user_id, actor_salt, actor_name, ip_address,
       user_agent, target_salt, target_name, changes, reason from event_person where id = $1)
     insert into event_unsealed select id, organisation_id from copy`,
    [first, late],
  )
  await sealNow(server)
  const seals = await sealsOf(server, admin.organisationId)
  expect(seals.at(-1)!.events).toContain(late)
  expect((await verify(server)).status).toBe(0)
}, 60_000)

test('`npm run audit:verify` names the organisation, the seal and the event where each chain is broken first', async () => {
  const expected: string[] = []
  /** Does something to an organisation's chain that has to be found. */
  const broken = async (
    what: string,
    at: { seal?: number; event?: (admin: Person, events: string[][]) => string },
    deed: (admin: Person, events: string[][]) => Promise<void>,
  ) => {
    const admin = await sealed()
    const events = (await sealsOf(server, admin.organisationId)).map(each => each.events)
    await deed(admin, events)
    const event = at.event?.(admin, events)
    expected.push(
      [
        `BROKEN: Organisation ${admin.organisationId}`,
        ...(at.seal ? [`seal ${at.seal}`] : []),
        ...(event ? [`event ${event}`] : []),
      ].join(', ') + `: ${what}.`,
    )
  }
  const change =
    (column: string, value: string, table = 'event') =>
    async (_: Person, events: string[][]) =>
      tamper(server, `update ${table} set ${column} = ${value} where id = $1`, [events[1]![1]])
  const second = { seal: 2, event: (_: Person, events: string[][]) => events[1]![1]! }

  await broken('the event was changed', second, change('outcome', `'DENIED'`))
  await broken(
    'the event was changed',
    second,
    change('occurred_at', `occurred_at + interval '1 microsecond'`),
  )
  await broken(
    'the event was changed',
    second,
    change('changes', `'[{"field":"role","before":null,"after":"x"}]'`),
  )
  // another hash in the place of the one that was sealed
  await broken('the event was changed', second, change('actor_commitment', `target_commitment`))
  const name = 'the name, address or user agent of who did it was changed'
  await broken(name, second, change('actor_name', `'Somebody Else'`, 'event_person'))
  await broken(name, second, change('ip_address', 'null', 'event_person'))
  await broken(
    'the name, reason or personal changes of whom it was done to were changed',
    second,
    change('target_name', `'Another project'`, 'event_person'),
  )
  await broken('the event was removed', second, (_, events) =>
    tamper(server, `delete from event where id = $1`, [events[1]![1]]),
  )
  await broken('what stood beside the event was removed', second, (_, events) =>
    tamper(server, `delete from event_person where id = $1`, [events[1]![1]]),
  )
  let added = ''
  await broken('the event was added past the chain', { event: () => added }, async (_, events) => {
    added = events[1]![1]!.replace(/.{12}$/, '000000000000')
    await tamper(
      server,
      `insert into event select ($2::uuid), organisation_id, topic, occurred_at, outcome, actor_kind, actor_id, actor_user_id,
       api_key_id, target_kind, target_id, changes, refusal, request_id, actor_commitment, target_commitment from event where id = $1`,
      [events[1]![1], added],
    )
  })
  await broken('the seal was removed', { seal: 1 }, ({ organisationId }) =>
    tamper(server, `delete from event_seal where chain = $1 and number = 1`, [organisationId]),
  )
  await broken('the seal was removed', { seal: 2 }, ({ organisationId }) =>
    tamper(server, `delete from event_seal where chain = $1 and number >= 2`, [organisationId]),
  )
  await broken('the seal was changed', { seal: 1 }, ({ organisationId }, events) =>
    tamper(server, `update event_seal set events = $2::uuid[] where chain = $1 and number = 1`, [
      organisationId,
      events[0]!.toReversed(),
    ]),
  )
  const { status, output } = await verify(server)
  expect(
    output
      .split('\n')
      .filter(line => line.startsWith('BROKEN'))
      .toSorted(),
  ).toEqual(expected.toSorted())
  expect(status).toBe(1)
}, 120_000)

test('what is removed before it was sealed is found too', async () => {
  const admin = await organisation(server)
  await act(admin, 1)
  // the worker may have been there already
  await tamper(
    server,
    `with gone as (delete from event where organisation_id = $1 returning id),
       seals as (delete from event_seal where chain = $1), chains as (delete from event_chain where chain = $1)
     insert into event_unsealed select id, $1::uuid from gone on conflict do nothing`,
    [admin.organisationId],
  )
  const { output } = await verify(server)
  expect(output).toMatch(
    new RegExp(
      `Organisation ${admin.organisationId}, event [-0-9a-f]+: the event was removed before it was sealed`,
    ),
  )
}, 60_000)

test('nobody who serves requests can change a seal, or what a chain ended with', async () => {
  const { system } = server.app.node.database.store
  for (const text of [
    `update event_seal set digest = ''`,
    `delete from event_seal`,
    `update event_chain set kept_since = 'ffffffff-ffff-ffff-ffff-ffffffffffff'`,
    `update event_chain set checkpoint_number = 1`,
    `delete from event_chain`,
    `select app_note_retention('ffffffff-ffff-ffff-ffff-ffffffffffff')`,
  ])
    await expect(system.rows({ text, values: [] }), text).rejects.toThrow(/permission denied/)
})
