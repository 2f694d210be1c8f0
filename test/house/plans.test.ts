import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Statement } from '../../src/database/sql.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { createRole } from '../tenancy/verbs.ts'

// Plans, not times: a list under row-level security reads its index, however many rows lie beside.

const MANY = 20_000

let server: TestServer
let admin: Person
/** Sees those who share a project. */
let near: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  const held = ['viewUser', 'manageUser', 'manageServiceAccount']
  const role = await createRole(admin, held, { visibility: 'SHARED_PROJECTS' })
  near = await newcomer(admin, { roleId: role.id })
  await crowd(admin.organisationId, (await admin.roles()).Member!)
}, 120_000)
afterAll(() => server.stop())

// in one organisation alone, the order of ids is as good as its own
/** Members with a session, a key, an invitation and a word each. */
async function crowd(organisationId: string, roleId: string): Promise<void> {
  const owner = (text: string, values: unknown[] = []) => server.database.owner(text, values)
  const rows = `(select n, lpad(to_hex(n), 12, '0') as tail from generate_series(1, ${MANY}) n) x`
  const id = (kind: number) => `('0190000${kind}-0000-7000-8000-' || tail)::uuid`
  await owner(
    `insert into user_account (id, created_at, updated_at, email, first_name, last_name)
     select ${id(1)}, now(), now(), 'crowd' || n || '@example.com', 'Crowd', n::text from ${rows}`,
  )
  await owner(
    `insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name, last_name, name, sort_name, status)
     select ${id(2)}, now() - n * interval '1 minute', now(), $1, 'MEMBER', ${id(1)}, $2, 'crowd' || n || '@example.com', 'Crowd', n::text, 'Crowd ' || n, 'crowd ' || n, 'ACTIVE' from ${rows}`,
    [organisationId, roleId],
  )
  await owner(
    `insert into member_word (organisation_id, word, principal_id) select $1, 'crowd' || n, ${id(2)} from ${rows}`,
    [organisationId],
  )
  await owner(
    `insert into session (id, created_at, user_id, organisation_id, principal_id, method, authenticated_at, last_active_at, expires_at, refresh_seed, refresh_digest, ip_address)
     select ${id(3)}, now(), ${id(1)}, $1, ${id(2)}, 'PASSWORD', now(), now() - n * interval '1 second', now() + interval '1 day', 'x', 'x' || n, '::1' from ${rows}`,
    [organisationId],
  )
  await owner(
    `insert into invitation (id, created_at, organisation_id, principal_id, email, token_digest, mailed, expires_at, closed_at, outcome)
     select ${id(4)}, now(), $1, ${id(2)}, 'crowd' || n || '@example.com', 'x' || n, true, now(), now(), 'ACCEPTED' from ${rows}`,
    [organisationId],
  )
  await owner(
    `insert into api_key (id, created_at, updated_at, organisation_id, owner_id, name, scopes)
     select ${id(5)}, now(), now(), $1, ${id(2)}, 'Key', '{}' from ${rows}`,
    [organisationId],
  )
  for (const table of ['principal', 'session', 'invitation', 'api_key', 'member_word'])
    await analyse(table)
}

async function analyse(table: string): Promise<void> {
  const { url } = server.database.options
  // only the owner may, and on PostgreSQL that is whoever the migrations ran as
  await (url ? asLogin(url, `analyze ${table}`) : server.database.owner(`analyze ${table}`))
}

async function asLogin(url: string, text: string): Promise<void> {
  const { Client } = await import('pg')
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

/** The plans of the statements that an operation reads by, as text. */
async function plansOf(by: Person, document: string): Promise<string[]> {
  const { store } = server.app.node.database
  const begin = store.begin.bind(store)
  const plans: string[] = []
  store.begin = async script => {
    const connection = await begin(script)
    const rows = connection.rows.bind(connection)
    connection.rows = async <Row>(query: Statement) => {
      const text = `explain (costs off) ${query.text}`
      const plan = await rows<Record<string, string>>({ text, values: query.values })
      plans.push(plan.map(line => Object.values(line)[0]).join('\n'))
      return rows<Row>(query)
    }
    return connection
  }
  try {
    await by.ask(document)
  } finally {
    store.begin = begin
  }
  return plans
}

const LISTS: Record<string, [string, RegExp]> = {
  members: [`members(first: 20) { nodes { id } }`, /principal_by_name/],
  'members by word': [`members(first: 20, search: "crowd77") { nodes { id } }`, /member_word_pkey/],
  sessions: [`sessions(first: 20) { nodes { id } }`, /session_in_organisation/],
  invitations: [`invitations(first: 20) { nodes { id } }`, /invitation_(in_organisation|pkey)/],
  keys: [`apiKeys(first: 20) { nodes { id } }`, /api_key_(in_order|pkey)/],
  'sessions and keys of members': [
    `members(first: 20) { nodes { sessions(first: 3) { nodes { id } } apiKeys(first: 3) { nodes { id } } invitation { id } } }`,
    /session_of_principal[^]*api_key_of_owner|api_key_of_owner[^]*session_of_principal/,
  ],
}
const CROWDED = /Seq Scan on (principal|session|invitation|api_key|member_word)\b/

test.each(Object.entries(LISTS))(
  'the list of %s reads by its index',
  async (_name, [list, index]) => {
    const plans = await plansOf(admin, `{ organisation { ${list} } }`)
    expect(plans.join('\n')).toMatch(index)
    expect(plans.join('\n')).not.toMatch(CROWDED)
  },
)

test.each(Object.entries(LISTS))(
  'the list of %s goes through no whole table for a role that shows few, either',
  async (_name, [list]) => {
    const plans = await plansOf(near, `{ organisation { ${list} } }`)
    expect(plans.join('\n')).not.toMatch(CROWDED)
  },
)
