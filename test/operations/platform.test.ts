import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, operator, organisation, signIn, type Person } from '../support/people.ts'
import { OPERATOR, startServer, type TestServer } from '../support/server.ts'
import {
  act,
  addMember,
  admit,
  createProject,
  createRole,
  holder,
  RANDOM_ID,
} from '../tenancy/verbs.ts'

let server: TestServer
let op: Person
let admin: Person
let neighbour: Person
let member: Person

const NOT_ACTIVE = ['FORBIDDEN', 'ORGANISATION_NOT_ACTIVE'] as const

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
  member = await newcomer(admin)
  op = await operator(server)
})
afterAll(() => server.stop())

const users = async (args: string) => {
  const { platform } = await op.ask(
    `{ platform { users(first: 100, ${args}) { nodes { id email } totalCount } } }`,
  )
  expect(platform.users.totalCount).toBe(platform.users.nodes.length)
  return platform.users.nodes.map((each: { email: string }) => each.email).toSorted()
}
const organisations = async (args: string) => {
  const { platform } = await op.ask(
    `{ platform { organisations(first: 100, ${args}) { nodes { id } totalCount } } }`,
  )
  expect(platform.organisations.totalCount).toBe(platform.organisations.nodes.length)
  return platform.organisations.nodes.map((each: { id: string }) => each.id)
}

test('accounts are listed, searched and filtered', async () => {
  expect(await users('')).toEqual(
    [OPERATOR.email, admin.email, neighbour.email, member.email].toSorted(),
  )
  expect(await users(`search: "${member.email.slice(0, -4).toUpperCase()}"`)).toEqual([
    member.email,
  ])
  expect(await users(`search: "ann lee"`)).toHaveLength(3)
  // what means something in a pattern is taken as it stands
  for (const search of ['%', '_', '\\\\', "'"])
    expect(await users(`search: "${search}"`), search).toEqual([])
  expect(await users('filter: { operator: true }')).toEqual([OPERATOR.email])
  expect(await users(`filter: { emails: ["${admin.email}", "nobody@example.com"] }`)).toEqual([
    admin.email,
  ])
  expect(await users('filter: { status: [ACTIVE] }')).toHaveLength(4)
  await act(op, 'lockUser', member.userId)
  await act(op, 'deactivateUser', neighbour.userId)
  expect(await users('filter: { locked: true }')).toEqual([member.email])
  expect(await users('filter: { status: [INACTIVE, SUSPENDED] }')).toEqual([neighbour.email])
  expect(await users('filter: { status: [INACTIVE], locked: true }')).toEqual([])
  await act(op, 'unlockUser', member.userId)
  await act(op, 'activateUser', neighbour.userId)
  neighbour = await signIn(server, neighbour.email)
  const soon = new Date(Date.now() + 60_000).toISOString()
  expect(await users(`filter: { createdAt: { from: "${soon}" } }`)).toEqual([])
  expect(
    await users(`filter: { createdAt: { to: "${soon}" }, inactiveSince: "${soon}" }`),
  ).toHaveLength(4)
})

test('organisations are listed, searched and filtered, a page at a time', async () => {
  const all = await organisations('')
  expect(all).toEqual(
    expect.arrayContaining([admin.organisationId, neighbour.organisationId, op.organisationId]),
  )
  const name = `Organisation ${admin.email.split('@')[0]}`
  expect(await organisations(`search: "${name.toUpperCase()}"`)).toContain(admin.organisationId)
  expect(await organisations('suspended: true')).toEqual([])
  const third = await organisation(server)
  await act(op, 'suspendOrganisation', third.organisationId)
  expect(await organisations('suspended: true')).toEqual([third.organisationId])
  expect(await organisations('suspended: false')).not.toContain(third.organisationId)
  await act(op, 'deleteOrganisation', third.organisationId)
  expect(await organisations('')).not.toContain(third.organisationId)

  const page = async (after: string | null) =>
    (
      await op.ask(
        `query ($after: String) { platform { organisations(first: 1, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } } }`,
        { after },
      )
    ).platform.organisations
  const read: string[] = []
  for (let after: string | null = null, more = true; more;) {
    const { nodes, pageInfo } = await page(after)
    read.push(...nodes.map((each: { id: string }) => each.id))
    after = pageInfo.endCursor
    more = pageInfo.hasNextPage
  }
  expect(read).toEqual(all)
})

