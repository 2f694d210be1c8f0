import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { onPostgres } from '../support/database.ts'
import { freshEmail } from '../support/people.ts'
import { PostOffice } from '../outbox/post-office.ts'
import { freePort, until } from '../support/waiting.ts'
import { addMember, query, signIn, tokenOf } from './asking.ts'
import { Cluster } from './cluster.ts'
import { NodeProcess } from './node-process.ts'

let cluster: Cluster | undefined
const nodes: NodeProcess[] = []
const folders: string[] = []

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

/** Where a server keeps its data: in a fresh database, or in a folder for PGlite. */
async function fresh(name: string): Promise<Record<string, string>> {
  if (cluster) return { DATABASE_URL: await cluster.database(name) }
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-stop-'))
  folders.push(folder)
  return { DATA_DIR: folder }
}

async function start(settings: Record<string, string>): Promise<NodeProcess> {
  const node = await NodeProcess.start(settings)
  nodes.push(node)
  return node
}

/** Whether a new connection is taken. */
const takesConnections = (url: string): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.once('connect', () => resolve(socket.destroy() !== undefined))
    socket.once('error', () => resolve(false))
  })

test('a request under way is finished within the ten seconds of a stop, while nobody new is let in', async () => {
  const node = await start({
    ...(await fresh('slow')),
    ARGON2_MEMORY_KIB: '131072',
    ARGON2_TIME: '24',
    ARGON2_CONCURRENCY: '1',
  })
  // the first one prepares the decoy as well
  await signIn(node.url)
  const slow = signIn(node.url)
  let answered = false
  void slow.then(() => (answered = true))
  await sleep(150)
  expect(answered).toBe(false)

  const begun = Date.now()
  node.signal('SIGTERM')
  await until(async () => !(await takesConnections(node.url)), 5_000)
  expect(answered).toBe(false)
  expect((await slow).data.signIn.accessToken).toBeTruthy()
  const finished = Date.now()
  expect(await node.ended()).toBe(0)
  expect(Date.now() - finished).toBeLessThan(4_000)
  expect(Date.now() - begun).toBeLessThan(10_000)
}, 90_000)

test('a stop ends at once where nothing is under way, though clients keep their connections', async () => {
  const node = await start(await fresh('idle'))
  await Promise.all(Array.from({ length: 10 }, () => query(node.url, '{ __typename }')))
  const begun = Date.now()
  node.signal('SIGTERM')
  expect(await node.ended()).toBe(0)
  expect(Date.now() - begun).toBeLessThan(3_000)
}, 60_000)

test('mail that was written before a stop, or before the power failed, is delivered after the next start', async () => {
  const office = new PostOffice(await freePort())
  const settings = { ...(await fresh('mail')), SMTP_URL: office.url }
  const first = await start(settings)
  const beforeStop = freshEmail('stop')
  expect((await addMember(first.url, await tokenOf(first.url), beforeStop)).error).toBeUndefined()
  first.signal('SIGTERM')
  expect(await first.ended()).toBe(0)

  const second = await start(settings)
  const beforeCrash = freshEmail('crash')
  expect(
    (await addMember(second.url, await tokenOf(second.url), beforeCrash)).error,
  ).toBeUndefined()
  await until(() => second.output.includes('a mail was not delivered yet'))
  await second.kill()

  await office.open()
  try {
    await start(settings)
    await office.lettersTo(beforeStop, 1, 60_000)
    await office.lettersTo(beforeCrash, 1, 60_000)
  } finally {
    await office.close()
  }
}, 150_000)

test('a mail server that hangs does not keep the server from stopping in time', async () => {
  const office = new PostOffice(await freePort())
  office.onRecipient = () => 'hang'
  await office.open()
  try {
    const node = await start({ ...(await fresh('hanging')), SMTP_URL: office.url })
    const email = freshEmail('hang')
    await addMember(node.url, await tokenOf(node.url), email)
    await until(() => office.asked.includes(email))
    const begun = Date.now()
    node.signal('SIGINT')
    expect(await node.ended()).toBe(0)
    expect(Date.now() - begun).toBeLessThan(10_000)
  } finally {
    await office.close()
  }
}, 60_000)
