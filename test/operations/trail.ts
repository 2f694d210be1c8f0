import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { sealEvents } from '../../src/operations/audit/seal.ts'
import { NodeProcess } from '../resilience/node-process.ts'
import type { Person } from '../support/people.ts'
import type { TestServer } from '../support/server.ts'

const TABLES = ['event', 'event_person', 'event_seal', 'event_chain', 'event_unsealed']

/** Does what nobody may, as whoever has the database in their hands: past the policies, which bind the owner too. */
export async function tamper(
  { database }: TestServer,
  text: string,
  values: unknown[] = [],
): Promise<void> {
  const { url } = database.options
  if (!url) return void (await database.owner(text, values))
  const client = new Client({ connectionString: url })
  await client.connect()
  const force = (word: string) =>
    client.query(TABLES.map(table => `alter table ${table} ${word} row level security`).join(';'))
  await force('no force')
  await client.query(text, values)
  await force('force')
  await client.end()
}

/** Runs `npm run audit:verify` as a process of its own; the embedded database is copied, for it takes one at a time. */
export async function verify({ database, app }: TestServer, ...more: string[]) {
  const { url, pglite } = database.options
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-verify-'))
  if (pglite) {
    const packed = await pglite.dumpDataDir('none')
    mkdirSync(join(folder, 'pglite'))
    writeFileSync(join(folder, 'packed.tar'), Buffer.from(await packed.arrayBuffer()))
    const tar = spawn('tar', ['-xf', join(folder, 'packed.tar'), '-C', join(folder, 'pglite')])
    await once(tar, 'close')
  }
  const settings = { ...(url && { DATABASE_URL: url }), DATA_DIR: folder }
  const tool = await NodeProcess.spawn(
    { ...settings, SECRET_KEY: app.node.server.config.SECRET_KEY[0]!.toString('base64') },
    'src/audit-verify.ts',
    ...more,
  )
  const status = await tool.ended()
  rmSync(folder, { recursive: true, force: true })
  return { status, output: tool.output }
}

/** Seals what is there, as the node does every minute by itself. */
export const sealNow = ({ app: { node }, clock }: TestServer): Promise<void> =>
  sealEvents({
    store: node.database.store,
    server: node.server,
    now: clock.now,
    signal: new AbortController().signal,
    onSealed: () => undefined,
  })

/** Acts that leave an event each. */
export async function act(by: Person, count: number): Promise<void> {
  for (let n = 0; n < count; n++)
    await by.ask(
      `mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }`,
      { name: `Project ${n} ${Math.random()}` },
    )
}

/** The seals of an organisation, in order. */
export const sealsOf = (server: TestServer, chain: string) =>
  server.database.owner(
    `select number, events::text[] as events, digest from event_seal where chain = $1 order by number`,
    [chain],
  ) as Promise<{ number: number; events: string[]; digest: string }[]>
