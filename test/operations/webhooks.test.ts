import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import {
  askBy,
  bringWith,
  createKey,
  createProject,
  createServiceAccount,
  grant,
} from '../credentials/keys.ts'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'
import {
  createWebhook,
  deleteWebhook,
  deliveriesOf,
  readWebhook,
  retryDelivery,
  rotateWebhookSecret,
  testWebhook,
  updateWebhook,
} from './receiver.ts'

const URL = 'https://receiver.invalid/hook'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const newestEvent = async (topic: string): Promise<any> => {
  const { organisation: own } = await admin.ask(
    `query ($topics: [String!]) { organisation { auditEvents(first: 1, filter: { topics: $topics }) { nodes {
      topic { name category } target { id kind name } changes { field before after } reason } } } }`,
    { topics: [topic] },
  )
  return own.auditEvents.nodes[0]
}

test('a webhook is made with a secret that is told this once and kept sealed', async () => {
  const made = await createWebhook(admin, `${URL}#part`, ['member.locked', 'role.*', 'role.*'], {
    description: ' For payroll ',
  })
  expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(made).toMatchObject({
    url: URL,
    description: 'For payroll',
    enabled: true,
    topics: ['member.locked', 'role.created', 'role.deleted', 'role.updated'].map(name => ({
      name,
    })),
    organisation: { id: admin.organisationId },
    createdBy: { id: admin.memberId },
  })
  const { secret, ...webhook } = made
  expect(await readWebhook(admin, made.id)).toEqual(webhook)
  const [row] = await server.database.owner(
    `select to_jsonb(w)::text as row from webhook w where id = $1`,
    [made.id],
  )
  expect(row!.row).not.toContain(secret.slice(6))
  expect(await newestEvent('webhook.created')).toMatchObject({
    topic: { category: 'INTEGRATION' },
    target: { id: made.id, kind: 'Webhook', name: 'receiver.invalid' },
  })
})

test('changes are told in the trail, but of an address no more than its origin', async () => {
  const { id } = await createWebhook(admin, URL, ['role.created'], { description: 'x' })
  const changed = await updateWebhook(admin, id, {
    url: 'https://other.invalid/let-me-in',
    topics: ['member.*'],
    description: null,
    enabled: false,
  })
  expect(changed).toMatchObject({
    url: 'https://other.invalid/let-me-in',
    description: null,
    enabled: false,
  })
  expect(changed.topics).toContainEqual({ name: 'member.locked' })
  const event = await newestEvent('webhook.updated')
  expect(event.changes).toEqual([
    { field: 'url', before: 'https://receiver.invalid', after: 'https://other.invalid' },
    { field: 'description', before: 'x', after: null },
    { field: 'enabled', before: 'true', after: 'false' },
    { field: 'topics', before: 'role.created', after: 'member.*' },
  ])
  expect(JSON.stringify(event)).not.toContain('let-me-in')
  expect(await updateWebhook(admin, id, {})).toMatchObject({ url: changed.url, enabled: false })
})

test('each verb leaves its event, and none of them a secret', async () => {
  const { id } = await createWebhook(admin, URL, ['role.created'])
  const secret = await rotateWebhookSecret(admin, id)
  const { id: delivery } = await testWebhook(admin, id)
  await retryDelivery(admin, delivery)
  await deleteWebhook(admin, id)
  const target = { kind: 'Webhook', id }
  for (const topic of ['webhook.secret_rotated', 'webhook.tested', 'webhook.deleted'])
    expect(await newestEvent(topic)).toMatchObject({ target })
  expect(await newestEvent('webhook.delivery_retried')).toMatchObject({
    target: { kind: 'WebhookDelivery', id: delivery },
  })
  const [row] = await server.database.owner(
    `select string_agg(e::text || p::text, '') as events from event e join event_person p using (id)`,
  )
  expect(row!.events).not.toContain(secret.slice(6))
})

test('what was deleted is gone, with its deliveries', async () => {
  const { id } = await createWebhook(admin, URL, ['role.created'])
  const { id: delivery } = await testWebhook(admin, id)
  await deleteWebhook(admin, id)
  for (const verb of [readWebhook, rotateWebhookSecret, testWebhook, deleteWebhook])
    await expect(verb(admin, id)).rejects.toBeRefused('NOT_FOUND')
  await expect(updateWebhook(admin, id, { enabled: true })).rejects.toBeRefused('NOT_FOUND')
  await expect(retryDelivery(admin, delivery)).rejects.toBeRefused('NOT_FOUND')
  const { organisation: own } = await admin.ask(`{ organisation { webhooks { nodes { id } } } }`)
  expect(own.webhooks.nodes).not.toContainEqual({ id })
  for (const gone of [id, delivery])
    await expect(
      admin.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id: gone }),
    ).rejects.toBeRefused('NOT_FOUND')
})

