import { afterAll, beforeAll, expect, test } from 'vitest'
import { crowd, MANY } from '../house/crowd.ts'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { createProject } from './verbs.ts'

// A long list is read in one of several ways, by how much is left of it: all of them find the same.

let server: TestServer
let admin: Person
const LONG_AGO = new Date(Date.now() - (MANY - 20) * 60_000).toISOString()

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  await crowd(server, admin, (await createProject(admin)).id)
  await namesakes()
}, 180_000)
afterAll(() => server.stop())

/**
 * A thousand members more, whose names have the same words at the beginning, in the middle and at the end, and in the
 * address; of a few the words together count as too long to be kept.
 */
async function namesakes(): Promise<void> {
  const pick = (words: string, by: string) =>
    `(string_to_array('${words}', ' '))[1 + (${by}) % ${words.split(' ').length}]`
  const id = (kind: number) =>
    `('0190001${kind}-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`
  const named = `
    select n, ${pick('Ada Adam Zoe Zimber Kit', 'n')} || ' ' || ${pick('Bo Ada Zimler', 'n / 5')}
      || ' ' || ${pick('Zimberg Zimmer Ada Adams Lind Zoeller', 'n / 15')} as name,
      ${pick('ada zim n', 'n / 7')} || '.' || n || '@' || ${pick('zimmer.example example.com', 'n / 11')} as email
    from generate_series(1, 1000) n`
  await server.database.owner(`
    insert into user_account (id, created_at, updated_at, email, first_name, last_name, status)
    select ${id(0)}, now(), now(), email, 'x', 'x', 'ACTIVE' from (${named}) as named`)
  await server.database.owner(
    `with named as (${named}),
     member as (
       insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name,
         last_name, name, sort_name, status)
       select ${id(1)}, now(), now(), $1, 'MEMBER', ${id(0)}, default_role_id, email, 'x', 'x', named.name, lower(named.name), 'ACTIVE'
       from named join organisation o on o.id = $1),
     word as (
       select distinct n, name, unnest(regexp_split_to_array(lower(name || ' ' || email), '[^a-z0-9]+')) as word from named)
     insert into member_word (organisation_id, principal_id, word, sort_name, words)
     select $1, ${id(1)}, word, lower(name),
       case when n % 10 > 0 then string_agg(' ' || word, '') over (partition by n) end from word`,
    [admin.organisationId],
  )
}

/** Members with a word that begins so, read from names and addresses. */
const begins = (...texts: string[]) =>
  texts
    .map(
      text => `exists (select from unnest(case when m.name like 'Crowd %' then array['crowd', substr(m.name, 7)]
        else regexp_split_to_array(lower(m.name || ' ' || m.email), '[^a-z0-9]+') end) word where word like '${text}%')`,
    )
    .join(' and ')

/** Words that many have each, in one name or another. */
const NAMES = [
  'ada zim',
  'zim ada',
  'zoe ada zim',
  'ad ada',
  'zimm zimb',
  'ada example',
  'kit ad 7',
]

/** What is asked, which members that is, and in which order. */
const FOUND: [string, string, string][] = [
  ['search: "crowd"', begins('crowd'), 'm.sort_name, m.id'],
  [
    'search: "CROWD", orderBy: { field: NAME, direction: DESC }',
    begins('crowd'),
    'm.sort_name desc, m.id desc',
  ],
  ['search: "crowd 77"', begins('crowd', '77'), 'm.sort_name, m.id'],
  ['search: "77 cro"', begins('crowd', '77'), 'm.sort_name, m.id'],
  ['search: "1"', begins('1'), 'm.sort_name, m.id'],
  [
    'search: "crowd 2", orderBy: { field: NAME, direction: DESC }',
    begins('crowd', '2'),
    'm.sort_name desc, m.id desc',
  ],
  ['search: "77", orderBy: { field: EMAIL }', begins('77'), 'm.email, m.id'],
  [
    'search: "1", orderBy: { field: CREATED_AT, direction: DESC }',
    begins('1'),
    'm.created_at desc, m.id desc',
  ],
  ...NAMES.map((text): [string, string, string] => [
    `search: "${text}"`,
    begins(...text.split(' ')),
    'm.sort_name, m.id',
  ]),
  ...NAMES.map((text): [string, string, string] => [
    `search: "${text}", orderBy: { field: NAME, direction: DESC }`,
    begins(...text.split(' ')),
    'm.sort_name desc, m.id desc',
  ]),
  [
    'search: "9", filter: { status: [INACTIVE] }',
    `${begins('9')} and m.status = 'INACTIVE'`,
    'm.sort_name, m.id',
  ],
  [
    'search: "crowd 7", filter: { locked: true }',
    `${begins('crowd', '7')} and m.locked_at is not null`,
    'm.sort_name, m.id',
  ],
  ['filter: { status: [INACTIVE] }', `m.status = 'INACTIVE'`, 'm.sort_name, m.id'],
  [
    'filter: { status: [INACTIVE, SUSPENDED], locked: false }, orderBy: { field: EMAIL, direction: DESC }',
    `m.status in ('INACTIVE', 'SUSPENDED')`,
    'm.email desc, m.id desc',
  ],
  [
    'filter: { inactiveSince: "LONG_AGO" }, orderBy: { field: NAME, direction: DESC }',
    'm.last_active_at < $2',
    'm.sort_name desc, m.id desc',
  ],
]

test.each(FOUND)(
  'page by page, %s finds the same as a plain reading',
  async (args, where, order) => {
    const values = [admin.organisationId, LONG_AGO]
    const expected = await server.database.owner(
      `select m.id from principal m where m.organisation_id = $1 and m.removed_at is null and ($2::timestamptz is not null) and (${where})
     order by ${order} limit 300`,
      values,
    )
    const read: string[] = []
    let after: string | null = null
    for (let page = 0; page < 3; page += 1) {
      const { organisation: own }: any = await admin.ask(
        `query ($after: String) { organisation { members(first: 100, after: $after, ${args.replace('LONG_AGO', LONG_AGO)}) {
        nodes { id } pageInfo { hasNextPage endCursor } } } }`,
        { after },
      )
      read.push(...own.members.nodes.map((node: { id: string }) => node.id))
      after = own.members.pageInfo.endCursor
      if (!own.members.pageInfo.hasNextPage) break
    }
    expect(read).toEqual(expected.map(row => row.id))
  },
)
