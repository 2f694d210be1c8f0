import { MikroORM as PgliteOrm } from '@mikro-orm/pglite'
import { MikroORM as PostgresOrm } from '@mikro-orm/postgresql'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
