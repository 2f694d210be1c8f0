import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { onPostgres } from '../support/database.ts'
import { freePort } from '../support/waiting.ts'
import { query, signIn, tokenOf } from './asking.ts'
import { Cluster, needsPostgres } from './cluster.ts'
import { NodeProcess } from './node-process.ts'

const MIGRATE = 'src/migrate.ts'
let cluster: Cluster
/** One whose administrator has prepared nothing. */
let bare: Cluster

beforeAll(async () => {
  if (!onPostgres()) return
  cluster = await Cluster.start()
  bare = await Cluster.start({ prepared: false })
})
beforeEach(needsPostgres)
afterAll(async () => {
  await cluster?.remove()
  await bare?.remove()
})

const count = async (table: string, database: string) =>
  Number((await cluster.admin(`select count(*) from ${table}`, database))[0]!.count)

test('nodes that start at once on an empty database migrate it once and make one operator and one organisation', async () => {
  const settings = {
    DATABASE_URL: await cluster.database('together'),
    PUBLIC_URL: 'https://gatehouse.test',
  }
  const nodes = await Promise.all([1, 2, 3].map(() => NodeProcess.spawn(settings)))
  try {
    await Promise.all(nodes.map(node => node.ready(60_000)))
    expect(await count('user_account', 'together')).toBe(1)
    expect(await count('organisation', 'together')).toBe(1)
    expect(await count('platform_settings', 'together')).toBe(1)
    const applied = await cluster.admin('select name from mikro_orm_migrations', 'together')
    expect(new Set(applied.map(row => row.name)).size).toBe(applied.length)
    // whichever signs, all of them verify
    for (const signer of nodes) {
      const token = await tokenOf(signer.url)
      for (const { url } of nodes)
        expect((await query(url, '{ viewer { operator } }', {}, token)).data.viewer.operator).toBe(
          true,
        )
    }
    const told = nodes.filter(node => node.output.includes('First operator'))
    expect(told).toHaveLength(1)
  } finally {
    await Promise.all(nodes.map(node => node.kill()))
  }
}, 120_000)

test('a password that was made for the first operator is told once, by the node that made it, and is the one that holds', async () => {
  const settings = { DATABASE_URL: await cluster.database('told'), OPERATOR_PASSWORD: '' }
  const nodes = await Promise.all([1, 2].map(() => NodeProcess.spawn(settings)))
  try {
    await Promise.all(nodes.map(node => node.ready(60_000)))
    const passwords = nodes.flatMap(node =>
      [...node.output.matchAll(/Password: +(\S+)/g)].map(match => match[1]),
    )
    expect(passwords).toHaveLength(1)
    const { data } = await query(
      nodes[0]!.url,
      `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { user { email } } } }`,
      { input: { email: 'operator@localhost.test', password: passwords[0] } },
    )
    expect(data.signIn.user.email).toBe('operator@localhost.test')
  } finally {
    await Promise.all(nodes.map(node => node.kill()))
  }
}, 120_000)

test('a password that was made is told even where the server then cannot listen', async () => {
  const settings = { DATABASE_URL: await cluster.database('taken'), OPERATOR_PASSWORD: '' }
  const other = createServer()
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  const run = await NodeProcess.spawn({ ...settings, PORT: String(port) })
  expect(await run.ended()).toBe(1)
  other.close()
  expect(run.output).toMatch(/Password: +\S+/)
  expect(run.output).toContain('EADDRINUSE')
  expect(run.output).not.toMatch(/^\s+at /m)
}, 60_000)

test('`npm run migrate` brings an empty database up to date, several at once and again', async () => {
  const settings = { DATABASE_URL: await cluster.database('migrated') }
  const runs = await Promise.all([1, 2, 3].map(() => NodeProcess.spawn(settings, MIGRATE)))
  expect(await Promise.all(runs.map(run => run.ended()))).toEqual([0, 0, 0])
  for (const run of runs) expect(run.output).toContain('The database is up to date.')
  const again = await NodeProcess.spawn(settings, MIGRATE)
  expect(await again.ended()).toBe(0)
  expect(await count('user_account', 'migrated')).toBe(0)
  const node = await NodeProcess.start(settings)
  expect((await signIn(node.url)).data.signIn.accessToken).toBeTruthy()
  await node.kill()
}, 120_000)

test('a user who may not create the roles is told what their administrator must do', async () => {
  const settings = { DATABASE_URL: await bare.database('unprepared') }
  for (const program of [MIGRATE, 'src/main.ts']) {
    const run = await NodeProcess.spawn(settings, program)
    expect(await run.ended()).toBe(1)
    expect(run.output).toContain(
      'The role gatehouse_tenant is missing and gatehouse may not create it.',
    )
    expect(run.output).toContain('README')
    // for people: no statement, no stack
    expect(run.output).not.toMatch(/do \$do\$|^\s+at /m)
  }
  const tables = await bare.admin(
    `select from information_schema.tables where table_schema in ('public', 'pgboss') and table_name <> 'mikro_orm_migrations'`,
    'unprepared',
  )
  expect(tables).toEqual([])
}, 60_000)

test('a user who may create roles needs no administrator', async () => {
  await bare.admin('alter role gatehouse createrole')
  const node = await NodeProcess.start({ DATABASE_URL: await bare.database('able') })
  expect((await signIn(node.url)).data.signIn.accessToken).toBeTruthy()
  await node.kill()
}, 60_000)

test('a database that is not there is named, without its password', async () => {
  const url = `postgres://gatehouse:hunter2@127.0.0.1:${await freePort()}/nowhere`
  const run = await NodeProcess.spawn({ DATABASE_URL: url })
  expect(await run.ended()).toBe(1)
  expect(run.output).toContain('ECONNREFUSED')
  expect(run.output).not.toContain('hunter2')
  expect(run.output).not.toMatch(/^\s+at /m)
}, 60_000)
