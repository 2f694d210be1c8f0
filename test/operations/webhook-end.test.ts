import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createKey, createServiceAccount, askBy } from '../credentials/keys.ts'
import { mailsSoFar } from '../support/mailbox.ts'
import { organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import {
  act,
  createWebhook,
  deliveriesOf,
  hurry,
  Receiver,
  readWebhook,
  retryDelivery,
  settled,
  updateWebhook,
} from './receiver.ts'

// Three days that pass by the clock of the tests.

let server: TestServer
let admin: Person
let receiver: Receiver

beforeAll(async () => {
  server = await startServer({ settings: { WEBHOOK_ALLOW_PRIVATE: 'on' } })
})
afterAll(() => server.stop())
beforeEach(async () => {
  receiver = await Receiver.open()
  receiver.manner = 503
  admin = await organisation(server)
})
afterEach(() => receiver.close())

/** Lets days pass, and the sessions end that ended meanwhile. */
async function later(days: number): Promise<void> {
  server.clock.advance({ days })
  admin = await signIn(server, admin.email)
}

async function attemptAgain(holds: () => Promise<boolean>): Promise<void> {
  await until(async () => {
    await hurry(admin)
    return holds()
  }, 20_000)
}

const mailOf = async (person: Person) => {
  const mails = await mailsSoFar(server, person.email)
  return mails.filter(({ subject }) => /switched off|abgeschaltet/.test(subject))
}

test('after three days in which nothing came through, a webhook is switched off and its maker told', async () => {
  const { id } = await createWebhook(admin, receiver.url, ['role.created'])
  await act(admin)
  await settled(admin, id, 'PENDING')
  await later(2.9)
  await attemptAgain(async () => (await deliveriesOf(admin, id))[0].attempts > 1)
  expect(await readWebhook(admin, id)).toMatchObject({ enabled: true })
  expect(await mailOf(admin)).toEqual([])

  await later(0.2)
  await attemptAgain(async () => !(await readWebhook(admin, id)).enabled)
  const [delivery] = await deliveriesOf(admin, id)
  expect(delivery).toMatchObject({ status: 'FAILED', responseStatus: 503, nextAttemptAt: null })
  const { organisation: own } = await admin.ask(
    `{ organisation { auditEvents(first: 1, filter: { topics: ["webhook.switched_off"] }) { nodes { actor { kind id name } target { id } reason ipAddress } } } }`,
  )
  expect(own.auditEvents.nodes).toEqual([
    {
      actor: { kind: 'SYSTEM', id: null, name: 'Gatehouse' },
      target: { id },
      reason: 'Nothing came through for three days.',
      ipAddress: null,
    },
  ])
  await until(async () => (await mailOf(admin)).length > 0)
  const [mail] = await mailOf(admin)
  expect(mail!.text).toContain(new URL(receiver.url).host)
  expect(mail!.text).toContain('for three days nothing has come through')

  // and that is all there is
  const got = receiver.got.length
  await act(admin)
  await expect(retryDelivery(admin, delivery.id)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  receiver.manner = 200
  await updateWebhook(admin, id, { enabled: true })
  await retryDelivery(admin, delivery.id)
  expect(await settled(admin, id, 'SUCCEEDED')).toMatchObject({ id: delivery.id })
  expect(receiver.got).toHaveLength(got + 1)
}, 60_000)

test('a delivery that alone fails ends alone: the webhook through which others come stays on', async () => {
  receiver.manner = (response, { body }) =>
    response.writeHead(body.includes('role.created') ? 500 : 200).end()
  const { id } = await createWebhook(admin, receiver.url, ['role.*'])
  const role = await act(admin)
  await settled(admin, id, 'PENDING')
  await later(2.5)
  await admin.ask(`mutation ($id: ID!) { deleteRole(id: $id) { deletedId } }`, { id: role })
  const count = async (status: string) => (await deliveriesOf(admin, id, { status })).length
  await attemptAgain(async () => (await count('SUCCEEDED')) === 1)
  await later(0.6)
  await attemptAgain(async () => (await count('PENDING')) === 0)
  const kinds = (await deliveriesOf(admin, id)).map(({ status, topic }) => [topic.name, status])
  expect(kinds).toEqual([
    ['role.deleted', 'SUCCEEDED'],
    ['role.created', 'FAILED'],
  ])
  expect(await readWebhook(admin, id)).toMatchObject({ enabled: true })
  expect(await mailOf(admin)).toEqual([])
}, 60_000)

test('a receiver that says it is gone is believed at once, and the mail is in the language of its reader', async () => {
  receiver.manner = 410
  await admin.ask(`mutation { updateProfile(input: { locale: "de" }) { user { locale } } }`)
  const { id } = await createWebhook(admin, receiver.url, ['role.created'])
  await act(admin)
  await until(async () => !(await readWebhook(admin, id)).enabled)
  expect((await deliveriesOf(admin, id))[0]).toMatchObject({
    status: 'FAILED',
    responseStatus: 410,
  })
  await until(async () => (await mailOf(admin)).length > 0)
  expect((await mailOf(admin))[0]!.subject).toMatch(/^Ein Webhook von .+ wurde abgeschaltet$/)
})

test('of a machine’s webhook nobody is told by mail, and the trail says it all the same', async () => {
  receiver.manner = 410
  const machine = await createServiceAccount(admin, ['manageIntegration'])
  const { secret } = await createKey(admin, machine, ['manageIntegration'])
  const { createWebhook: made } = await askBy(
    admin,
    secret,
    `mutation ($url: URL!) { createWebhook(input: { url: $url, topics: ["role.created"] }) { webhook { id } } }`,
    { url: receiver.url },
  )
  await act(admin)
  await until(async () => !(await readWebhook(admin, made.webhook.id)).enabled)
  expect(await mailOf(admin)).toEqual([])
})

test('what waits when a webhook is switched off or deleted is attempted no more', async () => {
  const off = await createWebhook(admin, receiver.url, ['role.created'])
  await act(admin)
  const { attempts } = await settled(admin, off.id, 'PENDING')
  await updateWebhook(admin, off.id, { enabled: false })
  await attemptAgain(async () => (await deliveriesOf(admin, off.id))[0].status === 'FAILED')
  expect((await deliveriesOf(admin, off.id))[0].attempts).toBe(attempts)
})
