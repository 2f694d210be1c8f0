import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ROLES, roleName } from '../../src/database/context.ts'
import { cloneDatabase, type TestDatabase } from '../support/database.ts'

const REQUEST_ROLES = ROLES.map(roleName)
/** What opens an account or stands in for its owner, when read. */
const SECRET = /digest|hash|seed|secret|sealed/
/** What tables call the organisation that a row lies in, where it is not `organisation_id`. */
const PLACES: Record<string, string> = { organisation: 'id', event_unsealed: 'chain' }

let database: TestDatabase
beforeAll(async () => {
  database = await cloneDatabase()
})
afterAll(() => database.drop())

/** One text for each row that a question about the catalogue finds. */
async function found(question: string): Promise<string[]> {
  const rows = await database.owner(question)
  return rows.map(row => Object.values(row).join(' ')).toSorted()
}

const TABLES = `(select oid, relname, relrowsecurity, relforcerowsecurity, relacl from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'mikro_orm_migrations') as tables`
const COLUMNS = `(select relname, pg_class.oid as relation, attname, attnum, atttypid from pg_attribute
  join pg_class on pg_class.oid = attrelid
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped) as columns`
const ROLE_ARRAY = `array[${REQUEST_ROLES.map(role => `'${role}'`).join(', ')}]`
const ROLE_LIST = `unnest(${ROLE_ARRAY}) as role`

describe('row-level security', () => {
  test('binds every table, its owner included, and every table has a policy', async () => {
    expect(await found(`select relname from ${TABLES}`)).toContain('principal')
    expect(
      await found(`select relname from ${TABLES} where not relrowsecurity or not relforcerowsecurity
        or not exists (select from pg_policy where polrelid = tables.oid)`),
    ).toEqual([])
  })

  test('shows a tenant nothing but its own organisation', async () => {
    const policies = (await database.owner(
      `select tablename, policyname, permissive, cmd, qual, with_check from pg_policies
       where schemaname = 'public' and roles && '{gatehouse_tenant,public}'::name[] and tablename <> 'platform_settings'`,
    )) as Record<string, string | null>[]
    expect(policies.length).toBeGreaterThan(7)
    const loose = policies.filter(({ tablename, permissive, cmd, qual, with_check: check }) => {
      const own = `(${PLACES[tablename!] ?? 'organisation_id'} = app_organisation())`
      const reads = cmd === 'INSERT' || qual?.includes(own)
      // without a check of its own, a policy holds what is written to what may be read
      const writes = check === null ? cmd !== 'INSERT' : check?.includes(own)
      return permissive === 'PERMISSIVE' && !(reads && writes)
    })
    expect(loose.map(policy => policy.policyname)).toEqual([])
  })

  test('binds the roles of requests: they bypass nothing, own nothing and are nobody else', async () => {
    expect(
      await found(`select rolname from pg_roles where rolname = any(${ROLE_ARRAY})
        and not (rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb or rolreplication)`),
    ).toEqual(REQUEST_ROLES.toSorted())
    expect(
      await found(`select member::regrole, roleid::regrole from pg_auth_members
        where member::regrole::text = any(${ROLE_ARRAY})`),
    ).toEqual([])
    expect(
      await found(
        `select relname from pg_class where relowner::regrole::text = any(${ROLE_ARRAY})`,
      ),
    ).toEqual([])
  })
})

describe('references', () => {
  test('of a row inside an organisation cannot leave it', async () => {
    // pairs of own and foreign columns, among which must be the organisation's
    const leaving = await found(`
      select key.conname from pg_constraint as key
      join ${COLUMNS} on columns.relation = key.confrelid and columns.attname = 'organisation_id'
      where key.contype = 'f' and not exists (
        select from generate_subscripts(key.conkey, 1) as pair
        join pg_attribute as own on own.attrelid = key.conrelid and own.attnum = key.conkey[pair]
        where key.confkey[pair] = columns.attnum
          and own.attname = case when key.conrelid = 'organisation'::regclass then 'id' else 'organisation_id' end)`)
    expect(leaving).toEqual([])
  })

  test('are held by keys: no row inside an organisation names another without one', async () => {
    // an event outlives what it tells of
    const loose = await found(`
      select relname, attname from ${COLUMNS}
      where attname like '%\\_id' and atttypid = 'uuid'::regtype and relname not in ('event', 'event_person')
        and exists (select from pg_attribute where attrelid = columns.relation and attname = 'organisation_id')
        and not exists (select from pg_constraint
          where contype = 'f' and conrelid = columns.relation and columns.attnum = any(conkey))`)
    expect(loose).toEqual([])
  })
})

