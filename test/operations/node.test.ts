import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import {
  askBy,
  bringWith,
  createKey,
  createProject,
  createRole,
  createServiceAccount,
  grant,
} from '../credentials/keys.ts'
import { furnish, type Targets } from '../house/world.ts'
import { operator, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const NODE = `query ($id: ID!) { node(id: $id) { __typename id } }`
const TYPES: Partial<Record<keyof Targets, string>> = {
  organisation: 'Organisation',
  member: 'Member',
  session: 'Session',
  serviceAccount: 'ServiceAccount',
  role: 'Role',
  projectRole: 'Role',
  project: 'Project',
  projectAccess: 'ProjectAccess',
  apiKey: 'ApiKey',
  invitation: 'Invitation',
  webhook: 'Webhook',
  delivery: 'WebhookDelivery',
}

let server: TestServer
let admin: Person
let own: Targets
let foreign: Targets

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  own = await furnish(admin)
  foreign = await furnish(await organisation(server))
})
afterAll(() => server.stop())

const kinds = Object.entries(TYPES) as [keyof Targets, string][]
const node = (by: Person, id: string) => by.ask(NODE, { id })

test.each(kinds)('an administrator reaches a %s by its id alone', async (kind, type) => {
  expect((await node(admin, own[kind])).node).toEqual({ __typename: type, id: own[kind] })
})

test('what was reached answers like it does on every other path', async () => {
  const { node: found } = await admin.ask(
    `query ($id: ID!) { node(id: $id) { ... on ProjectAccess { project { id } role { id } principal { ... on Member { id email } } } } }`,
    { id: own.projectAccess },
  )
  expect(found).toMatchObject({
    project: { id: own.project },
    role: { id: own.projectRole },
    principal: { id: own.member },
  })
  const { node: session } = await admin.ask(
    `query ($id: ID!) { node(id: $id) { ... on Session { id current tasks device member { id } idleExpiresAt expiresAt } } }`,
    { id: own.session },
  )
  expect(session).toMatchObject({
    id: own.session,
    current: false,
    tasks: [],
    member: { id: own.member },
  })
  const { node: current } = await admin.ask(
    `query ($id: ID!) { node(id: $id) { ... on Session { current tasks } } }`,
    {
      id: admin.sessionId,
    },
  )
  expect(current).toEqual({ current: true, tasks: [] })
})

test('people reach their own account and sessions, and nobody else does but operators', async () => {
  const member = await admin.bring()
  expect((await node(member, member.userId)).node.__typename).toBe('User')
  expect((await node(member, member.sessionId)).node.__typename).toBe('Session')
  await expect(node(admin, member.userId)).rejects.toBeRefused('NOT_FOUND')
  await expect(node(member, admin.userId)).rejects.toBeRefused('NOT_FOUND')
  await expect(node(member, admin.sessionId)).rejects.toBeRefused('NOT_FOUND')
  const chief = await operator(server)
  const { node: seen } = await chief.ask(
    `query ($id: ID!) { node(id: $id) { __typename ... on User { email sessions { nodes { id } } memberships { nodes { id } } apiKeys { nodes { id } } } } }`,
    { id: member.userId },
  )
  expect(seen).toEqual({
    __typename: 'User',
    email: member.email,
    sessions: { nodes: [{ id: member.sessionId }] },
    memberships: { nodes: [{ id: member.memberId }] },
    apiKeys: { nodes: [] },
  })
})

test.each([...kinds, ['user', 'User'] as const])(
  "a neighbour's %s answers exactly like an id that nothing has",
  async kind => {
    const said = async (id: string) => {
      const { message, code, reason } = await node(admin, id).catch(error => error)
      return { message, code, reason }
    }
    const theirs = await said(foreign[kind])
    expect(theirs.code).toBe('NOT_FOUND')
    expect(theirs).toEqual(await said(newId()))
  },
)

