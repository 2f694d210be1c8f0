import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, operator, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { plansOf as statementPlans } from '../support/statements.ts'
import { createProject, createRole } from '../tenancy/verbs.ts'
import { crowd, MANY, memberId } from './crowd.ts'

// Plans, not times: a list under row-level security reads its index, however many rows lie beside.

let server: TestServer
let admin: Person
/** Sees those who share a project. */
let near: Person
let op: Person
let known: Record<string, string>

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  const held = ['viewUser', 'manageUser', 'manageServiceAccount']
  const role = await createRole(admin, held, { visibility: 'SHARED_PROJECTS' })
  near = await newcomer(admin, { roleId: role.id })
  op = await operator(server)
  const project = await createProject(admin)
  await crowd(server, admin, project.id)
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  known = {
    PROJECT: project.id,
    ADMINISTRATOR: (await admin.roles()).Administrator!,
    OWNER: memberId(77),
    LONG_AGO: ago(MANY - 20),
    LONGER_AGO: ago(MANY),
  }
}, 180_000)
afterAll(() => server.stop())

const plansOf = (by: Person, document: string): Promise<string> =>
  statementPlans(server, () => by.ask(document), { reading: true })

const CROWDED =
  /Seq Scan on (principal|session|invitation|api_key|project_access|member_word|user_word|user_account)\b/

const members = (args: string) => `members(first: 20, ${args}) { nodes { id } }`
const invitations = (args = '') => `invitations(first: 20${args}) { nodes { id } }`
const keys = (args = '') => `apiKeys(first: 20${args}) { nodes { id } }`
const access = (args = '') => `project(id: "PROJECT") { access(first: 20${args}) { nodes { id } } }`
const users = (args = '') => `users(first: 20${args}) { nodes { id } }`
const organisations = (args = '') => `organisations(first: 20${args}) { nodes { id } }`

/** Lists whose index has them in their order: nothing is sorted. In one organisation alone, the order of ids is its own. */
const IN_ORDER: Record<string, [string, RegExp]> = {
  members: [members(''), /principal_by_name/],
  'members by name backwards': [
    members('orderBy: { field: NAME, direction: DESC }'),
    /Backward using principal_by_name/,
  ],
  'members by address': [members('orderBy: { field: EMAIL }'), /principal_by_email/],
  'members by age': [members('orderBy: { field: CREATED_AT }'), /principal_by_created/],
  'members by activity': [
    members('orderBy: { field: LAST_ACTIVE_AT, direction: DESC }'),
    /principal_by_active/,
  ],
  'members who are switched off': [
    members('filter: { status: [INACTIVE] }'),
    /principal_by_status/,
  ],
  'members who are suspended': [members('filter: { status: [SUSPENDED] }'), /principal_by_status/],
  'members who are locked': [members('filter: { locked: true }'), /principal_locked/],
  'members of a role': [members('filter: { roleIds: ["ADMINISTRATOR"] }'), /principal_by_role/],
  sessions: [`sessions(first: 20) { nodes { id } }`, /session_in_organisation/],
  invitations: [invitations(), /invitation_(in_organisation|pkey)/],
  keys: [keys(), /api_key_(in_order|in_organisation|pkey)/],
  roles: [`roles(first: 20) { nodes { id } }`, /role_organisation/],
  projects: [`projects(first: 20) { nodes { id } }`, /project_by_name/],
  'projects by beginning': [
    `projects(first: 20, search: "Crowd 77") { nodes { id } }`,
    /project_by_name/,
  ],
  'places in a project': [access(), /project_access_(in_project|pkey)/],
}

