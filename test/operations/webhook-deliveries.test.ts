import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import {
  act,
  createWebhook,
  deliveriesOf,
  hurry,
  opened,
  Receiver,
  readWebhook,
  retryDelivery,
  rotateWebhookSecret,
  settled,
  testWebhook,
  updateWebhook,
} from './receiver.ts'

let server: TestServer
let admin: Person
let receiver: Receiver

beforeAll(async () => {
  server = await startServer({ settings: { WEBHOOK_ALLOW_PRIVATE: 'on' } })
})
afterAll(() => server.stop())
beforeEach(async () => {
  receiver = await Receiver.open()
  admin = await organisation(server)
})
afterEach(() => receiver.close())

test('an event is posted as the trail tells it, signed, and told of in the list', async () => {
  const { id, secret } = await createWebhook(admin, receiver.url, ['role.*'])
  const role = await act(admin)
  const [first] = await receiver.received(1)
  expect(first!.url).toBe('/hook')
  expect(first!.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'Gatehouse',
  })
  const payload = opened(secret, first!)
  const { organisation: own } = await admin.ask(
    `{ organisation { auditEvents(first: 1, filter: { topics: ["role.created"] }) { nodes { id occurredAt outcome requestId reason ipAddress userAgent
      topic { name description category } actor { kind id name apiKeyId } target { id kind name } changes { field before after } } } } }`,
  )
  const [event] = own.auditEvents.nodes
  expect(payload).toEqual({ type: 'role.created', timestamp: event.occurredAt, data: event })
  expect(payload.data).toMatchObject({ target: { id: role }, actor: { id: admin.memberId } })

  const delivery = await settled(admin, id, 'SUCCEEDED')
  expect(delivery).toMatchObject({
    id: first!.headers['webhook-id'],
    attempts: 1,
    responseStatus: 204,
    nextAttemptAt: null,
    topic: { name: 'role.created' },
    webhook: { id },
  })
  expect(delivery.lastAttemptAt).not.toBeNull()
})

test('what fails is attempted again under the same id, until it comes through', async () => {
  receiver.manner = 500
  const { id, secret } = await createWebhook(admin, receiver.url, ['role.created'])
  await act(admin)
  await receiver.received(1)
  const waiting = await settled(admin, id, 'PENDING')
  expect(waiting).toMatchObject({ responseStatus: 500, attempts: 1 })
  expect(waiting.nextAttemptAt > waiting.lastAttemptAt).toBe(true)
  await receiver.received(2)
  receiver.manner = 200
  await until(async () => {
    await hurry(admin)
    return receiver.got.length >= 3
  })
  const ids = new Set(receiver.got.map(({ headers }) => headers['webhook-id']))
  expect(ids).toEqual(new Set([waiting.id]))
  for (const each of receiver.got) opened(secret, each)
  expect(await settled(admin, id, 'SUCCEEDED', 3)).toMatchObject({
    attempts: 3,
    responseStatus: 200,
  })
})

test('a redirect is an answer like any other, and leads nowhere', async () => {
  const elsewhere = await Receiver.open()
  try {
    receiver.manner = response => response.writeHead(307, { location: elsewhere.url }).end()
    const { id } = await createWebhook(admin, receiver.url, ['role.created'])
    await act(admin)
    expect(await settled(admin, id, 'PENDING')).toMatchObject({ responseStatus: 307 })
    expect(elsewhere.got).toEqual([])
  } finally {
    await elsewhere.close()
  }
})

test('a receiver that takes too long is cut off, and holds up nobody else', async () => {
  const slow = await Receiver.open()
  try {
    slow.manner = () => undefined
    const hanging = await createWebhook(admin, slow.url, ['role.created'])
    const other = await organisation(server)
    await createWebhook(other, receiver.url, ['role.created'])
    for (let count = 0; count < 3; count += 1) await act(admin)
    await slow.received(1)
    const begun = Date.now()
    await act(other)
    await receiver.received(1, 5_000)
    const cut = await settled(admin, hanging.id, 'PENDING')
    expect(cut).toMatchObject({ responseStatus: null })
    expect(Date.now() - begun).toBeLessThan(14_000)

    // now that it is known to fail, it takes no worker from what is new
    for (let count = 0; count < 8; count += 1) await act(admin)
    const again = Date.now()
    await act(other)
    await receiver.received(2, 5_000)
    expect(Date.now() - again).toBeLessThan(5_000)
  } finally {
    await slow.close()
  }
}, 60_000)

