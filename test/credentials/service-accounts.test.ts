import { afterAll, beforeAll, expect, test } from 'vitest'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  bringWith,
  createKey,
  createProject,
  createRole,
  createServiceAccount,
  heldBy,
  readKey,
} from './keys.ts'

const CREATE = `mutation ($input: CreateServiceAccountInput!) {
  createServiceAccount(input: $input) { serviceAccount { id name description status role { id } createdBy { id } projectAccess { nodes { project { id } role { name } } } } } }`
const UPDATE = `mutation ($id: ID!, $input: UpdateServiceAccountInput!) {
  updateServiceAccount(id: $id, input: $input) { serviceAccount { id name description status role { id } } } }`
const DELETE = `mutation ($id: ID!) { deleteServiceAccount(id: $id) { deletedId organisation { id } } }`
const ONE = `query ($id: ID!) { organisation { serviceAccount(id: $id) { id name status } } }`
const RANDOM = '0190aaaa-0000-7000-8000-000000000000'

let server: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

test('an administrator creates a machine identity with a role and a place in a project', async () => {
  const roles = await admin.roles()
  const projectId = await createProject(admin)
  const { createServiceAccount: made } = await admin.ask(CREATE, {
    input: {
      name: '  Importer ',
      description: 'Brings staff in.',
      roleId: roles.Member,
      projectAccess: [{ projectId, roleId: roles.Viewer }],
    },
  })
  expect(made.serviceAccount).toMatchObject({
    name: 'Importer',
    description: 'Brings staff in.',
    status: 'ACTIVE',
    role: { id: roles.Member },
    createdBy: { id: admin.memberId },
    projectAccess: { nodes: [{ project: { id: projectId }, role: { name: 'Viewer' } }] },
  })
  const events = await server.database.owner(
    `select topic, actor_id as by from event where target_id = $1 order by topic`,
    [made.serviceAccount.id],
  )
  const by = admin.memberId
  expect(events).toEqual([
    { topic: 'project_access.granted', by },
    { topic: 'service_account.created', by },
  ])
})

test('its name, purpose, role and switch can be changed, and what is left out stays', async () => {
  const id = await createServiceAccount(admin, ['viewUser'], { description: 'Old words' })
  const role = await createRole(admin, ['viewAudit'])
  const { updateServiceAccount: first } = await admin.ask(UPDATE, {
    id,
    input: { name: 'Renamed', roleId: role.id },
  })
  expect(first.serviceAccount).toMatchObject({
    name: 'Renamed',
    description: 'Old words',
    status: 'ACTIVE',
    role: { id: role.id },
  })
  const { updateServiceAccount: second } = await admin.ask(UPDATE, {
    id,
    input: { description: null, enabled: false },
  })
  expect(second.serviceAccount).toMatchObject({
    name: 'Renamed',
    description: null,
    status: 'INACTIVE',
  })
  await expect(admin.ask(UPDATE, { id, input: { roleId: null } })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'REQUIRED',
  )
  await expect(admin.ask(UPDATE, { id, input: { name: ' ' } })).rejects.toBeRefused(
    'BAD_USER_INPUT',
  )
})

test('service accounts are listed by name, found by its beginning, and counted', async () => {
  const { id: roleId } = await createRole(admin, [])
  for (const name of ['Zürich sync', 'zurich backup', 'Zagreb sync'])
    await admin.ask(CREATE, { input: { name, roleId } })
  const list = `query ($search: String, $after: String, $first: Int! = 25) {
    organisation { serviceAccounts(search: $search, first: $first, after: $after) { totalCount nodes { name } pageInfo { hasNextPage endCursor } } } }`
  const { organisation: found } = await admin.ask(list, { search: 'ZURICH' })
  expect(found.serviceAccounts.totalCount).toBe(2)
  expect(found.serviceAccounts.nodes.map((node: { name: string }) => node.name)).toEqual([
    'zurich backup',
    'Zürich sync',
  ])
  const names: string[] = []
  let after: string | null = null
  do {
    const { organisation: page }: any = await admin.ask(list, { search: 'z', first: 1, after })
    names.push(...page.serviceAccounts.nodes.map((node: { name: string }) => node.name))
    after = page.serviceAccounts.pageInfo.hasNextPage
      ? page.serviceAccounts.pageInfo.endCursor
      : null
  } while (after)
  expect(names).toEqual(['Zagreb sync', 'zurich backup', 'Zürich sync'])
})

