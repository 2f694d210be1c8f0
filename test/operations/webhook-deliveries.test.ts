import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openSecret } from '../../src/operations/webhooks/secret.ts'
import { sealSecretsAnew } from '../../src/operations/webhooks/reseal.ts'
import { KeyRing } from '../../src/shared/seal.ts'
import { newId } from '../../src/shared/tokens.ts'
import { operator, organisation, signIn, type Person } from '../support/people.ts'
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
  // the row tells of an attempt a moment before the queue does
  await until(async () => {
    const { nextAttemptAt, lastAttemptAt } = await settled(admin, id, 'PENDING')
    return nextAttemptAt > lastAttemptAt
  })
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

test('later attempts lie hours apart, and each somewhere else', async () => {
  receiver.manner = 500
  const ids: string[] = []
  for (let count = 0; count < 3; count += 1)
    ids.push((await createWebhook(admin, receiver.url, ['role.created'])).id)
  await act(admin)
  for (const id of ids) await settled(admin, id, 'PENDING', 2)
  // the row tells of an attempt a moment before the queue does
  await until(async () => {
    const [row] = await server.database.owner(
      `select count(*)::int as count from pgboss.job where name = 'webhook-delivery-again' and state = 'retry'`,
    )
    return row!.count === ids.length
  })
  // as if they had failed for hours, and not yet for as long as delays grow
  await server.database.owner(
    `update pgboss.job set retry_count = 9, start_after = now()
     where name = 'webhook-delivery-again' and state = 'retry'`,
  )
  const delays: number[] = []
  for (const id of ids) {
    const { nextAttemptAt, lastAttemptAt } = await settled(admin, id, 'PENDING', 3)
    delays.push((Date.parse(nextAttemptAt) - Date.parse(lastAttemptAt)) / 1_000)
  }
  for (const seconds of delays) {
    expect(seconds).toBeGreaterThan(3_600)
    expect(seconds).toBeLessThan(14_460)
  }
  expect(new Set(delays.map(Math.round)).size).toBeGreaterThan(1)
}, 60_000)

test('secrets that an older secret of the server sealed are sealed anew, and go on signing', async () => {
  const { id, secret } = await createWebhook(admin, receiver.url, ['role.created'])
  const fresh = await rotateWebhookSecret(admin, id)
  const { system } = server.app.node.database.store
  const [old] = server.app.node.server.config.SECRET_KEY
  const key = randomBytes(32)
  for (let round = 0; round < 2; round += 1)
    await sealSecretsAnew(system, new KeyRing([key, old!]), AbortSignal.timeout(10_000))
  const [row] = await server.database.owner(
    `select sealed_secret as present, sealed_previous_secret as previous from webhook where id = $1`,
    [id],
  )
  const alone = new KeyRing([key])
  expect(openSecret(alone, id, String(row!.present))).toBe(fresh)
  expect(openSecret(alone, id, String(row!.previous))).toBe(secret)
  expect(() => openSecret(alone, newId(), String(row!.present))).toThrow('another webhook')
  // back to the secret of the other tests
  await sealSecretsAnew(system, new KeyRing([old!, key]), AbortSignal.timeout(10_000))
  await act(admin)
  const [both] = await receiver.received(1)
  expect(opened(fresh, both!)).toEqual(opened(secret, both!))
})

test('acts in every context are told: of a person who leaves, of an operator, of a sign-in', async () => {
  const { secret } = await createWebhook(admin, receiver.url, [
    'member.left',
    'session.started',
    'organisation.suspended',
  ])
  const leaver = await admin.bring()
  await leaver.ask(`mutation ($id: ID!) { leaveOrganisation(id: $id) { deletedId } }`, {
    id: admin.organisationId,
  })
  await signIn(server, admin.email)
  const chief = await operator(server)
  await chief.ask(`mutation ($id: ID!) { suspendOrganisation(id: $id) { organisation { id } } }`, {
    id: admin.organisationId,
  })
  const types = () => receiver.got.map(each => opened(secret, each).type)
  await until(() => types().includes('organisation.suspended'))
  await until(() => types().includes('member.left') && types().includes('session.started'))
})

test('an act that is undone leaves nothing to tell', async () => {
  const { id } = await createWebhook(admin, receiver.url, ['role.*', 'member.*'])
  await expect(
    admin.ask(`mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`, {
      id: admin.memberId,
    }),
  ).rejects.toBeRefused('CONFLICT')
  await act(admin)
  await settled(admin, id, 'SUCCEEDED')
  expect((await deliveriesOf(admin, id)).map(({ topic }) => topic.name)).toEqual(['role.created'])
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