test('what is no id is named as such', async () => {
  for (const id of [
    '',
    'x',
    '0',
    `${newId()}0`,
    `{${newId()}}`,
    newId().replaceAll('-', ''),
    "' or 1=1 --",
  ])
    await expect(node(admin, id), id).rejects.toBeRefused('BAD_USER_INPUT', 'INVALID_FORMAT')
})

test('without the permission of the list an id leads nowhere either', async () => {
  const nobody = await bringWith(admin, [])
  const denied = kinds.filter(([kind]) => !['organisation', 'role', 'projectRole'].includes(kind))
  for (const [kind] of denied)
    await expect(node(nobody, own[kind]), kind).rejects.toBeRefused('NOT_FOUND')
  expect((await node(nobody, nobody.memberId)).node.__typename).toBe('Member')
  const viewer = await bringWith(admin, ['viewUser'])
  for (const kind of ['session', 'invitation', 'apiKey', 'serviceAccount', 'project'] as const)
    await expect(node(viewer, own[kind]), kind).rejects.toBeRefused('NOT_FOUND')
  expect((await node(viewer, own.projectAccess)).node.__typename).toBe('ProjectAccess')
})

test('a place in a project is seen with its principal or by those who say who enters there', async () => {
  const machine = await createServiceAccount(admin, [])
  const project = await createProject(admin)
  const access = await grant(admin, machine, project, own.projectRole)
  await expect(node(await bringWith(admin, ['viewUser']), access)).rejects.toBeRefused('NOT_FOUND')
  expect((await node(await bringWith(admin, ['manageServiceAccount']), access)).node.id).toBe(
    access,
  )
  expect((await node(await bringWith(admin, ['manageProject']), access)).node.id).toBe(access)
  const usher = await bringWith(admin, ['viewUser'])
  const place = await grant(
    admin,
    usher.memberId,
    project,
    (await admin.roles())['Project administrator']!,
  )
  expect((await node(usher, access)).node.id).toBe(access)
  expect((await node(usher, place)).node.id).toBe(place)
})

test('whoever a role does not show is not reached by id, nor through what points at them', async () => {
  const role = await createRole(admin, ['viewUser', 'manageUser'], { visibility: 'SELF' })
  const shy = await admin.bring(role.name)
  for (const kind of ['member', 'projectAccess', 'invitation', 'session'] as const)
    await expect(node(shy, own[kind]), kind).rejects.toBeRefused('NOT_FOUND')
})

test('what was removed or deleted is gone by id too', async () => {
  const gone = await furnish(admin)
  const acts: [string, string][] = [
    ['removeMember', gone.member],
    ['deleteServiceAccount', gone.serviceAccount],
    ['deleteRole', gone.role],
    ['deleteProject', gone.project],
  ]
  for (const [verb, id] of acts)
    await admin.ask(`mutation ($id: ID!) { ${verb}(id: $id) { deletedId } }`, { id })
  for (const kind of ['session', 'projectAccess', 'serviceAccount', 'role', 'project'] as const)
    await expect(node(admin, gone[kind]), kind).rejects.toBeRefused('NOT_FOUND')
  // of members a tombstone stays, for what they did still names them
  const { node: tombstone } = await admin.ask(
    `query ($id: ID!) { node(id: $id) { ... on Member { removedAt } } }`,
    {
      id: gone.member,
    },
  )
  expect(tombstone.removedAt).not.toBeNull()
})

test("a key reaches what its scopes show, and never its owner's account or sessions", async () => {
  const { secret } = await createKey(admin, admin.memberId, [
    'viewUser',
    'manageUser',
    'manageProject',
  ])
  const byKey = async (id: string) => (await askBy(admin, secret, NODE, { id })).node.__typename
  expect(await byKey(own.member)).toBe('Member')
  expect(await byKey(own.project)).toBe('Project')
  expect(await byKey(own.invitation)).toBe('Invitation')
  for (const id of [admin.userId, admin.sessionId, own.session, own.serviceAccount])
    await expect(byKey(id)).rejects.toBeRefused('NOT_FOUND')
})