test('a service account never gets a role beyond that of its maker, at birth or later', async () => {
  const keeper = await bringWith(admin, ['manageServiceAccount', 'viewUser'])
  const more = await createRole(admin, ['manageServiceAccount', 'manageRole'])
  const { Administrator } = await admin.roles()
  const { id: least } = await createRole(admin, [], { visibility: 'SELF' })
  for (const roleId of [more.id, Administrator])
    await expect(keeper.ask(CREATE, { input: { name: 'Beyond', roleId } })).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
  const { createServiceAccount: made } = await keeper.ask(CREATE, {
    input: { name: 'Within', roleId: least },
  })
  await expect(
    keeper.ask(UPDATE, { id: made.serviceAccount.id, input: { roleId: more.id } }),
  ).rejects.toBeRefused('FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS')
})

test('a service account that holds more than the caller is out of their reach', async () => {
  const mighty = await createServiceAccount(admin, ['manageRole'])
  const keeper = await bringWith(admin, ['manageServiceAccount'])
  const { id: least } = await createRole(admin, [])
  for (const [document, variables] of [
    [UPDATE, { id: mighty, input: { enabled: false } }],
    [UPDATE, { id: mighty, input: { name: 'Taken' } }],
    [UPDATE, { id: mighty, input: { roleId: least } }],
    [DELETE, { id: mighty }],
  ] as const)
    await expect(keeper.ask(document, variables)).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
})

test('switched off its keys are blocked, and switched on they work again', async () => {
  const id = await createServiceAccount(admin, ['viewUser'])
  const key = await createKey(admin, id, ['viewUser'])
  expect(await heldBy(admin, key.secret)).toEqual(['viewUser'])
  await admin.ask(UPDATE, { id, input: { enabled: false } })
  expect(await heldBy(admin, key.secret)).toBeNull()
  expect((await readKey(admin, key.id)).status).toBe('BLOCKED')
  await admin.ask(UPDATE, { id, input: { enabled: true } })
  expect(await heldBy(admin, key.secret)).toEqual(['viewUser'])
  expect((await readKey(admin, key.id)).status).toBe('ACTIVE')
})

test('deleted it leaves every list and its keys are revoked for good', async () => {
  const id = await createServiceAccount(admin, ['viewUser'])
  const key = await createKey(admin, id, ['viewUser'])
  const { deleteServiceAccount } = await admin.ask(DELETE, { id })
  expect(deleteServiceAccount).toMatchObject({
    deletedId: id,
    organisation: { id: admin.organisationId },
  })
  expect(await heldBy(admin, key.secret)).toBeNull()
  const [row] = await server.database.owner(`select revoked_at from api_key where id = $1`, [
    key.id,
  ])
  expect(row!.revoked_at).not.toBeNull()
  await expect(admin.ask(ONE, { id })).rejects.toBeRefused('NOT_FOUND')
  await expect(admin.ask(UPDATE, { id, input: { enabled: true } })).rejects.toBeRefused('NOT_FOUND')
  await expect(admin.ask(DELETE, { id })).rejects.toBeRefused('NOT_FOUND')
})

test('the neighbour cannot see, change or delete it, and cannot borrow a role', async () => {
  const id = await createServiceAccount(admin, ['viewUser'])
  const { Member: foreignRole } = await admin.roles()
  await expect(neighbour.ask(ONE, { id })).rejects.toBeRefused('NOT_FOUND')
  await expect(neighbour.ask(UPDATE, { id, input: { enabled: false } })).rejects.toBeRefused(
    'NOT_FOUND',
  )
  await expect(neighbour.ask(DELETE, { id })).rejects.toBeRefused('NOT_FOUND')
  await expect(
    neighbour.ask(CREATE, { input: { name: 'X', roleId: foreignRole } }),
  ).rejects.toBeRefused('NOT_FOUND')
  await expect(admin.ask(DELETE, { id: RANDOM })).rejects.toBeRefused('NOT_FOUND')
  const { organisation: ours } = await admin.ask(ONE, { id })
  expect(ours.serviceAccount.status).toBe('ACTIVE')
})

test('without `manageServiceAccount` everything about them is refused', async () => {
  const id = await createServiceAccount(admin, ['viewUser'])
  const { Member } = await admin.roles()
  const other = await bringWith(admin, ['viewUser', 'manageUser', 'manageRole'])
  for (const [document, variables] of [
    [CREATE, { input: { name: 'X', roleId: Member } }],
    [UPDATE, { id, input: { enabled: false } }],
    [DELETE, { id }],
    [ONE, { id }],
    [`{ organisation { serviceAccounts { nodes { id } } } }`, {}],
  ] as const)
    await expect(other.ask(document, variables)).rejects.toBeRefused(
      'FORBIDDEN',
      'PERMISSION_MISSING',
    )
  await expect(other.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id })).rejects.toBeRefused(
    'NOT_FOUND',
  )
})
