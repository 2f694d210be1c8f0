import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  act,
  addMember,
  createProject,
  createRole,
  grant,
  holder,
  RANDOM_ID,
  suspendMember,
  updateMember,
} from './verbs.ts'

let server: TestServer
let admin: Person
/** Sees only themselves. */
let alone: Person
/** Sees those who share a project. */
let near: Person
/** Shares a project with `near`. */
let mate: Person
/** Shares no project with anybody but the administrator. */
let hidden: Person
let project: { id: string }
let elsewhere: { id: string }
const places: Record<string, string> = {}

const RULES = ['viewUser', 'manageUser', 'manageProject', 'manageServiceAccount']

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  alone = await holder(admin, RULES, { visibility: 'SELF' })
  near = await holder(admin, RULES, { visibility: 'SHARED_PROJECTS' })
  mate = await newcomer(admin)
  hidden = await newcomer(admin)
  project = await createProject(admin)
  elsewhere = await createProject(admin)
  const { Viewer } = await admin.roles()
  await grant(admin, near.memberId, project.id, Viewer!)
  for (const [name, person] of Object.entries({ mate, hidden }))
    places[name] = (
      await grant(admin, person.memberId, (name === 'mate' ? project : elsewhere).id, Viewer!)
    ).id
})
afterAll(() => server.stop())

const shown = async (by: Person, more = '') => {
  const { organisation: there } = await by.ask(
    `{ organisation { members(first: 100${more}) { nodes { id } totalCount } } }`,
  )
  const found = there.members.nodes.map((each: { id: string }) => each.id).toSorted()
  expect(there.members.totalCount).toBe(found.length)
  return found
}
const idsOf = (...people: Person[]) => people.map(each => each.memberId).toSorted()

test('the member list shows as much as the role of the viewer', async () => {
  expect(await shown(admin)).toEqual(idsOf(admin, alone, near, mate, hidden))
  expect(await shown(near)).toEqual(idsOf(near, mate))
  expect(await shown(alone)).toEqual(idsOf(alone))
  // neither search nor filter nor order finds more
  expect(await shown(near, `, search: "Ann"`)).toEqual(idsOf(near, mate))
  expect(await shown(alone, `, search: "${hidden.email}"`)).toEqual([])
  expect(await shown(alone, `, filter: { emails: ["${hidden.email}"] }`)).toEqual([])
  expect(await shown(alone, `, filter: { projectIds: ["${elsewhere.id}"] }`)).toEqual([])
  expect(await shown(near, `, orderBy: { field: LAST_ACTIVE_AT, direction: DESC }`)).toEqual(
    idsOf(near, mate),
  )
})

test('a member by id is there or unknown', async () => {
  const byId = (by: Person, id: string) =>
    by.ask(`query ($id: ID!) { organisation { member(id: $id) { id email } } }`, { id })
  const node = (by: Person, id: string) =>
    by.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id })
  for (const ask of [byId, node]) {
    await ask(near, mate.memberId)
    await ask(alone, alone.memberId)
    for (const id of [hidden.memberId, admin.memberId, RANDOM_ID])
      await expect(ask(near, id)).rejects.toBeRefused('NOT_FOUND')
    for (const id of [mate.memberId, hidden.memberId])
      await expect(ask(alone, id)).rejects.toBeRefused('NOT_FOUND')
  }
})

test('every verb knows nobody whom the role does not show', async () => {
  const { Member, Viewer } = await admin.roles()
  for (const by of [alone, near]) {
    for (const id of [hidden.memberId, RANDOM_ID]) {
      for (const verb of [
        'lockMember',
        'unlockMember',
        'deactivateMember',
        'activateMember',
        'removeMember',
        'revokeMemberSessions',
      ])
        await expect(act(by, verb, id), verb).rejects.toBeRefused('NOT_FOUND')
      await expect(suspendMember(by, id)).rejects.toBeRefused('NOT_FOUND')
      await expect(updateMember(by, id, { firstName: 'Eve' })).rejects.toBeRefused('NOT_FOUND')
      await expect(updateMember(by, id, { roleId: Member })).rejects.toBeRefused('NOT_FOUND')
      await expect(grant(by, id, project.id, Viewer!)).rejects.toBeRefused('NOT_FOUND')
    }
    await expect(act(by, 'revokeProjectAccess', places.hidden!)).rejects.toBeRefused('NOT_FOUND')
  }
  await act(near, 'lockMember', mate.memberId)
  await act(near, 'unlockMember', mate.memberId)
  await expect(act(alone, 'lockMember', mate.memberId)).rejects.toBeRefused('NOT_FOUND')
})