test('every rule of a table has a name that we gave it, so that a refusal can say which was broken', async () => {
  const named = await found(`select conname from pg_constraint
    where connamespace = 'public'::regnamespace and contype in ('f', 'u', 'c', 'x')`)
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter(name => /_(key|fkey|check|excl)\d*$/.test(name))).toEqual([])
})

describe('rights', () => {
  test('on accounts are not given to tenants', async () => {
    expect(
      await found(`select right_ from unnest('{select,insert,update,references}'::text[]) as right_
        where has_any_column_privilege('gatehouse_tenant', 'user_account', right_)`),
    ).toEqual([])
    expect(
      await found(
        `select has_table_privilege('gatehouse_tenant', 'user_account', 'delete, truncate')`,
      ),
    ).toEqual(['false'])
  })

  test('to read what proves an identity are given to the system alone', async () => {
    const secrets = (await found(`select relname, attname from ${COLUMNS}`)).filter(name =>
      SECRET.test(name.split(' ')[1]!),
    )
    expect(secrets).toEqual(
      expect.arrayContaining([
        'invitation token_digest',
        'session refresh_digest',
        'session refresh_seed',
        'signing_key sealed_private_key',
        'user_account password_hash',
      ]),
    )
    const readable = await found(`select relname, attname, role from ${COLUMNS}, ${ROLE_LIST}
      where role <> 'gatehouse_system' and has_column_privilege(role, relation, attnum, 'select')`)
    expect(readable.length).toBeGreaterThan(100)
    expect(readable.filter(name => SECRET.test(name.split(' ')[1]!))).toEqual([])
  })

  test('to change or remove events, what stands beside them and their seals are given to nobody', async () => {
    expect(
      await found(`select name, role from ${ROLE_LIST}, unnest(array['event', 'event_person', 'event_seal']) as name
        where has_any_column_privilege(role, name, 'update')
          or has_table_privilege(role, name, 'update, delete, truncate')`),
    ).toEqual([])
    expect(
      await found(`select role from ${ROLE_LIST} where has_table_privilege(role, 'event_chain', 'delete')
        or has_column_privilege(role, 'event_chain', 'kept_since', 'update')
        or has_column_privilege(role, 'event_chain', 'checkpoint_digest', 'update')`),
    ).toEqual([])
  })

  test('on the partitions are given to nobody, and what is forced on their parents is forced on them', async () => {
    const partitions = await found(`select relname from pg_class
      where relnamespace = 'trail'::regnamespace and relkind = 'r' and relispartition and relrowsecurity and relforcerowsecurity`)
    expect(partitions).toEqual(expect.arrayContaining(['event_person_rest', 'event_rest']))
    expect(partitions.length).toBeGreaterThanOrEqual(10)
    expect(
      await found(
        `select relname from pg_class where relnamespace = 'trail'::regnamespace and relkind <> 'i'`,
      ),
    ).toEqual(partitions)
    expect(
      await found(
        `select role from ${ROLE_LIST} where has_schema_privilege(role, 'trail', 'usage, create')`,
      ),
    ).toEqual([])
    expect(
      await found(`select relname, role from pg_class, ${ROLE_LIST} where relnamespace = 'trail'::regnamespace
        and has_any_column_privilege(role, pg_class.oid, 'select, insert, update')`),
    ).toEqual([])
  })

  test('of the owner are lent to the system alone, for what they are named after', async () => {
    const functions = `pg_proc where pronamespace = 'public'::regnamespace and prosecdef`
    expect(await found(`select proname from ${functions}`)).toEqual([
      'app_drop_event_months',
      'app_drop_events',
      'app_drop_seals',
      'app_erase_from_events',
      'app_make_event_months',
      'app_note_retention',
    ])
    expect(
      await found(`select proname, role from ${functions.replace('where', `, ${ROLE_LIST} where`)}
        and (role <> 'gatehouse_system' or proname = 'app_note_retention') and has_function_privilege(role, pg_proc.oid, 'execute')`),
    ).toEqual([])
    expect(await found(`select proname from ${functions} and proconfig is null`)).toEqual([])
  })

  test('that step over the policies are given to nobody', async () => {
    expect(
      await found(`select relname, role from ${TABLES}, ${ROLE_LIST}
        where has_table_privilege(role, tables.oid, 'truncate, references, trigger')`),
    ).toEqual([])
    // to everybody means to roles that the policies do not name
    expect(
      await found(
        `select relname, privilege_type from ${TABLES}, aclexplode(relacl) where grantee = 0`,
      ),
    ).toEqual([])
  })

  test('on the queues are given to the system alone', async () => {
    expect(
      await found(
        `select role from ${ROLE_LIST} where has_schema_privilege(role, 'pgboss', 'usage')`,
      ),
    ).toEqual(['gatehouse_system'])
  })
})
