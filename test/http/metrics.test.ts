import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { statementLabel } from '../../src/shared/metrics.ts'
import { newId } from '../../src/shared/tokens.ts'
import { bringWith } from '../credentials/keys.ts'
import { challenge, enrol } from '../support/authenticator.ts'
import { post } from '../support/client.ts'
import { onPostgres } from '../support/database.ts'
import { organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const TOKEN = 'a token for the scraper of the tests'
const DASHBOARD = new URL('../../example/grafana-dashboard.json', import.meta.url)

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { METRICS_TOKEN: TOKEN } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const scrape = (token: string | null = TOKEN, url = server.url) =>
  fetch(`${url}/metrics`, { headers: token ? { authorization: `Bearer ${token}` } : {} })
const read = async (): Promise<string> => (await scrape()).text()

/** The value of one series; 0 where there is none. */
async function value(series: string): Promise<number> {
  const line = (await read()).split('\n').find(each => each.startsWith(`${series} `))
  return Number(line?.split(' ').at(-1) ?? 0)
}

/** How much a series grows by a step. */
async function growth(series: string, step: () => Promise<unknown>): Promise<number> {
  const before = await value(series)
  await step().catch(() => undefined)
  return (await value(series)) - before
}

describe('who may read', () => {
  test('is whoever brings the token, and nobody else', async () => {
    const answer = await scrape()
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    for (const wrong of [null, 'x', `${TOKEN}x`, admin.accessToken]) {
      const refused = await scrape(wrong)
      expect(refused.status).toBe(401)
      expect(await refused.text()).not.toContain('gatehouse_')
    }
  })

  test('is this machine where no token is set', async () => {
    const open = await startServer()
    expect((await scrape(null, open.url)).status).toBe(200)
    await open.stop()
  })

  test.runIf(onPostgres())('is nobody where production sets no token', async () => {
    const shut = await startServer({
      settings: {
        NODE_ENV: 'production',
        PUBLIC_URL: 'https://id.example.com',
        SMTP_URL: 'smtp://localhost',
      },
    })
    expect((await scrape(null, shut.url)).status).toBe(404)
    await shut.stop()
  })
})

test('sign-ins are counted by what came of them', async () => {
  const outcome = (name: string) => `gatehouse_sign_ins_total{outcome="${name}"}`
  const person = await bringWith(admin, [])
  const wrong = () => signIn(server, person.email, 'a wrong guess at the password')
  expect(await growth(outcome('succeeded'), () => signIn(server, person.email))).toBe(1)
  expect(await growth(outcome('refused'), wrong)).toBe(1)
  const aliased = `mutation ($input: SignInInput!) { mine: signIn(input: $input) { __typename } }`
  const input = { email: person.email, password: 'another wrong guess' }
  expect(
    await growth(outcome('refused'), () =>
      post(server.url, JSON.stringify({ query: aliased, variables: { input } })),
    ),
  ).toBe(1)
  // however the field is reached, and by whatever name
  for (const query of [
    `mutation ($input: SignInInput!) { ... on Mutation { signIn(input: $input) { __typename } } }`,
    `mutation ($input: SignInInput!) { ...Way } fragment Way on Mutation { ...In }
     fragment In on Mutation { mine: signIn(input: $input) { __typename } }`,
  ])
    expect(
      await growth(outcome('refused'), () =>
        post(server.url, JSON.stringify({ query, variables: { input } })),
      ),
    ).toBe(1)
  const other = `mutation ($id: ID!) { signIn: lockMember(id: $id) { member { id } } }`
  expect(
    await growth(outcome('refused'), () =>
      post(server.url, JSON.stringify({ query: other, variables: { id: newId() } })),
    ),
  ).toBe(0)
  for (let guess = 0; guess < 2; guess += 1) await wrong().catch(() => undefined)
  expect(await growth(outcome('delayed'), wrong)).toBe(1)
  const strong = await bringWith(admin, [])
  await enrol(strong)
  expect(await growth(outcome('challenged'), () => challenge(server, strong.email))).toBe(1)
})

test('refusals are counted by code and reason, those before GraphQL too', async () => {
  const count = (code: string, reason: string) =>
    `gatehouse_refusals_total{code="${code}",reason="${reason}"}`
  const ask = (query: string, headers = {}) => post(server.url, JSON.stringify({ query }), headers)
  const lock = `mutation { lockMember(id: "${newId()}") { member { id } } }`
  expect(await growth(count('UNAUTHENTICATED', 'CREDENTIALS_INVALID'), () => ask(lock))).toBe(1)
  expect(await growth(count('NOT_FOUND', ''), () => admin.ask(lock))).toBe(1)
  expect(
    await growth(count('UNAUTHENTICATED', 'SESSION_ENDED'), () =>
      ask(lock, { authorization: 'Bearer nonsense' }),
    ),
  ).toBe(1)
  expect(await growth(count('GRAPHQL_PARSE_FAILED', ''), () => ask('{'))).toBe(1)
})

test('requests, operations and statements are timed under names of ours', async () => {
  const tag = `tag${Date.now()}`
  await admin.ask(`query ${tag} { ${tag}: viewer { permissions { name } } }`)
  await fetch(`${server.url}/${tag}?${tag}=${tag}`)
  const text = await read()
  expect(text).toContain(
    'gatehouse_http_request_duration_seconds_count{route="/graphql",status="200"}',
  )
  expect(text).toContain('gatehouse_http_request_duration_seconds_count{route="none",status="404"}')
  expect(text).toContain(
    'gatehouse_graphql_operation_duration_seconds_count{kind="query",field="viewer"}',
  )
  expect(text).toContain(
    'gatehouse_database_statement_duration_seconds_count{statement="insert event"}',
  )
  expect(text).not.toContain(tag)
  const before = text.split('\n').length
  for (let count = 0; count < 30; count += 1) {
    await admin.ask(
      `query q${count} { a${count}: organisation { members(search: "s${count}") { totalCount } } }`,
    )
    await fetch(`${server.url}/nothing/${count}`)
  }
  // nothing a caller chooses makes a series
  expect((await read()).split('\n').length - before).toBeLessThan(60)
})

test('an operation is told by its first field, also where a fragment holds it', async () => {
  const series = (field: string) =>
    `gatehouse_graphql_operation_duration_seconds_count{kind="query",field="${field}"}`
  for (const query of [
    `query { ... on Query { mine: organisation { id } } }`,
    `query { ...Page } fragment Page on Query { ...Top } fragment Top on Query { organisation { id } viewer { operator } }`,
  ]) {
    expect(await growth(series('organisation'), () => admin.ask(query))).toBe(1)
    expect(await growth(series('other'), () => admin.ask(query))).toBe(0)
  }
})

test.each([
  ['select m.id from principal m where m.id = $1', 'select principal'],
  ['  update session s set x = 1 from unnest($1) n', 'update session'],
  [
    'with given as (select 1 from jsonb_to_recordset($1)) insert into event select 1',
    'insert event',
  ],
  ['delete from link where id = $1', 'delete link'],
  [
    'select found.* from unnest($1::uuid[]) as wanted (id) cross join lateral (select 1 from api_key k) f',
    'select api_key',
  ],
  ['select id from principal where id = $1 for no key update', 'select principal'],
  [
    'select s.id, (select array_agg(p.name) from permission p) as own from session s join x on true',
    'select session',
  ],
  ['select m.id from principal m order by m.id for update of m', 'select principal'],
  ['savepoint step', 'select'],
])('a statement goes by what it does to which table: %s', (text, label) => {
  expect(statementLabel(text)).toBe(label)
})

test('queues tell what waits and for how long, hashes and pools how busy they are', async () => {
  const later = 'gatehouse_queue_jobs{queue="mail-request",state="later"}'
  expect(
    await growth(later, () =>
      server.database.owner(
        `insert into pgboss.job (name, data, start_after) values ('mail-request', '{}', now() + interval '1 day')`,
      ),
    ),
  ).toBe(1)
  const text = await read()
  expect(text).toMatch(/gatehouse_queue_oldest_due_seconds\{queue="mail"\} \d/)
  expect(text).toContain('gatehouse_queue_jobs{queue="webhook-delivery",state="later"} 0')
  expect(text).toContain('gatehouse_password_hashes{state="waiting"} 0')
  expect(text).toContain('gatehouse_database_up 1')
  expect(text).toContain('process_cpu_seconds_total')
  if (onPostgres())
    expect(text).toMatch(/gatehouse_database_connections\{pool="system",state="idle"\} \d/)
})

test('the dashboard asks for nothing that is not told', async () => {
  const told = new Set(
    [...(await read()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  )
  const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8'))
  const asked: string[] = dashboard.panels.flatMap((panel: any) =>
    (panel.targets ?? []).map((target: any) => String(target.expr)),
  )
  expect(asked.length).toBeGreaterThan(10)
  for (const expression of asked) {
    const names = expression.match(/\b(?:gatehouse|process|nodejs)_\w+/g) ?? []
    expect(names.length, expression).toBeGreaterThan(0)
    for (const name of names) expect(told, expression).toContain(name)
  }
})
