import { afterAll, beforeAll, expect, test } from 'vitest'
import { operator, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'

// What the trail tells of people stands beside the events and can be erased; the events themselves stay.

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const FIELDS = `id topic { name } outcome actor { kind id name } target { id kind name } reason ipAddress userAgent
  requestId changes { field before after }`
const trailOf = async (by: Person, filter: Record<string, unknown>): Promise<any[]> =>
  (
    await by.ask(
      `query ($filter: AuditEventFilter) { organisation { auditEvents(first: 100, filter: $filter) { nodes { ${FIELDS} } } } }`,
      { filter },
    )
  ).organisation.auditEvents.nodes
const platformTrail = async (by: Person, filter: Record<string, unknown>): Promise<any[]> =>
  (
    await by.ask(
      `query ($filter: AuditEventFilter) { platform { auditEvents(first: 100, filter: $filter) { nodes { ${FIELDS} } } } }`,
      { filter },
    )
  ).platform.auditEvents.nodes
const lock = (by: Person, id: string, reason: string) =>
  by.ask(
    `mutation ($id: ID!, $reason: String) { lockMember(id: $id, reason: $reason) { member { id } } }`,
    { id, reason },
  )
const DELETE = `mutation { deleteAccount { deletedId } }`

/** An administrator who has done something to somebody. */
async function deed() {
  const other = await admin.bring('Administrator')
  const person = await admin.bring()
  await other.ask(
    `mutation ($id: ID!) { updateMember(id: $id, input: { firstName: "Theodolinde" }) { member { id } } }`,
    { id: person.memberId },
  )
  await lock(other, person.memberId, 'Theodolinde is ill')
  return { other, person }
}

test('the list shows what stands beside an event as if it were part of it', async () => {
  const { other, person } = await deed()
  const [locked] = await trailOf(admin, { targetIds: [person.memberId], topics: ['member.locked'] })
  expect(locked).toMatchObject({
    actor: { id: other.memberId, name: 'Ann Lee' },
    target: { id: person.memberId, name: 'Theodolinde Lee' },
    reason: 'Theodolinde is ill',
    ipAddress: '127.0.0.1',
    userAgent: expect.any(String),
  })
  const [updated] = await trailOf(admin, {
    targetIds: [person.memberId],
    topics: ['member.updated'],
  })
  expect(updated.changes).toEqual([{ field: 'firstName', before: 'Ann', after: 'Theodolinde' }])
})

test('of whoever deletes their account the trail keeps what they did and what was done to them, not who they were', async () => {
  const { other, person } = await deed()
  const before = await trailOf(admin, { targetIds: [person.memberId] })
  await person.ask(DELETE)
  await until(async () =>
    (await trailOf(admin, { targetIds: [person.memberId] })).every(
      // that they left was written without a name
      ({ target, topic }) => target.name === 'Deleted user' || topic.name === 'member.left',
    ),
  )
  const after = await trailOf(admin, { targetIds: [person.memberId] })
  expect(after.slice(1).map(({ id }) => id)).toEqual(before.map(({ id }) => id))
  expect(JSON.stringify(after)).not.toMatch(/Theodolinde|ill/)
  // who acted on them is somebody else
  expect(after.find(({ topic }) => topic.name === 'member.locked')).toMatchObject({
    actor: { id: other.memberId, name: 'Ann Lee' },
    ipAddress: '127.0.0.1',
    reason: null,
  })
  const updated = after.find(({ topic }) => topic.name === 'member.updated')
  expect(updated.changes).toEqual([{ field: 'firstName', before: null, after: null }])
  // what they did themselves
  await until(async () =>
    (await trailOf(admin, { actorIds: [person.memberId] })).every(
      ({ actor }) => actor.name === 'Deleted user',
    ),
  )
  for (const own of await trailOf(admin, { actorIds: [person.memberId] }))
    expect(own).toMatchObject({ ipAddress: null, userAgent: null, requestId: expect.any(String) })
})

test('an operator who deletes an account has it erased too, and stays named', async () => {
  const { other, person } = await deed()
  const op = await operator(server)
  await op.ask(`mutation ($id: ID!) { deleteUser(id: $id) { deletedId } }`, { id: other.userId })
  await until(async () =>
    (await trailOf(admin, { actorIds: [other.memberId] })).every(
      ({ actor }) => actor.name === 'Deleted user',
    ),
  )
  const [locked] = await trailOf(admin, { targetIds: [person.memberId], topics: ['member.locked'] })
  expect(locked).toMatchObject({
    actor: { id: other.memberId, name: 'Deleted user' },
    target: { name: 'Theodolinde Lee' },
    reason: 'Theodolinde is ill',
    ipAddress: null,
  })
  const [deleted] = await platformTrail(op, { targetIds: [other.userId], topics: ['user.deleted'] })
  expect(deleted).toMatchObject({ actor: { kind: 'OPERATOR', name: expect.stringMatching(/\w/) } })
  expect(deleted.actor.name).not.toBe('Deleted user')
})

test('nothing is erased of somebody whose account is there, whoever asks', async () => {
  const { person } = await deed()
  const { system } = server.app.node.database.store
  const [row] = await system.rows<{ count: number }>({
    text: `select app_erase_from_events($1, 100) as count`,
    values: [person.userId],
  })
  expect(row!.count).toBe(0)
  await expect(
    system.rows({ text: `update event_person set actor_name = 'Nobody'`, values: [] }),
  ).rejects.toThrow(/permission denied/)
})