test('invitations of hidden members are in no list and can be neither read, resent nor withdrawn', async () => {
  const { Viewer } = await admin.roles()
  const access = (id: string) => ({ projectAccess: [{ projectId: id, roleId: Viewer }] })
  const low = await createRole(admin, ['viewUser'], { visibility: 'SELF' })
  const seen = await addMember(admin, { roleId: low.id, ...access(project.id) })
  const unseen = await addMember(admin, { roleId: low.id, ...access(elsewhere.id) })
  const list = async (by: Person) =>
    (
      await by.ask(
        `{ organisation { invitations(first: 100) { nodes { id email member { id email } inviter { id name } } totalCount } } }`,
      )
    ).organisation.invitations
  const forNear = await list(near)
  const ids = forNear.nodes.map((each: { id: string }) => each.id)
  expect(ids).toContain(seen.member.invitation.id)
  expect(ids).not.toContain(unseen.member.invitation.id)
  expect(forNear.totalCount).toBe(ids.length)
  // whoever invited is hidden as well
  for (const { inviter } of forNear.nodes) expect(inviter).toBeNull()
  const forAlone = await list(alone)
  expect(forAlone.nodes.map((each: { member: { id: string } }) => each.member.id)).toEqual([
    alone.memberId,
  ])
  expect(forAlone.totalCount).toBe(1)

  const id = unseen.member.invitation.id
  for (const verb of ['resendInvitation', 'revokeInvitation'])
    await expect(act(near, verb, id), verb).rejects.toBeRefused('NOT_FOUND')
  await expect(near.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id })).rejects.toBeRefused(
    'NOT_FOUND',
  )
  const { organisation: mine } = await near.ask(
    `query ($id: ID!) { organisation { member(id: $id) { invitation { inviter { id } member { id } } } } }`,
    { id: near.memberId },
  )
  expect(mine.member.invitation).toEqual({ inviter: null, member: { id: near.memberId } })
})

test('sessions of hidden members are in no list', async () => {
  const list = async (by: Person, memberId: string | null = null) =>
    (
      await by.ask(
        `query ($memberId: ID) { organisation { sessions(first: 100, memberId: $memberId) { nodes { id member { id } } totalCount } } }`,
        { memberId },
      )
    ).organisation.sessions
  const members = async (by: Person) => {
    const { nodes, totalCount } = await list(by)
    expect(totalCount).toBe(nodes.length)
    return [
      ...new Set<string>(nodes.map((each: { member: { id: string } }) => each.member.id)),
    ].toSorted()
  }
  expect(await members(near)).toEqual(idsOf(near, mate))
  expect(await members(alone)).toEqual(idsOf(alone))
  expect(await members(admin)).toEqual(idsOf(admin, alone, near, mate, hidden))
  expect((await list(near, hidden.memberId)).nodes).toEqual([])
  await expect(
    near.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id: hidden.sessionId }),
  ).rejects.toBeRefused('NOT_FOUND')
})

