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
}, 180_000)
afterAll(() => server.stop())

/** Members with a word that begins so, read from names and addresses. */
const begins = (...texts: string[]) =>
  texts
    .map(
      text => `exists (select from unnest(case when m.name like 'Crowd %' then array['crowd', substr(m.name, 7)]
        else regexp_split_to_array(lower(m.name || ' ' || m.email), '[^a-z0-9]+') end) word where word like '${text}%')`,
    )
    .join(' and ')

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
     order by ${order} limit 60`,
      values,
    )
    const read: string[] = []
    let after: string | null = null
    for (let page = 0; page < 3; page += 1) {
      const { organisation: own }: any = await admin.ask(
        `query ($after: String) { organisation { members(first: 20, after: $after, ${args.replace('LONG_AGO', LONG_AGO)}) {
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
