import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { hook, review } from './world.ts'
import { Speaker, type RequestRole, type Variables } from '../support/speaker.ts'

// The tables come from the catalogue, so that a new one is held to the same.

let server: TestServer
let speaker: Speaker
let here: Person
let there: Person
let tables: Table[]

interface Table {
  name: string
  columns: string[]
  /** The column that names the organisation; null for what lies in none. */
  place: string | null
}

beforeAll(async () => {
  server = await startServer()
  speaker = new Speaker(server.database)
  const rows = await server.database.owner(
    `select c.relname as name, array_agg(a.attname::text order by a.attnum) as columns from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') and c.relname <> 'mikro_orm_migrations'
     group by 1 order by 1`,
  )
  tables = (rows as unknown as Table[]).map(({ name, columns }) => ({
    name,
    columns,
    place: placeOf(name, columns),
  }))
  here = await furnished()
  there = await furnished()
})
afterAll(async () => {
  await speaker.close()
  await server.stop()
})

const placeOf = (name: string, columns: string[]) =>
  name === 'organisation' ? 'id' : columns.includes('organisation_id') ? 'organisation_id' : null

/** An organisation with something of everything in it; to be extended with every new table of organisations. */
async function furnished(): Promise<Person> {
  const admin = await organisation(server)
  const { createProject } = await admin.ask(
    `mutation { createProject(input: { name: "Bridge" }) { project { id } }
      createPermission(input: { name: "bridge.open", description: "Open it." }) { permission { name } } }`,
  )
  const projectId = createProject.project.id
  const projectAccess = [{ projectId, roleId: (await admin.roles()).Viewer }]
  await admin.add({ projectAccess, sendInvitation: false })
  for (const { memberId: ownerId } of [admin, await newcomer(admin, { projectAccess })])
    await admin.ask(
      `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }`,
      {
        input: { ownerId, name: 'Key', scopes: [], projectIds: [projectId] },
      },
    )
  await review(admin)
  const { webhook } = await hook(admin)
  const [workflow] = await server.database.owner(
    `insert into workflow (id, created_at, organisation_id, name, topic, updated_by_id, updated_at)
     values (gen_random_uuid(), now(), $1, 'Bridge', 'member.joined', $2, now()) returning id`,
    [admin.organisationId, admin.memberId],
  )
  await server.database.owner(
    `insert into workflow_step (organisation_id, workflow_id, position, kind, webhook_id) values ($1, $2, 0, 'CALL_WEBHOOK', $3)`,
    [admin.organisationId, workflow!.id, webhook],
  )
  await server.database.owner(
    `insert into workflow_run (id, created_at, organisation_id, workflow_id, event, status)
     values (gen_random_uuid(), now(), $1, $2, gen_random_uuid(), 'RUNNING')`,
    [admin.organisationId, workflow!.id],
  )
  await server.database.owner(
    `insert into link (id, created_at, user_id, kind, email, token_digest, organisation_id, project_id, expires_at)
     values (gen_random_uuid(), now(), $1, 'MAGIC_LINK', 'nobody@example.com', gen_random_uuid()::text, $2, $3, now())`,
    [admin.userId, admin.organisationId, projectId],
  )
  return admin
}

const DENIED = { refused: '42501' }
/** Nothing is touched, be it for want of the privilege or of rows. */
const NOTHING = [0, DENIED]

const inside = (person: Person, visibility = 'ORGANISATION'): Variables => ({
  'app.organisation': person.organisationId,
  'app.principal': person.memberId,
  'app.visibility': visibility,
  'app.user': person.userId,
})
const placed = () => tables.filter(table => table.place)

const ownerCount = async (table: string, where: string, values: unknown[] = []): Promise<number> =>
  (
    await server.database.owner(
      `select count(*)::int as count from ${table} where ${where}`,
      values,
    )
  )[0]!.count as number

/** Columns on which a role holds a privilege. */
async function holds(
  role: RequestRole,
  table: Table,
  privilege: 'SELECT' | 'UPDATE',
): Promise<string[]> {
  const rows = await server.database.owner(
    `select c as column from unnest($1::text[]) as c where has_column_privilege($2, $3, c, $4)`,
    [table.columns, `gatehouse_${role}`, table.name, privilege],
  )
  return rows.map(row => row.column as string)
}
const readable = async (role: RequestRole, table: Table) =>
  (await holds(role, table, 'SELECT')).length > 0

/** A change of nothing, for which the role has the privilege wherever it has any. */
async function touch(role: RequestRole, table: Table, where = 'true'): Promise<string> {
  const [column = table.columns[0]!] = await holds(role, table, 'UPDATE')
  return `update ${table.name} set ${column} = ${column} where ${where} returning 1`
}

test('there is something of every kind in both organisations, or what follows would show nothing', async () => {
  expect(placed().map(table => table.name)).toContain('principal')
  for (const { name, place } of placed())
    for (const { organisationId } of [here, there])
      expect(await ownerCount(name, `${place} = $1`, [organisationId]), name).toBeGreaterThan(0)
})

