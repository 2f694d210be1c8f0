import { basename } from 'node:path'
import { MikroORM as PgliteOrm } from '@mikro-orm/pglite'
import { MikroORM as PostgresOrm } from '@mikro-orm/postgresql'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commitActor, commitTarget } from '../../src/outbox/events/person.ts'
import { ormConfig, type DatabaseOptions, type Orm } from '../../src/database/orm.ts'
import { cloneDatabase, type TestDatabase } from '../support/database.ts'
import { filesOf } from './sources.ts'

let database: TestDatabase
let orm: Orm

beforeAll(async () => {
  database = await cloneDatabase()
  orm = await openAsOwner(database.options)
})
afterAll(async () => {
  await orm.close(true)
  await database.drop()
})

// two steps each: the type that is asked for would lead the inference astray
async function openAsOwner(options: DatabaseOptions): Promise<Orm> {
  const { pglite } = options
  if (pglite) {
    const embedded = await PgliteOrm.init({
      ...ormConfig(options),
      driverOptions: { pglite },
    } as never)
    return embedded
  }
  const server = await PostgresOrm.init(ormConfig(options) as never)
  return server
}

/** What would have to change for the tables to be as the rows' classes say. */
async function differences(): Promise<string[]> {
  const keys = await database.owner(`select conname from pg_constraint where contype = 'f'`)
  const held = new Set(keys.map(key => `drop constraint "${String(key.conname)}"`))
  const statements = (await orm.schema.getUpdateSchemaSQL()).split(/;\s*/).map(one => one.trim())
  return statements.filter(
    statement =>
      statement !== '' &&
      statement !== `set names 'utf8'` &&
      // rows name each other by plain ids, policies call functions, and triggers keep copies: all the migrations' alone
      !held.has(/drop constraint ".+"$/.exec(statement)?.[0] ?? '') &&
      !/^drop (function|trigger) if exists "\w+"(\([\w, ]*\)| on "\w+")$/.test(statement),
  )
}

/** All that stands in the schema, as text: tables, columns, rights, constraints, indexes, policies, functions and triggers. */
async function catalogue(): Promise<string[]> {
  const rows = await database.owner(`
select concat_ws(' ', 'table', relname, relrowsecurity, relforcerowsecurity, relacl) as line
  from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
union all
select concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod), attnotnull, attacl, attcollation)
  from pg_attribute join pg_class on pg_class.oid = attrelid
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped
union all
select concat_ws(' ', 'default', adrelid::regclass, adnum, pg_get_expr(adbin, adrelid))
  from pg_attrdef join pg_class on pg_class.oid = adrelid where relnamespace = 'public'::regnamespace
union all
select concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
  from pg_constraint where connamespace = 'public'::regnamespace
union all
select concat_ws(' ', 'index', indexdef) from pg_indexes where schemaname = 'public'
union all
select concat_ws(' ', 'policy', tablename, policyname, permissive, roles, cmd, qual, with_check)
  from pg_policies where schemaname = 'public'
union all
select concat_ws(' ', 'function', pg_get_functiondef(oid), proacl)
  from pg_proc where pronamespace = 'public'::regnamespace
union all
select concat_ws(' ', 'trigger', pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
  and tgrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
order by line`)
  return rows.map(row => String(row.line))
}

test('every migration has run', async () => {
  const executed = await orm.migrator.getExecuted()
  expect(executed.map(({ name }) => `migrations/${name}.ts`)).toEqual(filesOf('migrations/*.ts'))
})

test('the migrations make what the rows say', async () => {
  expect(await differences()).toEqual([])
})

test('the migrations go back to nothing, and forward to the same', async () => {
  const before = await catalogue()
  expect(before.length).toBeGreaterThan(200)

  await orm.migrator.down({ to: 0 })
  const left = await catalogue()
  expect(left.filter(line => !line.includes('mikro_orm_migrations'))).toEqual([])

  await orm.migrator.up()
  expect(await catalogue()).toEqual(before)
  expect(await differences()).toEqual([])
})

test('events from before they were divided by month are kept, and commit to what stands beside them', async () => {
  const names = filesOf('migrations/*.ts').map(file => basename(file, '.ts'))
  const beforeMonths = names[names.indexOf('Migration20261121001600_event_months') - 1]!
  await orm.migrator.down({ to: beforeMonths })
  const columns = `id, organisation_id, topic, occurred_at, outcome, actor_kind, actor_id, actor_user_id, actor_name,
    target_kind, target_id, target_name, changes, reason, ip_address, user_agent, request_id`
  const changes = JSON.stringify([
    { field: 'role', before: 'Viewer', after: 'Member' },
    { field: 'firstName', before: null, after: 'Zoë "\u0007\\' },
  ])
  const given = [
    `'019a0000-0000-7000-8000-000000000001', null, 'member.updated', '2025-10-20 07:00:00.123456+00', 'SUCCEEDED', 'MEMBER',
     gen_random_uuid(), gen_random_uuid(), 'Ann "the" Lee', 'Member', gen_random_uuid(), 'Zoë', $1::jsonb, 'Because', '::1', 'curl', 'r1'`,
    `'00000000-0000-4000-8000-000000000002', null, 'role.updated', now(), 'SUCCEEDED', 'SYSTEM',
     null, null, 'Gatehouse', null, null, null, '[{"field":"name","before":"a","after":"b"}]', null, null, null, null`,
  ]
  await database.owner(`insert into event (${columns}) values (${given[0]})`, [changes])
  await database.owner(`insert into event (${columns}) values (${given[1]})`)
  const before = await database.owner(`select ${columns} from event order by id`)
  await orm.migrator.up()
  const rows =
    await database.owner(`select e.*, e.tableoid::regclass::text as part, p.actor_salt, p.actor_name, p.ip_address,
    p.user_agent, p.target_salt, p.target_name, p.changes as personal, p.reason, u.chain
    from event e join event_person p using (id) join event_unsealed u on u.event_id = e.id order by e.id`)
  expect(rows.map(({ part }) => part)).toEqual(['trail.event_rest', 'trail.event_2025_10'])
  for (const row of rows as Record<string, any>[]) {
    const [actorName, ipAddress, userAgent] = [row.actor_name, row.ip_address, row.user_agent]
    expect(commitActor(row.actor_salt, { actorName, ipAddress, userAgent })).toBe(
      row.actor_commitment,
    )
    const { target_name: targetName, reason, personal } = row
    expect(
      row.target_salt ? commitTarget(row.target_salt, { targetName, reason, personal }) : null,
    ).toBe(row.target_commitment)
  }
  expect(rows[1]!.changes).toEqual([
    { field: 'role', before: 'Viewer', after: 'Member' },
    { field: 'firstName', personal: true },
  ])
  await orm.migrator.down({ to: beforeMonths })
  expect(await database.owner(`select ${columns} from event order by id`)).toEqual(before)
  await orm.migrator.up()
})
