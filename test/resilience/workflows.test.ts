import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Receiver } from '../operations/receiver.ts'
import { onPostgres } from '../support/database.ts'
import { until } from '../support/waiting.ts'
import { query, tokenOf } from './asking.ts'
import { Cluster, needsPostgres } from './cluster.ts'
import { NodeProcess } from './node-process.ts'

let cluster: Cluster | undefined
const folders: string[] = []
const nodes: NodeProcess[] = []

beforeAll(async () => {
  cluster = onPostgres() ? await Cluster.start() : undefined
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.kill()
})
afterAll(async () => {
  await cluster?.remove()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function start(settings: Record<string, string>): Promise<NodeProcess> {
  const node = await NodeProcess.spawn({ WEBHOOK_ALLOW_PRIVATE: 'on', ...settings })
  nodes.push(node)
  await node.ready(120_000)
  return node
}

/** Where servers keep their data one after the other. */
async function place(name: string): Promise<Record<string, string>> {
  if (cluster) return { DATABASE_URL: await cluster.database(name) }
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-workflows-'))
  folders.push(folder)
  return { DATA_DIR: folder }
}

// a caller has so many requests a minute
const EVERY_MS = 250
const tokens = new Map<NodeProcess, string>()

async function told(node: NodeProcess, text: string, variables: object = {}): Promise<any> {
  const token = tokens.get(node) ?? (await tokenOf(node.url))
  tokens.set(node, token)
  const { data, error } = await query(node.url, text, variables, token)
  if (error) throw new Error(JSON.stringify(error))
  return data
}

/** A workflow of ten calls, set off whenever a role is made. */
async function define(node: NodeProcess, receiver: Receiver): Promise<string> {
  const { createWebhook } = await told(
    node,
    `mutation { createWebhook(input: { url: "${receiver.url}", topics: ["project.deleted"] }) { webhook { id } } }`,
  )
  const steps = Array.from({ length: 10 }, () => ({
    callWebhook: { webhookId: createWebhook.webhook.id },
  }))
  const { createWorkflow } = await told(
    node,
    `mutation ($steps: [WorkflowStepInput!]!) {
      createWorkflow(input: { name: "Ten", trigger: "role.created", steps: $steps }) { workflow { id } } }`,
    { steps },
  )
  return createWorkflow.workflow.id
}

const createRole = (node: NodeProcess, name: string) =>
  told(
    node,
    `mutation { createRole(input: { name: "${name}", level: ORGANISATION, permissions: [] }) { role { id } } }`,
  )

const runs = async (node: NodeProcess, id: string): Promise<string[]> =>
  (
    await told(
      node,
      `query ($id: ID!) { organisation { workflow(id: $id) { runs { nodes { status } } } } }`,
      { id },
    )
  ).organisation.workflow.runs.nodes.map(({ status }: { status: string }) => status)

test('a node that is killed again and again amid runs loses no step and repeats none', async () => {
  const receiver = await Receiver.open()
  const settings = await place('killed')
  let node = await start(settings)
  const id = await define(node, receiver)
  for (let round = 0; round < 3; round += 1) {
    await createRole(node, `Role ${round}`)
    await until(() => receiver.got.length > round * 10, 60_000)
    await node.kill()
    node = await start(settings)
  }
  await until(
    async () => {
      const all = await runs(node, id)
      return all.length === 3 && all.every(status => status === 'SUCCEEDED')
    },
    120_000,
    EVERY_MS,
  )
  const ids = () => new Set(receiver.got.map(({ headers }) => headers['webhook-id']))
  await until(() => ids().size >= 30, 90_000)
  await new Promise(resolve => setTimeout(resolve, 3_000))
  expect(ids().size).toBe(30)
  await receiver.close()
}, 300_000)

test('a wait goes on while no server runs', async () => {
  const settings = await place('waiting')
  const first = await start(settings)
  const { createWorkflow } = await told(
    first,
    `mutation { createWorkflow(input: { name: "Later", trigger: "role.created", steps: [{ wait: { minutes: 1 } }] }) { workflow { id } } }`,
  )
  const { id } = createWorkflow.workflow
  await createRole(first, 'Sets it off')
  await until(async () => (await runs(first, id))[0] === 'RUNNING', 60_000, EVERY_MS)
  await first.kill()
  const second = await start(settings)
  expect(await runs(second, id)).toEqual(['RUNNING'])
  await until(async () => (await runs(second, id))[0] === 'SUCCEEDED', 120_000, EVERY_MS)
}, 240_000)

test('two nodes, one of which is killed, take each step once', async context => {
  needsPostgres(context)
  const receiver = await Receiver.open()
  const settings = await place('two')
  const [first, second] = [await start(settings), await start(settings)]
  const id = await define(first, receiver)
  for (let round = 0; round < 4; round += 1) await createRole(second, `Role ${round}`)
  await until(() => receiver.got.length > 5, 60_000)
  await first.kill()
  await until(
    async () => (await runs(second, id)).filter(status => status === 'SUCCEEDED').length === 4,
    120_000,
    EVERY_MS,
  )
  const ids = () => new Set(receiver.got.map(({ headers }) => headers['webhook-id']))
  await until(() => ids().size >= 40, 90_000)
  await new Promise(resolve => setTimeout(resolve, 3_000))
  expect(ids().size).toBe(40)
  await receiver.close()
}, 300_000)
