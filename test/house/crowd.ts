import { Client } from 'pg'
import type { Person } from '../support/people.ts'
import type { TestServer } from '../support/server.ts'

export const MANY = 20_000
const PLACES = 2_000

/** The id of the crowd's member `n`. */
export const memberId = (n: number) => `01900002-0000-7000-8000-${n.toString(16).padStart(12, '0')}`

/**
 * Fills an organisation with members who have an account, a session, a key, an invitation, a place in a project and words
 * each. Of every state that a list is filtered by there are few. Beside it there are organisations, and within it
 * projects and roles.
 */
export async function crowd(server: TestServer, by: Person, projectId: string): Promise<void> {
  const place = by.organisationId
  const roles = await by.roles()
  const owner = (text: string, values: unknown[] = []) => server.database.owner(text, values)
  const rowsTo = (count: number) =>
    `(select n, lpad(to_hex(n), 12, '0') as tail from generate_series(1, ${count}) n) x`
  const rows = rowsTo(MANY)
  const id = (kind: number) => `('0190000${kind}-0000-7000-8000-' || tail)::uuid`
  const few = (rest: number, then: string, otherwise = 'null') =>
    `case when n % 500 = ${rest} then ${then} else ${otherwise} end`
  await owner(
    `insert into user_account (id, created_at, updated_at, email, first_name, last_name, status, locked_at,
       second_factor, last_sign_in_at)
     select ${id(1)}, now() - (${MANY} - n) * interval '1 minute', now(), 'crowd' || n || '@example.com', 'Crowd', n::text,
       ${few(1, `'INACTIVE'`, `'ACTIVE'`)}, ${few(2, 'now()')}, n % 500 = 3, now() - (${MANY} - n) * interval '1 minute' from ${rows}`,
  )
  await owner(
    `insert into user_word (user_id, word) select ${id(1)}, word from ${rows}, unnest(array['crowd', n::text]) as word`,
  )
  await owner(
    `insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name, last_name,
       name, sort_name, status, locked_at, external_id, last_active_at)
     select ${id(2)}, now() - (${MANY} - n) * interval '1 minute', now(), $1, 'MEMBER', ${id(1)},
       ${few(4, '$3::uuid', '$2::uuid')}, 'crowd' || n || '@example.com', 'Crowd', n::text, 'Crowd ' || n, 'crowd ' || n,
       ${few(1, `'INACTIVE'`, few(5, `'SUSPENDED'`, `'ACTIVE'`))}, ${few(2, 'now()')}, 'E-' || n,
       now() - (${MANY} - n) * interval '1 minute' from ${rows}`,
    [place, roles.Member, roles.Administrator],
  )
  await owner(
    `insert into member_word (organisation_id, word, principal_id, sort_name, words)
     select $1, word, ${id(2)}, 'crowd ' || n, ' crowd ' || n from ${rows}, unnest(array['crowd', n::text]) as word`,
    [place],
  )
  await owner(
    `insert into session (id, created_at, user_id, organisation_id, principal_id, method, authenticated_at, last_active_at, expires_at, refresh_seed, refresh_digest, ip_address)
     select ${id(3)}, now(), ${id(1)}, $1, ${id(2)}, 'PASSWORD', now(), now() - n * interval '1 second', now() + interval '1 day', 'x', 'x' || n, '::1' from ${rows}`,
    [place],
  )
  await owner(
    `insert into invitation (id, created_at, organisation_id, principal_id, email, token_digest, mailed, expires_at, closed_at, outcome)
     select ${id(4)}, now() - (${MANY} - n) * interval '1 minute', $1, ${id(2)}, 'crowd' || n || '@example.com', 'x' || n, true,
       now() + (n % 1000 - 500) * interval '1 day', ${few(6, 'null', 'now()')},
       ${few(6, 'null', few(7, `'DECLINED'`, `'ACCEPTED'`))} from ${rows}`,
    [place],
  )
  await owner(
    `insert into api_key (id, created_at, updated_at, organisation_id, owner_id, name, scopes, prefix, digest, issued_at,
       revoked_at, expires_at, last_used_at)
     select ${id(5)}, now(), now(), $1, ${id(2)}, 'Key', '{}', ${few(8, 'null', `'gk_'`)}, ${few(8, 'null', `'x' || n`)},
       ${few(8, 'null', 'now()')}, ${few(9, 'now()')}, ${few(10, `now() - interval '1 day'`)},
       now() - (${MANY} - n) * interval '1 minute' from ${rows}`,
    [place],
  )
  await owner(
    `insert into project_access (id, created_at, organisation_id, project_id, principal_id, role_id)
     select ${id(6)}, now(), $1, $2, ${id(2)}, $3 from ${rows}`,
    [place, projectId, roles.Viewer],
  )
  await owner(
    `insert into project (id, created_at, updated_at, organisation_id, name, sort_name, slug)
     select ${id(7)}, now(), now(), $1, 'Crowd ' || n, 'crowd ' || n, 'crowd-' || n from ${rowsTo(PLACES)}`,
    [place],
  )
  await owner(
    `insert into role (id, created_at, updated_at, organisation_id, name, sort_name, level, permissions)
     select ${id(8)}, now(), now(), $1, 'Crowd ' || n, 'crowd ' || n, 'PROJECT', '{}' from ${rowsTo(PLACES)}`,
    [place],
  )
  await owner(
    `insert into organisation (id, created_at, updated_at, name, slug, suspended_at)
     select ${id(9)}, now(), now(), 'Crowd ' || n, 'crowd-' || n, ${few(1, 'now()')} from ${rowsTo(PLACES)}`,
  )
  await owner(
    `insert into organisation_word (organisation_id, word)
     select ${id(9)}, word from ${rowsTo(PLACES)}, unnest(array['crowd', n::text]) as word`,
  )
  await analyse(server)
}

/** Only the owner may, and on PostgreSQL that is whoever the migrations ran as. */
async function analyse({ database }: TestServer): Promise<void> {
  const { url } = database.options
  if (!url) return void (await database.owner('analyze'))
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('analyze')
  } finally {
    await client.end()
  }
}
