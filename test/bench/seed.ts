import type { Client } from 'pg'

export const MEMBERS = 10_000
export const NEIGHBOURS = 50
const CALLERS = 64

// UUIDv7 (RFC 9562): milliseconds, version, and random bits, so that ids sort by time as the server's own do.
export const ID_FUNCTION = `
  create or replace function pg_temp.id7(at timestamptz) returns uuid language sql volatile as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
      || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid
  $$`

/**
 * Fills the first run's organisation with members and puts others beside it. The first of them are administrators
 * and share the operator's password, so that they can sign in.
 */
export async function seed(admin: Client): Promise<void> {
  await admin.query(ID_FUNCTION)
  await admin.query(`
    create temp table person as
    select n, pg_temp.id7(now() - make_interval(mins => n)) as user_id,
      pg_temp.id7(now() - make_interval(mins => n)) as principal_id, now() - make_interval(mins => n) as at,
      (array['Ada','Bea','Carl','Dora','Emil','Faye','Gus','Hana','Ivo','Jona'])[1 + n % 10] as first,
      (array['Abel','Brandt','Costa','Dahl','Ek','Faber','Gruber','Holm','Iseli','Jung','Keller'])[1 + n % 11] || ' ' || n as last,
      'member' || n || '@example.com' as email
    from generate_series(1, ${MEMBERS - 1}) as n`)
  await admin.query(`
    insert into user_account (id, created_at, updated_at, email, email_verified_at, proven_at, first_name, last_name, password_hash, password_changed_at)
    select user_id, at, at, person.email, at, at, first, last, operator.password_hash, at
    from person, (select password_hash from user_account where operator) as operator`)
  await admin.query(`
    insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name,
      last_name, name, sort_name, status, entered_at, last_active_at)
    select principal_id, at, at, r.organisation_id, 'MEMBER', user_id, r.id, email, first, last, first || ' ' || last,
      lower(first || ' ' || last), 'ACTIVE', at, at
    from person join role r on r.name = case when n <= ${CALLERS} then 'Administrator' else 'Member' end`)
  await admin.query(`
    insert into member_word (organisation_id, principal_id, word, sort_name)
    select distinct o.id, principal_id, word, lower(first || ' ' || last)
    from person, (select id from organisation) as o,
      unnest(string_to_array(lower(first || ' ' || last || ' member' || n || ' example com'), ' ')) as word`)
  // all load comes from one address, which no guesser may do
  await admin.query(`update platform_settings set failed_sign_in_limit = 1000`)
  await admin.query(`
    insert into organisation (id, created_at, updated_at, name, slug)
    select pg_temp.id7(now()), now(), now(), 'Neighbour ' || n, 'neighbour-' || n
    from generate_series(1, ${NEIGHBOURS}) as n`)
  await admin.query(`
    insert into role (id, created_at, updated_at, organisation_id, name, sort_name, level, permissions)
    select pg_temp.id7(now()), now(), now(), id, 'Member', 'member', 'ORGANISATION', '{viewUser}'
    from organisation where slug like 'neighbour-%'`)
  await admin.query(`
    insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name,
      last_name, name, sort_name, status)
    select pg_temp.id7(at), at, at, r.organisation_id, 'MEMBER', user_id, r.id, email, first, last, first || ' ' || last,
      lower(first || ' ' || last), 'ACTIVE'
    from person join organisation o on o.slug like 'neighbour-%' join role r on r.organisation_id = o.id
    where person.n > ${CALLERS} and person.n % 50 = 0`)
  await admin.query('vacuum analyze')
}

/** The addresses of those who call. */
export const callers = Array.from({ length: CALLERS }, (_, n) => `member${n + 1}@example.com`)

/** Logins of others, whose sign-ins do not end the callers' sessions. */
export const strangers = Array.from(
  { length: 400 },
  (_, n) => `member${CALLERS + n + 1}@example.com`,
)
