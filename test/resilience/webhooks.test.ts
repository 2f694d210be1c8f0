import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { opened, Receiver } from '../operations/receiver.ts'
import { onPostgres } from '../support/database.ts'
import { query, tokenOf } from './asking.ts'
import { Cluster } from './cluster.ts'
import { NodeProcess } from './node-process.ts'

let cluster: Cluster | undefined
let folder: string
let receiver: Receiver
const nodes: NodeProcess[] = []

beforeAll(async () => {
  cluster = onPostgres() ? await Cluster.start() : undefined
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-webhooks-'))
})
beforeEach(async () => {
  receiver = await Receiver.open()
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.kill()
  await receiver.close()
})
afterAll(async () => {
  await cluster?.remove()
  rmSync(folder, { recursive: true, force: true })
})

async function start(settings: Record<string, string>): Promise<NodeProcess> {
  const node = await NodeProcess.start({ WEBHOOK_ALLOW_PRIVATE: 'on', ...settings })
  nodes.push(node)
  return node
}

/** Where servers keep their data one after the other. */
const place = async (name: string): Promise<Record<string, string>> =>
  cluster ? { DATABASE_URL: await cluster.database(name) } : { DATA_DIR: folder }

async function subscribe(node: NodeProcess, token: string): Promise<string> {
  const { data } = await query(
    node.url,
    `mutation { createWebhook(input: { url: "${receiver.url}", topics: ["role.created"] }) { secret } }`,
    {},
    token,
  )
  return data.createWebhook.secret
}

const createRole = (node: NodeProcess, token: string, name: string) =>
  query(
    node.url,
    `mutation { createRole(input: { name: "${name}", level: ORGANISATION, permissions: [] }) { role { id } } }`,
    {},
    token,
  )

test('a node that is killed while it posts, or before, leaves a delivery that the next one makes, under the same id', async () => {
  const settings = await place('killed')
  const first = await start(settings)
  const token = await tokenOf(first.url)
  const secret = await subscribe(first, token)
  // it has come, and nobody is told so before the node dies
  receiver.manner = () => undefined
  await createRole(first, token, 'During')
  await receiver.received(1)
  await first.kill()

  const second = await start(settings)
  receiver.manner = 204
  // killed at once: nothing but the commit came before
  await createRole(second, await tokenOf(second.url), 'Before')
  await second.kill()

  await start(settings)
  const wanted = new Set(['During', 'Before'])
  const payloads = () => receiver.got.map(each => opened(secret, each))
  const end = Date.now() + 90_000
  const arrived = () => new Set(payloads().map(({ data }) => data.target.name))
  while (arrived().size < wanted.size || receiver.got.length < 3) {
    if (Date.now() > end) throw new Error(`only ${receiver.got.length} came`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  expect(arrived()).toEqual(wanted)
  for (const name of wanted) {
    const some = receiver.got.filter((_each, index) => payloads()[index].data.target.name === name)
    expect(new Set(some.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(some.length).toBeLessThanOrEqual(2)
  }
}, 180_000)
