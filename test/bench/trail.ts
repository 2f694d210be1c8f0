import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Request } from 'autocannon'
import type { Client } from 'pg'
import type { Caller } from './callers.ts'
import type { Cluster } from './cluster.ts'
import { run, type Figures, type Scenario } from './load.ts'
import type { ServerProcess } from './processes.ts'
import { resultTable, type Line } from './report.ts'

const CONNECTIONS = 16
const WEBHOOKS = 10
/** As many as one call takes. */
const BULK = 500

const AUDIT = `query ($filter: AuditEventFilter) { organisation { auditEvents(first: 50, filter: $filter) {
  nodes { id topic { name } occurredAt actor { name } target { id name } changes { field } ipAddress } pageInfo { endCursor } } } }`
const CREATE = `mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }`
const CHANGE = `mutation ($rows: [UpdateMemberRow!]!) { updateMembers(rows: $rows) { results { index } } }`
const SUBSCRIBE = `mutation ($url: URL!) { createWebhook(input: { url: $url, topics: ["project.created"] }) { webhook { id } } }`

export interface TrailOptions {
  cluster: Cluster
  /** Lets webhooks go to private addresses. */
  server: ServerProcess
  people: Caller[]
  /** How many events the larger trail holds. */
  events: number
  warmUpSeconds: number
  seconds: number
}

interface Answer {
  errors?: unknown
  data?: Record<string, any>
}
const fine = (body: unknown): boolean => (body as Answer).errors === undefined

const graphql = (
  { server, people }: TrailOptions,
  name: string,
  more: Pick<Scenario, 'body' | 'requests' | 'sound'>,
): Scenario => ({
  name,
  server,
  connections: CONNECTIONS,
  method: 'POST',
  path: '/graphql',
  headers: n => ({ authorization: `Bearer ${people[n % people.length]!.token}` }),
  ...more,
})

const page = (options: TrailOptions, what: string, filter: object): Scenario =>
  graphql(options, `\`auditEvents(first: 50)\`, ${what}`, {
    body: JSON.stringify({ query: AUDIT, variables: { filter } }),
    sound: body =>
      fine(body) && (body as Answer).data?.organisation.auditEvents.nodes.length === 50,
  })

const each = (body: () => string): (() => Promise<Request[]>) => {
  return async () => [{ method: 'POST', setupRequest: request => ({ ...request, body: body() }) }]
}

let made = 0
/** A mutation of one row and one event. */
const mutation = (options: TrailOptions, name: string): Scenario =>
  graphql(options, name, {
    requests: each(() =>
      JSON.stringify({
        query: CREATE,
        variables: { name: `Project ${process.pid} ${(made += 1)}` },
      }),
    ),
    sound: fine,
  })

/** Events by the hundred, in one call each. */
async function bulk(options: TrailOptions): Promise<Scenario> {
  const { rows: members } = await options.cluster.admin.query<{ id: string }>(
    `select m.id from principal m join role r on r.id = m.role_id
     where r.name = 'Member' and m.kind = 'MEMBER' and m.organisation_id = (select organisation_id from principal where id = $1)
     order by m.id limit $2`,
    [await ownMember(options), BULK * 8],
  )
  const groups = Array.from({ length: Math.floor(members.length / BULK) }, (_, n) =>
    members.slice(n * BULK, (n + 1) * BULK).map(({ id }) => id),
  )
  let turn = 0
  const scenario = graphql(options, `${BULK} events in one call`, {
    // another value each time, so that every call changes all of its own
    requests: each(() => {
      const n = turn++
      const rows = groups[n % groups.length]!.map(id => ({
        id,
        input: { externalId: `E${n}-${id}` },
      }))
      return JSON.stringify({ query: CHANGE, variables: { rows } })
    }),
    sound: fine,
  })
  return { ...scenario, connections: 2 }
}

