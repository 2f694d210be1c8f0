import type { Client } from 'pg'
import { ID_FUNCTION } from './seed.ts'

/** An organisation with many members, and those of them who call. */
export interface Crowd {
  slug: string
  members: number
  callers: string[]
}

const CALLERS = 16
const MANY = Number(
  process.argv.find(argument => argument.startsWith('--members='))?.slice(10) ?? 1_000_000,
)

const crowdOf = (slug: string, members: number): Crowd => ({
  slug,
  members,
  callers: Array.from({ length: CALLERS }, (_, n) => `administrator${n + 1}@${slug}.example.com`),
})

/** The same in two sizes: what is measured in the larger is held against the smaller. */
export const CROWDS = [crowdOf('few', 10_000), crowdOf('many', MANY)] as const
export const ORGANISATIONS_BESIDE = 10_000

/** Beginnings of family names, each of which a thirtieth of the people have. */
export const FAMILIES =
  'Abe Bra Cos Dah Eke Fab Gru Hol Ise Jun Kel Lan Mul Nor Ols Pet Que Ros Sch Tan Ung Vog Wal Xav Yor Zim Bec Hub Mei Wei'.split(
    ' ',
  )
const ENDINGS =
  'berg burg dahl feld gaard heim hof holm ler lin mann meyer ner ova quist rich sen ski son stein tal thal ton ura vic ville wald well wick witz'.split(
    ' ',
  )
export const GIVEN =
  'Ada Bea Carl Dora Emil Faye Gus Hana Ivo Jona Kira Leo Mia Noa Oda Paul Quin Rita Sam Tea Uma Vera Wim Xenia Yara Zoe Anton Britt Cleo Dirk'.split(
    ' ',
  )

const pick = (list: readonly string[], by: string) =>
  `(array[${list.map(each => `'${each}'`).join(',')}])[1 + (${by}) % ${list.length}]`

/**
 * Makes both crowds, with what they are searched and filtered by, and organisations of two people each beside them:
 * by few statements over whole sets, without the triggers, whose work they do themselves. The callers are
 * administrators and share the operator's password.
 */
export async function seedCrowds(admin: Client): Promise<void> {
  await admin.query(ID_FUNCTION)
  await admin.query(
    `set session_replication_role = replica; set work_mem = '256MB'; set maintenance_work_mem = '512MB'`,
  )
  for (const { slug, members, callers } of CROWDS) {
    await seedOrganisations(admin, `select '${slug}' as slug, '${slug}' as name`)
    await seedPeople(admin, slug, members, callers)
  }
  await seedOrganisations(
    admin,
    `select 'beside-' || n as slug, 'Beside ' || n as name from generate_series(1, ${ORGANISATIONS_BESIDE}) n`,
  )
  await seedBeside(admin)
  await admin.query(`reset session_replication_role; reset work_mem; reset maintenance_work_mem`)
  await admin.query('vacuum analyze')
}

/** Organisations with a role that sees members and one that rules them. */
async function seedOrganisations(admin: Client, named: string): Promise<void> {
  await admin.query(`
    with made as (
      insert into organisation (id, created_at, updated_at, name, slug)
      select pg_temp.id7(now()), now(), now(), name, slug from (${named}) as named returning id, name, slug),
    found as (
      insert into organisation_word (organisation_id, word)
      select distinct id, word from made, unnest(regexp_split_to_array(lower(name || ' ' || slug), '[ -]')) as word),
    roles as (
      insert into role (id, created_at, updated_at, organisation_id, name, sort_name, level, permissions, built_in)
      select pg_temp.id7(now()), now(), now(), id, r.name, lower(r.name), r.level, r.permissions, r.name = 'Administrator'
      from made, (values ('Administrator', 'ORGANISATION', '{}'::text[]), ('Member', 'ORGANISATION', '{viewUser}'),
        ('Viewer', 'PROJECT', '{}')) as r (name, level, permissions)
      returning id, organisation_id, name),
    project as (
      insert into project (id, created_at, updated_at, organisation_id, name, sort_name, slug)
      select pg_temp.id7(now()), now(), now(), id, 'Bridge', 'bridge', 'bridge' from made)
    select`)
  await admin.query(`
    update organisation o set default_role_id = r.id from role r
    where r.organisation_id = o.id and r.name = 'Member' and o.default_role_id is null`)
}