test('projects and service accounts show nobody who is hidden', async () => {
  const { serviceAccount } = (
    await admin.ask(
      `mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { serviceAccount { id } } }`,
      { input: { name: 'Importer', roleId: (await admin.roles()).Member } },
    )
  ).createServiceAccount
  const access = async (by: Person, id: string, search = '') =>
    (
      await by.ask(
        `query ($id: ID!, $search: String) { organisation { project(id: $id) { access(search: $search) { nodes { principal { id name } } totalCount } } } }`,
        { id, search },
      )
    ).organisation.project.access
  const inside = async (by: Person, id: string) =>
    (await access(by, id)).nodes.map((each: { principal: { id: string } }) => each.principal.id)
  expect(await inside(admin, elsewhere.id)).toContain(hidden.memberId)
  for (const by of [alone, near]) {
    expect(await access(by, elsewhere.id)).toEqual({ nodes: [], totalCount: 0 })
    expect(await access(by, elsewhere.id, 'Ann')).toEqual({ nodes: [], totalCount: 0 })
    await expect(
      by.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id: places.hidden }),
    ).rejects.toBeRefused('NOT_FOUND')
    const { organisation: there } = await by.ask(
      `query ($id: ID!) { organisation { serviceAccount(id: $id) { name createdBy { id } } } }`,
      { id: serviceAccount.id },
    )
    expect(there.serviceAccount).toEqual({ name: 'Importer', createdBy: null })
  }
  expect(await inside(near, project.id)).toEqual(expect.arrayContaining(idsOf(near, mate)))
  expect(await inside(alone, project.id)).toEqual([])
})

test('the database itself shows and changes no hidden member to a tenant’s statements', async () => {
  const tenant = async (by: Person, visibility: string, text: string) => {
    const settings = {
      organisation: by.organisationId,
      principal: by.memberId,
      user: by.userId,
      visibility,
    }
    const set = Object.entries(settings).map(
      ([name, value]) => `set_config('app.${name}', '${value}', true)`,
    )
    const connection = await server.app.node.database.store.begin(
      `set local role gatehouse_tenant; select ${set.join(', ')}`,
    )
    try {
      return await connection.rows<{ id: string }>({ text, values: [] })
    } finally {
      await connection.commit()
    }
  }
  const all = `select id from principal where kind = 'MEMBER' and removed_at is null and status <> 'INVITED'`
  const ids = async (by: Person, visibility: string) =>
    (await tenant(by, visibility, all)).map(row => row.id).toSorted()
  expect(await ids(alone, 'SELF')).toEqual(idsOf(alone))
  expect(await ids(near, 'SHARED_PROJECTS')).toEqual(idsOf(near, mate))
  expect(await ids(admin, 'ORGANISATION')).toEqual(idsOf(admin, alone, near, mate, hidden))
  // nothing is seen where nothing was said
  expect(await ids(alone, '')).toEqual(idsOf(alone))
  const change = (id: string) => `update principal set name = 'Eve' where id = '${id}' returning id`
  for (const [by, visibility] of [
    [alone, 'SELF'],
    [near, 'SHARED_PROJECTS'],
  ] as const)
    expect(await tenant(by, visibility, change(hidden.memberId))).toEqual([])
  expect(await tenant(near, 'SHARED_PROJECTS', change(mate.memberId))).toHaveLength(1)

  // nor what tells of one
  await admin.ask(
    `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }`,
    { input: { ownerId: hidden.memberId, name: 'Key', scopes: [] } },
  )
  const about: Record<string, string> = {
    session: 'principal_id',
    invitation: 'principal_id',
    member_word: 'principal_id',
    api_key: 'owner_id',
  }
  const changes: Record<string, string> = {
    session: `update session set ended_at = now()`,
    invitation: `update invitation set sent_at = now()`,
    member_word: `delete from member_word`,
    api_key: `update api_key set revoked_at = now()`,
  }
  for (const [table, column] of Object.entries(about)) {
    const whose = `where ${column} = '${hidden.memberId}'`
    const rows = `select 1 as id from ${table} ${whose}`
    expect((await tenant(admin, 'ORGANISATION', rows)).length, table).toBeGreaterThan(0)
    for (const [by, visibility] of [
      [alone, 'SELF'],
      [near, 'SHARED_PROJECTS'],
      [near, ''],
    ] as const) {
      expect(await tenant(by, visibility, rows), `${table} ${visibility}`).toEqual([])
      const changed = await tenant(by, visibility, `${changes[table]} ${whose} returning 1 as id`)
      expect(changed, `${table} ${visibility}`).toEqual([])
    }
    const mates = `select 1 as id from ${table} where ${column} = '${near.memberId}'`
    const own = (await tenant(near, 'SHARED_PROJECTS', mates)).length
    expect(own, table).toBe((await tenant(admin, 'ORGANISATION', mates)).length)
  }
})