async function ask(
  { server, people }: TrailOptions,
  query: string,
  variables: object,
): Promise<any> {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${people[0]!.token}` },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = (await response.json()) as Answer
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

const ownMember = async (options: TrailOptions): Promise<string> =>
  (await ask(options, '{ viewer { principal { id } } }', {})).viewer.principal.id

/** Fills the callers' organisation up to so many events, spread over a year. */
async function fillTrail(admin: Client, memberId: string, count: number): Promise<void> {
  await admin.query(`select app_make_event_months(now() - interval '12 months', now())`)
  const { rows } = await admin.query<{ missing: number }>(
    `select $2::int - count(*)::int as missing from event
     where organisation_id = (select organisation_id from principal where id = $1)`,
    [memberId, count],
  )
  const missing = Math.max(0, rows[0]!.missing)
  const fill = () => insertEvents(admin, memberId, missing)
  // sorted at once, millions of entries take a fraction of what they take one by one
  await (missing < 100_000 ? fill() : withoutIndexes(admin, fill))
  await admin.query('vacuum analyze event, event_person')
}

const insertEvents = (admin: Client, memberId: string, count: number) =>
  admin.query(
    `with made as (
       insert into event (id, organisation_id, topic, occurred_at, outcome, actor_kind, actor_id, target_kind, target_id, changes, actor_commitment)
       select (left(replace(app_id_at(at)::text, '-', ''), 12) || '7' || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
         p.organisation_id, (array['member.locked', 'role.created', 'member.added', 'session.started'])[1 + n % 4], at, 'SUCCEEDED', 'MEMBER', p.id,
         'Member', case when n % 100 = 0 then p.id else gen_random_uuid() end, '[]', 'x'
       from principal p, (select n, now() - n * (interval '360 days' / greatest($2::int, 1)) as at from generate_series(1, $2::int) n) x
       where p.id = $1 returning id, organisation_id)
     insert into event_person (id, organisation_id, actor_salt, actor_name) select id, organisation_id, 'x', 'Ann Lee' from made`,
    [memberId, count],
  )

async function withoutIndexes(admin: Client, step: () => Promise<unknown>): Promise<void> {
  const { rows } = await admin.query<{ name: string; definition: string }>(
    `select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
     where indrelid = 'event'::regclass and not indisprimary`,
  )
  for (const { name } of rows) await admin.query(`drop index ${name}`)
  await step()
  await admin.query(`set maintenance_work_mem = '1GB'`)
  for (const { definition } of rows)
    // it is told as being of this table only
    await admin.query(definition.replace(' ON ONLY ', ' ON '))
}

/** What the trail costs: pages of it, however long it is; events appended; and acts that webhooks wait for. */
export async function tellTrail(options: TrailOptions): Promise<void> {
  const { cluster, warmUpSeconds, seconds } = options
  const lines: Line[] = []
  const measure = async (scenario: Scenario): Promise<Figures> => {
    await run(cluster, scenario, warmUpSeconds)
    // as the database does by itself within a minute of such changes
    await cluster.admin.query('analyze')
    const figures = await run(cluster, scenario, seconds)
    lines.push({ name: scenario.name, connections: scenario.connections, figures })
    process.stderr.write('.')
    return figures
  }
  const memberId = await ownMember(options)
  for (const events of [10_000, options.events]) {
    await fillTrail(cluster.admin, memberId, events)
    const among = `among ${events.toLocaleString('en')}`
    await measure(page(options, among, {}))
    await measure(page(options, `of two topics ${among}`, { topics: ['role.*', 'member.locked'] }))
    await measure(page(options, `about one member ${among}`, { targetIds: [memberId] }))
    const to = new Date(Date.now() - 180 * 86_400_000)
    await measure(page(options, `half a year ago ${among}`, { occurredAt: { to } }))
  }
  await measure(mutation(options, 'a mutation with its event'))
  const appended = await measure(await bulk(options))
  const received = await withReceiver(async url => {
    for (let n = 0; n < WEBHOOKS; n++) await ask(options, SUBSCRIBE, { url: `${url}${n}` })
    await measure(mutation(options, `the same with ${WEBHOOKS} webhooks waiting for it`))
  })
  process.stderr.write('\n')
  console.log(`
The trail, ${CONNECTIONS} connections, ${seconds} s each after ${warmUpSeconds} s of warm-up.

${resultTable(lines)}

Events appended ${BULK} at a time: ${Math.round(appended.requestsPerSecond * BULK).toLocaleString('en')} a second.
Deliveries that arrived during the last measurement: ${received.toLocaleString('en')}.`)
}

/** Takes what webhooks are sent, and counts it. */
async function withReceiver(step: (url: string) => Promise<void>): Promise<number> {
  let received = 0
  const receiver = createServer((request, response) => {
    received++
    request.resume()
    response.writeHead(204).end()
  })
  await new Promise<void>(resolve => void receiver.listen(0, '127.0.0.1', resolve))
  try {
    await step(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`)
    return received
  } finally {
    receiver.closeAllConnections()
    receiver.close()
  }
}