describe('in one organisation a tenant', () => {
  test('sees all of its own rows and none of a neighbour', async () => {
    for (const table of placed()) {
      const { name, place } = table
      const may = await readable('tenant', table)
      const own = await ownerCount(name, `${place} = $1`, [here.organisationId])
      expect(await speaker.count('tenant', inside(here), `select 1 from ${name}`), name).toEqual(
        may ? own : DENIED,
      )
      const foreign = await speaker.count(
        'tenant',
        inside(here),
        `select 1 from ${name} where ${place} = $1`,
        [there.organisationId],
      )
      expect(foreign, name).toEqual(may ? 0 : DENIED)
    }
  })

  test('changes and deletes no row of a neighbour, and moves none of its own there', async () => {
    for (const table of placed()) {
      const { name, place } = table
      const change = await touch('tenant', table, `${place} = '${there.organisationId}'`)
      expect(NOTHING, name).toContainEqual(await speaker.count('tenant', inside(here), change))
      const removal = `delete from ${name} where ${place} = '${there.organisationId}' returning 1`
      expect(NOTHING, name).toContainEqual(await speaker.count('tenant', inside(here), removal))
      const move = `update ${name} set ${place} = '${there.organisationId}' returning 1`
      expect(await speaker.count('tenant', inside(here), move), name).toEqual(DENIED)
    }
  })

  test('inserts nothing into a neighbour, such as a copy of what is there', async () => {
    for (const { name, place } of placed()) {
      const [row] = await server.database.owner(
        `select to_jsonb(t)::text as row from ${name} t where ${place} = $1 limit 1`,
        [there.organisationId],
      )
      const copy = `insert into ${name} select * from jsonb_populate_record(null::${name}, $1::jsonb)`
      expect(await speaker.say('tenant', inside(here), copy, [row!.row]), name).toEqual(DENIED)
    }
  })

  test('reads nothing that lies outside organisations but the policies of the platform', async () => {
    for (const { name } of tables.filter(table => !table.place))
      expect(await speaker.count('tenant', inside(here), `select 1 from ${name}`), name).toEqual(
        name === 'platform_settings' ? 1 : DENIED,
      )
    for (const text of [
      'update platform_settings set mfa_required = true',
      'select data from pgboss.job',
      'alter table principal disable row level security',
      'create table loot (id int)',
    ])
      expect(await speaker.say('tenant', inside(here), text), text).toEqual(DENIED)
  })
})

test.each<RequestRole>(['tenant', 'self'])(
  'without a context %s sees and changes nothing anywhere',
  async role => {
    for (const variables of [{}, { 'app.organisation': '', 'app.user': '' }] as Variables[])
      for (const table of tables) {
        const shown = table.name === 'platform_settings' ? 1 : 0
        const seen = await speaker.count(role, variables, `select 1 from ${table.name}`)
        expect(seen, table.name).toEqual((await readable(role, table)) ? shown : DENIED)
        expect(NOTHING, table.name).toContainEqual(
          await speaker.count(role, variables, await touch(role, table)),
        )
      }
  },
)

test('oneself sees one’s own rows, and of organisations those one belongs to', async () => {
  const variables: Variables = { 'app.user': here.userId }
  const principals = `select id from principal where user_id = '${here.userId}'`
  const whose: Record<string, string> = {
    user_account: `id = '${here.userId}'`,
    principal: `user_id = '${here.userId}'`,
    session: `user_id = '${here.userId}'`,
    invitation: `principal_id in (${principals})`,
    project_access: `principal_id in (${principals})`,
    api_key: `owner_id in (${principals})`,
    api_key_project: `api_key_id in (select id from api_key where owner_id in (${principals}))`,
    notification: `user_id = '${here.userId}'`,
    notification_preference: `user_id = '${here.userId}'`,
    platform_settings: 'true',
  }
  for (const table of tables) {
    const { name, place } = table
    const own = whose[name] ?? `${place ?? 'null'} = '${here.organisationId}'`
    const expected = (await readable('self', table)) ? await ownerCount(name, own) : DENIED
    expect(await speaker.count('self', variables, `select 1 from ${name}`), name).toEqual(expected)
    const others = await touch('self', table, `not (${own})`)
    expect(NOTHING, name).toContainEqual(await speaker.count('self', variables, others))
  }
})

test('of keys, oneself sees the confinement of one’s own alone', async () => {
  const own = `api_key_id in (select id from api_key where owner_id = '${here.memberId}')`
  const seen = await speaker.count(
    'self',
    { 'app.user': here.userId },
    'select 1 from api_key_project',
  )
  expect(seen).toBe(await ownerCount('api_key_project', own))
})

test.each(['x', "' or true --", 'null', '0', `{${'a'.repeat(40)}}`])(
  'a context that reads %j fails rather than leaks',
  async value => {
    for (const [role, name] of [
      ['tenant', 'app.organisation'],
      ['self', 'app.user'],
    ] as const)
      for (const table of tables.filter(each => each.name !== 'platform_settings')) {
        const seen = await speaker.count(role, { [name]: value }, `select 1 from ${table.name}`)
        expect(seen, `${role} ${table.name}`).toEqual(
          (await readable(role, table)) ? { refused: '22P02' } : DENIED,
        )
      }
  },
)

test('what opens accounts is read by no request, whoever makes it', async () => {
  const secrets = tables.flatMap(({ name, columns }) =>
    columns
      .filter(column => /hash|digest|seed|sealed|secret/.test(column))
      .map(column => [name, column]),
  )
  expect(secrets.map(([, column]) => column)).toEqual(
    expect.arrayContaining([
      'password_hash',
      'refresh_digest',
      'refresh_seed',
      'sealed_private_key',
      'token_digest',
    ]),
  )
  for (const [name, column] of secrets)
    for (const role of ['tenant', 'self', 'operator'] as const)
      expect(
        await speaker.say(role, inside(here), `select ${column} from ${name}`),
        `${role} ${column}`,
      ).toEqual(DENIED)
})