async function seedPeople(
  admin: Client,
  slug: string,
  members: number,
  callers: string[],
): Promise<void> {
  await admin.query(`
    create temp table person as
    select n, pg_temp.id7(at) as user_id, pg_temp.id7(at) as principal_id, at, first, last,
      coalesce((array[${callers.map(email => `'${email}'`).join(',')}])[n],
        lower(first || '.' || last) || '.' || n || '@${slug}.example.com') as email,
      case when n <= ${callers.length} then 'ACTIVE' when n % 101 = 7 then 'SUSPENDED' when n % 211 = 9 then 'INACTIVE'
        else 'ACTIVE' end as status,
      case when n > ${callers.length} and n % 1009 = 3 then at end as locked_at, n % 3 = 0 as second_factor
    from (select n, now() - make_interval(mins => n) as at, ${pick(GIVEN, 'n * 7')} as first,
        ${pick(FAMILIES, 'n / 30')} || ${pick(ENDINGS, 'n / 900 + n')} as last
      from generate_series(1, ${members}) n) as named`)
  await admin.query(`
    insert into user_account (id, created_at, updated_at, email, email_verified_at, proven_at, first_name, last_name,
      password_hash, password_changed_at, last_sign_in_at, second_factor)
    select user_id, at, at, person.email, at, at, first, last,
      case when n <= ${callers.length} then operator.password_hash end, at, at, second_factor and n > ${callers.length}
    from person, (select password_hash from user_account where operator) as operator`)
  await admin.query(`
    insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name,
      last_name, name, sort_name, status, locked_at, second_factor, external_id, entered_at, last_active_at)
    select principal_id, at, at, r.organisation_id, 'MEMBER', user_id, r.id, email, first, last, first || ' ' || last,
      lower(first || ' ' || last), status, locked_at, second_factor, 'E-' || n, at, at
    from person join organisation o on o.slug = '${slug}'
    join role r on r.organisation_id = o.id
      and r.name = case when n <= ${callers.length} then 'Administrator' else 'Member' end`)
  const words = `(select distinct word from unnest(array[lower(first), lower(last)]
    || regexp_split_to_array(replace(email, '@', '.'), '[.]')) as word)`
  await admin.query(`
    insert into member_word (organisation_id, principal_id, word, sort_name, words)
    select o.id, principal_id, word, lower(first || ' ' || last), together
    from person, organisation o, lateral (select string_agg(' ' || word, '') as together from ${words} as each) as all_words,
      lateral ${words} as words
    where o.slug = '${slug}' order by word, 4, principal_id`)
  await admin.query(`
    insert into user_word (user_id, word)
    select user_id, word from person, lateral ${words} as words order by word, user_id`)
  await admin.query(`
    insert into project_access (id, created_at, organisation_id, project_id, principal_id, role_id)
    select pg_temp.id7(at), at, o.id, p.id, principal_id, r.id from person
    join organisation o on o.slug = '${slug}' join project p on p.organisation_id = o.id
    join role r on r.organisation_id = o.id and r.name = 'Viewer' where n % 10 = 0`)
  await admin.query('drop table person')
}

/** Two people of the larger crowd in each of the organisations beside it. */
async function seedBeside(admin: Client): Promise<void> {
  await admin.query(`
    insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name,
      last_name, name, sort_name, status)
    select pg_temp.id7(now()), now(), now(), r.organisation_id, 'MEMBER', u.id, r.id, u.email, u.first_name, u.last_name,
      u.first_name || ' ' || u.last_name, lower(u.first_name || ' ' || u.last_name), 'ACTIVE'
    from (select o.id, row_number() over (order by o.id) as n from organisation o where slug like 'beside-%') as o
    join role r on r.organisation_id = o.id and r.name = 'Member'
    join (select id, email, first_name, last_name, row_number() over (order by id) as n from user_account
      where email like '%@many.example.com') as u on (u.n + 1) / 2 = o.n`)
}