test('one that is switched off is neither tested nor retried', async () => {
  const { id } = await createWebhook(admin, URL, ['role.created'])
  const { id: delivery } = await testWebhook(admin, id)
  await updateWebhook(admin, id, { enabled: false })
  await expect(testWebhook(admin, id)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  await expect(retryDelivery(admin, delivery)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
})

test('lists are pages: webhooks with their number, deliveries narrowed by status', async () => {
  const own = await organisation(server)
  const ids: string[] = []
  for (let count = 0; count < 3; count += 1)
    ids.unshift((await createWebhook(own, URL, ['role.created'])).id)
  const { organisation: first } = await own.ask(
    `{ organisation { webhooks(first: 2) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } } }`,
  )
  expect(first.webhooks).toMatchObject({ totalCount: 3, nodes: [{ id: ids[0] }, { id: ids[1] }] })
  const { organisation: second } = await own.ask(
    `query ($after: String) { organisation { webhooks(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage } } } }`,
    { after: first.webhooks.pageInfo.endCursor },
  )
  expect(second.webhooks).toEqual({ nodes: [{ id: ids[2] }], pageInfo: { hasNextPage: false } })

  const made: string[] = []
  for (let count = 0; count < 3; count += 1) made.unshift((await testWebhook(own, ids[0]!)).id)
  await server.database.owner(`update webhook_delivery set status = 'FAILED' where id = $1`, [
    made[1],
  ])
  expect((await deliveriesOf(own, ids[0]!)).map(({ id }) => id)).toEqual(made)
  const { organisation: split } = await own.ask(
    `query ($id: ID!) { organisation { webhook(id: $id) {
      failed: deliveries(status: FAILED) { nodes { id } } all: deliveries(first: 1) { nodes { id } pageInfo { endCursor } }
      none: deliveries(status: SUCCEEDED) { nodes { id } } } } }`,
    { id: ids[0] },
  )
  expect(split.webhook).toMatchObject({
    failed: { nodes: [{ id: made[1] }] },
    all: { nodes: [{ id: made[0] }] },
    none: { nodes: [] },
  })
  const { organisation: rest } = await own.ask(
    `query ($id: ID!, $after: String) { organisation { webhook(id: $id) { deliveries(after: $after) { nodes { id } } } } }`,
    { id: ids[0], after: split.webhook.all.pageInfo.endCursor },
  )
  expect(rest.webhook.deliveries.nodes).toEqual([{ id: made[1] }, { id: made[2] }])
})

test('a list with makers and deliveries costs the same for one as for ten', async () => {
  const own = await organisation(server)
  const read = (first: number) =>
    own.ask(
      `query ($first: Int!) { organisation { webhooks(first: $first) { nodes { organisation { name } createdBy { name }
        deliveries(first: 2) { nodes { nextAttemptAt webhook { url } } } } } } }`,
      { first },
    )
  for (let count = 0; count < 10; count += 1) {
    const { id } = await createWebhook(own, URL, ['role.created'])
    await testWebhook(own, id)
  }
  const { seen: few } = await countStatements(server, () => read(1))
  const { seen: many } = await countStatements(server, () => read(10))
  expect(many).toBe(few)
})

describe('what is refused', () => {
  test.each([
    ['http://receiver.invalid/', 'URL_NOT_ALLOWED'],
    ['https://localhost/', 'URL_NOT_ALLOWED'],
    ['https://inner.localhost./', 'URL_NOT_ALLOWED'],
    ['https://127.0.0.1/', 'URL_NOT_ALLOWED'],
    ['https://0x7f.1/', 'URL_NOT_ALLOWED'],
    ['https://2130706433/', 'URL_NOT_ALLOWED'],
    ['https://169.254.169.254/latest/meta-data', 'URL_NOT_ALLOWED'],
    ['https://[::1]/', 'URL_NOT_ALLOWED'],
    ['https://[::ffff:10.0.0.1]/', 'URL_NOT_ALLOWED'],
    ['https://[fd00::1]/', 'URL_NOT_ALLOWED'],
    ['https://user:secret@receiver.invalid/', 'INVALID_FORMAT'],
    ['ftp://receiver.invalid/', 'INVALID_FORMAT'],
    ['no address', 'INVALID_FORMAT'],
  ])('events are not posted to %s', async (url, reason) => {
    await expect(createWebhook(admin, url, ['role.created'])).rejects.toBeRefused(
      'BAD_USER_INPUT',
      reason,
    )
    const { id } = await createWebhook(admin, URL, ['role.created'])
    await expect(updateWebhook(admin, id, { url })).rejects.toBeRefused('BAD_USER_INPUT', reason)
    await deleteWebhook(admin, id)
  })

  test.each([
    [[], 'REQUIRED'],
    [['role.flown'], 'INVALID_FORMAT'],
    [['*'], 'INVALID_FORMAT'],
    [Array.from({ length: 101 }, () => 'role.created'), 'OUT_OF_RANGE'],
  ])('topics must be some, and known: %j', async (topics, reason) => {
    await expect(createWebhook(admin, URL, topics)).rejects.toBeRefused('BAD_USER_INPUT', reason)
  })

  test('what every webhook has cannot be cleared', async () => {
    const { id } = await createWebhook(admin, URL, ['role.created'])
    for (const input of [{ url: null }, { topics: null }])
      await expect(updateWebhook(admin, id, input)).rejects.toBeRefused(
        'BAD_USER_INPUT',
        'REQUIRED',
      )
    await deleteWebhook(admin, id)
  })

  test('of thirty made at once, an organisation gets twenty', async () => {
    const crowded = await organisation(server)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, () => createWebhook(crowded, URL, ['role.created'])),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
    await expect(createWebhook(crowded, URL, ['role.created'])).rejects.toBeRefused(
      'CONFLICT',
      'STATE_MISMATCH',
    )
    const { organisation: own } = await crowded.ask(
      `{ organisation { webhooks { totalCount nodes { id } } } }`,
    )
    expect(own.webhooks.totalCount).toBe(20)
    await deleteWebhook(crowded, own.webhooks.nodes[0].id)
    await createWebhook(crowded, URL, ['role.created'])
  })

  test('without the permission nothing is seen or done; with it, and nothing else, all is', async () => {
    const { id } = await createWebhook(admin, URL, ['role.created'])
    const { id: delivery } = await testWebhook(admin, id)
    const other = await bringWith(admin, ['manageUser', 'manageOrganisation', 'viewAudit'])
    const acts: ((by: Person) => Promise<unknown>)[] = [
      by => createWebhook(by, URL, ['role.created']),
      by => updateWebhook(by, id, { description: 'x' }),
      by => rotateWebhookSecret(by, id),
      by => testWebhook(by, id),
      by => retryDelivery(by, delivery),
      by => readWebhook(by, id),
      by => deleteWebhook(by, id),
    ]
    for (const act of acts)
      await expect(act(other)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
    for (const hidden of [id, delivery])
      await expect(
        other.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id: hidden }),
      ).rejects.toBeRefused('NOT_FOUND')

    const integrator = await bringWith(admin, ['manageIntegration'])
    for (const act of acts) await act(integrator)
  })

  test('the ids of a neighbour are answered like ids of nothing', async () => {
    const { id } = await createWebhook(admin, URL, ['role.created'])
    const { id: delivery } = await testWebhook(admin, id)
    const neighbour = await organisation(server)
    for (const each of [id, newId()])
      for (const verb of [readWebhook, rotateWebhookSecret, testWebhook, deleteWebhook])
        await expect(verb(neighbour, each)).rejects.toBeRefused('NOT_FOUND')
    await expect(retryDelivery(neighbour, delivery)).rejects.toBeRefused('NOT_FOUND')
    await expect(updateWebhook(neighbour, id, { enabled: false })).rejects.toBeRefused('NOT_FOUND')
    expect(await readWebhook(admin, id)).toMatchObject({ enabled: true })
    await deleteWebhook(admin, id)
  })

  test('a key needs the scope; with it a machine makes webhooks, and is named as their maker', async () => {
    const make = `mutation { createWebhook(input: { url: "${URL}", topics: ["role.created"] }) { webhook { id createdBy { id } } secret } }`
    const machine = await createServiceAccount(admin, ['manageIntegration', 'viewUser'])
    const narrow = await createKey(admin, machine, ['viewUser'])
    await expect(askBy(admin, narrow.secret, make)).rejects.toBeRefused(
      'FORBIDDEN',
      'SCOPE_MISSING',
    )
    const wide = await createKey(admin, machine, ['manageIntegration'])
    const { createWebhook: made } = await askBy(admin, wide.secret, make)
    expect(made.webhook.createdBy).toEqual({ id: machine })
    expect(made.secret).toMatch(/^whsec_/)
    await deleteWebhook(admin, made.webhook.id)
  })

  test('a key that is confined to projects has no say in what hears of the whole organisation', async () => {
    const machine = await createServiceAccount(admin, ['manageIntegration', 'manageProject'])
    const project = await createProject(admin)
    await grant(admin, machine, project, (await admin.roles()).Viewer!)
    const { secret } = await createKey(admin, machine, ['manageIntegration'], {
      projectIds: [project],
    })
    const { id } = await createWebhook(admin, URL, ['role.created'])
    const delivery = await testWebhook(admin, id)
    for (const verb of [
      `createWebhook(input: { url: "${URL}", topics: ["role.created"] }) { secret }`,
      `updateWebhook(id: "${id}", input: { url: "https://elsewhere.invalid/" }) { webhook { id } }`,
      `rotateWebhookSecret(id: "${id}") { secret }`,
      `testWebhook(id: "${id}") { webhookDelivery { id } }`,
      `retryDelivery(id: "${delivery.id}") { webhookDelivery { id } }`,
      `deleteWebhook(id: "${id}") { deletedId }`,
    ])
      await expect(askBy(admin, secret, `mutation { ${verb} }`)).rejects.toBeRefused(
        'FORBIDDEN',
        'SCOPE_MISSING',
      )
    await deleteWebhook(admin, id)
  })
})