/** What few rows are left of: these are found by an index and sorted, and before that a thousand rows are walked at most. */
const NARROWED: Record<string, [string, RegExp]> = {
  'members by a frequent word': [members('search: "crowd"'), /member_word_by_name/],
  'members by words': [members('search: "crowd 777"'), /member_word_by_name/],
  // of those who are sorted by one word those with the other, each of whose spellings is followed in the order of names
  'members by two frequent words': [
    members('search: "crow crowd"'),
    /member_word_by_name on member_word.*\n\s+Index Cond: .*word = spelling\.word\) AND \(sort_name >= .*\(sort_name </,
  ],
  'members by words, by address': [
    members('search: "777", orderBy: { field: EMAIL }'),
    /member_word_by_name/,
  ],
  'members by words among the locked': [
    members('search: "crowd 1500", filter: { locked: false }'),
    /member_word_by_name/,
  ],
  'members by address among all': [
    members('filter: { emails: ["crowd77@example.com"] }'),
    /principal_(by_)?email/,
  ],
  'members by external id': [members('filter: { externalIds: ["E-77"] }'), /principal_external_id/],
  'members who are switched off, by age': [
    members('filter: { status: [INACTIVE] }, orderBy: { field: CREATED_AT }'),
    /principal_by_status/,
  ],
  'members who were never here lately': [
    members('filter: { inactiveSince: "LONG_AGO" }'),
    /principal_by_active/,
  ],
  'members of an age': [
    members('filter: { createdAt: { from: "LONGER_AGO", to: "LONG_AGO" } }'),
    /principal_by_created/,
  ],
  'members of a project': [
    members('filter: { projectIds: ["PROJECT"] }'),
    /project_access_(once|principal|pkey)/,
  ],
  'declined invitations': [invitations(', filter: { status: [DECLINED] }'), /invitation_in_state/],
  'invitations that ran out': [
    invitations(', filter: { status: [EXPIRED] }'),
    /invitation_(waiting|open_address|in_state)/,
  ],
  'invitations of an address': [
    invitations(', filter: { emails: ["crowd77@example.com"] }'),
    /invitation_by_email/,
  ],
  'invitations of an age': [
    invitations(', filter: { createdAt: { to: "LONG_AGO" } }'),
    /invitation_by_created/,
  ],
  'revoked keys': [keys(', filter: { status: [REVOKED] }'), /api_key_revoked/],
  'keys without a secret': [keys(', filter: { status: [PENDING] }'), /api_key_pending/],
  'keys that ran out': [keys(', filter: { status: [EXPIRED] }'), /api_key_by_end/],
  'keys that run out soon': [keys(', filter: { expiresBefore: "LONG_AGO" }'), /api_key_by_end/],
  'keys of an owner': [keys(', filter: { ownerIds: ["OWNER"] }'), /api_key_of_owner/],
  'keys not used lately': [keys(', filter: { unusedSince: "LONG_AGO" }'), /api_key_by_use/],
  'places by name': [access(', search: "crowd 777"'), /principal_by_name/],
}

const PLATFORM: Record<string, [string, RegExp]> = {
  users: [users(), /user_account_pkey/],
  'users by a frequent word': [users(', search: "crowd"'), /user_word_pkey/],
  'users by words': [users(', search: "crowd 777"'), /user_word_pkey/],
  'users who are locked': [users(', filter: { locked: true }'), /user_account_locked/],
  'users who are operators': [users(', filter: { operator: true }'), /user_account_operator/],
  'users who are switched off': [
    users(', filter: { status: [INACTIVE] }'),
    /user_account_by_status/,
  ],
  'users with a second factor': [
    users(', filter: { mfaEnabled: true }'),
    /user_account_by_second_factor/,
  ],
  'users of an address': [
    users(', filter: { emails: ["crowd77@example.com"] }'),
    /user_account_email/,
  ],
  'users of an age': [
    users(', filter: { createdAt: { to: "LONG_AGO" } }'),
    /user_account_by_created/,
  ],
  'users not here lately': [
    users(', filter: { inactiveSince: "LONG_AGO" }'),
    /user_account_by_sign_in/,
  ],
  organisations: [organisations(), /organisation_pkey/],
  'organisations by words': [organisations(', search: "crowd 777"'), /organisation_word_pkey/],
  'suspended organisations': [organisations(', suspended: true'), /organisation_suspended/],
}

const written = (list: string) =>
  Object.entries(known).reduce(
    (text, [name, value]) => text.replaceAll(`"${name}"`, `"${value}"`),
    list,
  )

test.each(Object.entries(IN_ORDER))(
  'the list of %s is read by its index, in order',
  async (_name, [list, index]) => {
    const plans = await plansOf(admin, `{ organisation { ${written(list)} } }`)
    expect(plans).toMatch(index)
    expect(plans).not.toMatch(CROWDED)
    expect(plans).not.toMatch(/\bSort\b/)
  },
)

test('a page further on is read by the same index, from where the one before ended', async () => {
  for (const field of ['NAME', 'EMAIL', 'CREATED_AT', 'LAST_ACTIVE_AT']) {
    const page = (after: string) =>
      `{ organisation { members(first: 20, orderBy: { field: ${field} }${after}) { pageInfo { endCursor } } } }`
    const { organisation: first } = await admin.ask(page(''))
    const plans = await plansOf(admin, page(`, after: "${first.members.pageInfo.endCursor}"`))
    expect(plans).toMatch(/Index Cond: .*ROW\(/)
    expect(plans).not.toMatch(CROWDED)
    expect(plans).not.toMatch(/\bSort\b/)
  }
})

test.each(Object.entries(NARROWED))(
  'the list of %s is narrowed by its index',
  async (_name, [list, index]) => {
    const plans = await plansOf(admin, `{ organisation { ${written(list)} } }`)
    expect(plans).toMatch(index)
    expect(plans).not.toMatch(CROWDED)
  },
)

test.each(Object.entries(PLATFORM))(
  'the list of %s is read by its index',
  async (_name, [list, index]) => {
    const plans = await plansOf(op, `{ platform { ${written(list)} } }`)
    expect(plans).toMatch(index)
    expect(plans).not.toMatch(CROWDED)
  },
)

test('what hangs from the members of a list is read by its index', async () => {
  const plans = await plansOf(
    admin,
    `{ organisation { members(first: 20) { nodes { sessions(first: 3) { nodes { id } } apiKeys(first: 3) { nodes { id } } invitation { id } } } } }`,
  )
  for (const index of [/session_of_principal/, /api_key_of_owner/, /invitation_of_member/])
    expect(plans).toMatch(index)
  expect(plans).not.toMatch(CROWDED)
})

const FEW_SHOWN = ['members', 'members by name backwards', 'sessions', 'invitations', 'keys']

test.each(FEW_SHOWN)(
  'the list of %s goes through no whole table for a role that shows few, either',
  async name => {
    const plans = await plansOf(near, `{ organisation { ${IN_ORDER[name]![0]} } }`)
    expect(plans).not.toMatch(/Seq Scan on (principal|session|invitation|api_key)\b/)
  },
)

test('a statement whose plan is kept leaves that to none after it', async () => {
  const plans = await plansOf(
    admin,
    `{ organisation { members(first: 20) { nodes { role { name } projectAccess(first: 3) { nodes { role { name } } } } } } }`,
  )
  expect(plans).toMatch(/principal_by_name/)
  expect(plans).not.toMatch(/Seq Scan on project_access/)
})

test('nothing is counted that was not asked for', async () => {
  const page = (fields: string) =>
    plansOf(admin, `{ organisation { members(first: 20) { ${fields} } } }`)
  expect(await page('nodes { id } pageInfo { hasNextPage }')).not.toMatch(/Aggregate/)
  expect(await page('totalCount')).toMatch(/Aggregate/)
})