test('for a day after a rotation both secrets verify, and then the new one alone', async () => {
  const { id, secret: old } = await createWebhook(admin, receiver.url, ['role.created'])
  const fresh = await rotateWebhookSecret(admin, id)
  expect(fresh).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(fresh).not.toBe(old)
  await act(admin)
  const [both] = await receiver.received(1)
  expect(opened(fresh, both!)).toEqual(opened(old, both!))

  await server.database.owner(
    `update webhook set previous_until = previous_until - interval '24 hours' where id = $1`,
    [id],
  )
  await act(admin)
  const [, alone] = await receiver.received(2)
  opened(fresh, alone!)
  expect(() => opened(old, alone!)).toThrow('No matching signature')
})

test('a sample goes to one webhook, whatever it waits for', async () => {
  const { id, secret } = await createWebhook(admin, receiver.url, ['webhook.*'])
  const sample = await testWebhook(admin, id)
  expect(sample).toMatchObject({
    status: 'PENDING',
    attempts: 0,
    topic: { name: 'webhook.tested' },
  })
  await until(() => receiver.got.some(({ headers }) => headers['webhook-id'] === sample.id))
  // webhook.created came before it
  const got = await receiver.received(2)
  expect(new Set(got.map(each => opened(secret, each).type))).toEqual(
    new Set(['webhook.created', 'webhook.tested']),
  )
  expect(await deliveriesOf(admin, id)).toHaveLength(2)
})

test('a delivery is sent again when asked for, under its id', async () => {
  const { id } = await createWebhook(admin, receiver.url, ['role.created'])
  await act(admin)
  const done = await settled(admin, id, 'SUCCEEDED')
  expect(await retryDelivery(admin, done.id)).toMatchObject({ id: done.id, status: 'PENDING' })
  const got = await receiver.received(2)
  expect(got[1]!.headers['webhook-id']).toBe(done.id)
  expect(got[1]!.body).toBe(got[0]!.body)
  expect(await settled(admin, id, 'SUCCEEDED', 2)).toMatchObject({ attempts: 2 })
})

test('twenty asked for at once end with one delivery, and one job that attempts it', async () => {
  receiver.manner = 500
  const { id } = await createWebhook(admin, receiver.url, ['role.created'])
  await act(admin)
  const { id: delivery } = await settled(admin, id, 'PENDING')
  await Promise.all(Array.from({ length: 20 }, () => retryDelivery(admin, delivery)))
  await until(async () => {
    await hurry(admin)
    const [row] = await server.database.owner(
      `select count(*)::int as count from pgboss.job where data ->> 'delivery' = $1 and state < 'completed'`,
      [delivery],
    )
    return row!.count === 1
  }, 30_000)
  receiver.manner = 200
  await until(async () => {
    await hurry(admin)
    return (await deliveriesOf(admin, id))[0].status === 'SUCCEEDED'
  }, 30_000)
}, 60_000)

test('what the receiver answers is kept nowhere', async () => {
  receiver.manner = 500
  const { id } = await createWebhook(admin, receiver.url, ['role.created'])
  await act(admin)
  await settled(admin, id, 'PENDING')
  const kept = await server.database.owner(
    `select to_jsonb(d)::text as text from webhook_delivery d
     union all select coalesce(output::text, '') || data::text from pgboss.job`,
  )
  expect(JSON.stringify(kept)).not.toContain('a secret answer')
  expect(server.log.join('')).not.toContain('a secret answer')
})

test('nothing is made for topics that nobody waits for, nor while a webhook is off', async () => {
  const { id } = await createWebhook(admin, receiver.url, ['member.locked'])
  await act(admin)
  await updateWebhook(admin, id, { topics: ['role.created'], enabled: false })
  await act(admin)
  await updateWebhook(admin, id, { enabled: true })
  await act(admin)
  await receiver.received(1)
  await settled(admin, id, 'SUCCEEDED')
  expect(await deliveriesOf(admin, id)).toHaveLength(1)
  expect(await readWebhook(admin, id)).toMatchObject({ enabled: true })
})