test('an operator reads an organisation of which they are no member, through the platform', async () => {
  const role = await createRole(admin, ['viewAudit'])
  const project = await createProject(admin)
  const waiting = await addMember(admin, { roleId: role.id })
  const { platform } = await op.ask(
    `query ($id: ID!, $member: ID!, $role: ID!, $project: ID!) { platform { organisation(id: $id) {
      id name
      settings { mfaRequired defaultRole { name } password { minLength } }
      members(first: 20) { nodes { id email role { name } viewerCanManage invitation { status } permissions { name } projectAccess { nodes { id } } } totalCount }
      member(id: $member) { email sessions { nodes { id } } }
      role(id: $role) { name holderCount viewerCanAssign viewerCanUpdate }
      roles { nodes { name } }
      permissions { name }
      project(id: $project) { name access { nodes { id } } viewerPermissions { name } registration { enabled } }
      projects { nodes { id } }
      invitations { nodes { email member { id } inviter { name } } }
      sessions { nodes { member { id } } }
      serviceAccounts { nodes { id } }
    } } }`,
    { id: admin.organisationId, member: member.memberId, role: role.id, project: project.id },
  )
  const there = platform.organisation
  expect(there.settings.defaultRole.name).toBe('Member')
  expect(there.members.nodes.map((each: { id: string }) => each.id)).toEqual(
    expect.arrayContaining([admin.memberId, member.memberId, waiting.member.id]),
  )
  expect(
    there.members.nodes.every((each: { viewerCanManage: boolean }) => !each.viewerCanManage),
  ).toBe(true)
  expect(there.member.email).toBe(member.email)
  expect(there.role).toMatchObject({
    holderCount: 1,
    viewerCanAssign: false,
    viewerCanUpdate: false,
  })
  expect(there.project).toMatchObject({ name: project.name, viewerPermissions: [] })
  expect(there.projects.nodes).toEqual([{ id: project.id }])
  expect(there.invitations.nodes[0]).toEqual({
    email: waiting.member.email,
    member: { id: waiting.member.id },
    inviter: { name: 'Ann Lee' },
  })
  expect(there.sessions.nodes.length).toBeGreaterThan(0)
})

test('an operator rules no organisation by being one', async () => {
  for (const verb of ['lockMember', 'deactivateMember', 'removeMember', 'revokeMemberSessions'])
    await expect(act(op, verb, member.memberId), verb).rejects.toBeRefused('NOT_FOUND')
  const project = await createProject(admin)
  await expect(act(op, 'deleteProject', project.id)).rejects.toBeRefused('NOT_FOUND')
})

test('what is not there answers NOT_FOUND, one thing beside another', async () => {
  for (const id of [RANDOM_ID, admin.memberId]) {
    await expect(
      op.ask(`query ($id: ID!) { platform { user(id: $id) { id } } }`, { id }),
    ).rejects.toBeRefused('NOT_FOUND')
    await expect(
      op.ask(`query ($id: ID!) { platform { organisation(id: $id) { id } } }`, { id }),
    ).rejects.toBeRefused('NOT_FOUND')
    await expect(
      op.ask(
        `query ($o: ID!, $id: ID!) { platform { organisation(id: $o) { member(id: $id) { id } } } }`,
        {
          o: neighbour.organisationId,
          id,
        },
      ),
    ).rejects.toBeRefused('NOT_FOUND')
  }
})

test('one’s own other organisation answers nothing until one switches there', async () => {
  const person = await newcomer(admin, { roleId: (await admin.roles()).Administrator })
  await admit(neighbour, person, (await neighbour.roles()).Administrator)
  const asked = (field: string) =>
    person.ask(
      `{ me { memberships { nodes { id organisation { id name ${field} } role { name } } } } }`,
    )
  const { me } = await asked('slug')
  expect(me.memberships.nodes).toHaveLength(2)
  for (const field of [
    'members { nodes { id } }',
    `member(id: "${admin.memberId}") { id }`,
    'settings { mfaRequired }',
    'roles { nodes { id } }',
    'permissions { name }',
    'projects { nodes { id } }',
    'invitations { nodes { id } }',
    'sessions { nodes { id } }',
    'serviceAccounts { nodes { id } }',
    'apiKeys { nodes { id } }',
  ])
    await expect(asked(field), field).rejects.toBeRefused(...NOT_ACTIVE)
  await person.switchTo(neighbour.organisationId)
  await expect(asked('members { nodes { id } }')).rejects.toBeRefused(...NOT_ACTIVE)
  const { organisation: there } = await person.ask(`{ organisation { members { totalCount } } }`)
  expect(there.members.totalCount).toBe(2)
})

test('the platform is closed to those who administer the whole of an organisation', async () => {
  const second = await holder(admin, ['viewUser', 'manageUser', 'manageOrganisation'])
  for (const by of [admin, second, member])
    for (const field of [
      'settings { mfaRequired }',
      'users { totalCount }',
      'organisations { totalCount }',
      `user(id: "${admin.userId}") { id }`,
      `organisation(id: "${admin.organisationId}") { id }`,
    ])
      await expect(by.ask(`{ platform { ${field} } }`), field).rejects.toBeRefused(
        'FORBIDDEN',
        'PERMISSION_MISSING',
      )
})
