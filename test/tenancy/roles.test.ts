import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refusal } from '../support/client.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  addMember,
  assign,
  createPermission,
  createProject,
  createRole,
  deletePermission,
  deleteRole,
  grant,
  permissions,
  RANDOM_ID,
  updateProject,
  updateRole,
  updateSettings,
} from './verbs.ts'

let server: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

const fault = async (asked: Promise<unknown>) => {
  const refusal = await asked.catch((error: unknown) => error)
  return refusal instanceof Refusal ? (refusal.extensions.fields as unknown[])[0] : refusal
}

const roleOf = async (by: Person, id: string) =>
  (
    await by.ask(
      `query ($id: ID!) { organisation { role(id: $id) { id name holderCount permissions { name } viewerCanAssign viewerCanUpdate } } }`,
      { id },
    )
  ).organisation.role

test('the catalogue lists what is built in and what was defined here, by level', async () => {
  const made = await createPermission(neighbour, { name: 'invoice.approve' })
  expect(made).toMatchObject({ name: 'invoice.approve', level: 'PROJECT', builtIn: false })
  const { organisation: there } = await neighbour.ask(
    `{ organisation { all: permissions { name builtIn } inside: permissions(level: PROJECT) { name } } }`,
  )
  expect(there.all).toHaveLength(11)
  expect(there.all.filter((each: { builtIn: boolean }) => each.builtIn)).toHaveLength(10)
  expect(there.inside).toEqual([{ name: 'manageProjectAccess' }, { name: 'invoice.approve' }])
  const { organisation: here } = await admin.ask(`{ organisation { permissions { name } } }`)
  expect(here.permissions).toHaveLength(10)
})

test('a permission of one’s own reaches roles, callers and the Administrator, and goes from all when deleted', async () => {
  await createPermission(admin, { name: 'report.read', level: 'ORGANISATION' })
  const role = await createRole(admin, ['viewUser', 'report.read'])
  const person = await newcomer(admin, { roleId: role.id })
  expect(await permissions(person)).toEqual(['viewUser', 'report.read'])
  expect(await permissions(admin)).toContain('report.read')

  await deletePermission(admin, 'report.read')
  expect(await permissions(person)).toEqual(['viewUser'])
  expect(await permissions(admin)).not.toContain('report.read')
  expect((await roleOf(admin, role.id)).permissions).toEqual([{ name: 'viewUser' }])
  // defined anew, it does not come back by itself
  await createPermission(admin, { name: 'report.read', level: 'ORGANISATION' })
  expect(await permissions(person)).toEqual(['viewUser'])
  await deletePermission(admin, 'report.read')
  await expect(deletePermission(admin, 'report.read')).rejects.toBeRefused('NOT_FOUND')
})

test('what was retired a moment ago, in the same document, is in no role and no key', async () => {
  const name = 'ghost.walk'
  const role = await createRole(admin)
  const ways = {
    createRole: `createRole(input: { name: "Ghost", level: ORGANISATION, permissions: ["${name}"] })`,
    updateRole: `updateRole(id: "${role.id}", input: { permissions: ["${name}"] })`,
    createApiKey: `createApiKey(input: { ownerId: "${admin.memberId}", name: "Ghost", scopes: ["${name}"] })`,
  }
  for (const [verb, call] of Object.entries(ways)) {
    await createPermission(admin, { name, level: 'ORGANISATION' })
    await expect(
      admin.ask(
        `mutation { deletePermission(name: "${name}") { organisation { id } } ${call} { __typename } }`,
      ),
      verb,
    ).rejects.toBeRefused('BAD_USER_INPUT', 'PERMISSION_UNKNOWN')
  }
  // it would come back with its name
  const [held] = await server.database.owner(
    `select (select count(*) from role where $1 = any(permissions))::int as roles,
      (select count(*) from api_key where $1 = any(scopes))::int as keys`,
    [name],
  )
  expect(held).toEqual({ roles: 0, keys: 0 })
})

test('a permission needs a good name, a description, and one that is not taken', async () => {
  for (const name of [
    '',
    'has space',
    'naïve',
    '.dot',
    'dot.',
    'a..b',
    '1st',
    'a-b',
    'a'.repeat(65),
    '__proto__',
  ])
    expect(await fault(createPermission(admin, { name }))).toMatchObject({
      path: ['input', 'name'],
      reason: 'INVALID_FORMAT',
    })
  expect(await fault(createPermission(admin, { name: 'ok.name', description: ' ' }))).toMatchObject(
    {
      path: ['input', 'description'],
      reason: 'REQUIRED',
    },
  )
  await createPermission(admin, { name: 'taken.once' })
  for (const name of ['taken.once', 'manageUser', 'manageProjectAccess'])
    await expect(createPermission(admin, { name })).rejects.toBeRefused(
      'CONFLICT',
      'ALREADY_EXISTS',
    )
  await deletePermission(admin, 'taken.once')
  for (const name of ['manageUser', 'invoice.approve', RANDOM_ID])
    await expect(deletePermission(admin, name)).rejects.toBeRefused('NOT_FOUND')
})

test('an organisation has at most a hundred permissions of its own, also when they are made at once', async () => {
  const crowded = await organisation(server)
  await server.database.owner(
    `insert into permission (organisation_id, name, description, level, created_at)
     select $1, 'own.n' || n, 'x', 'PROJECT', now() from generate_series(1, 98) n`,
    [crowded.organisationId],
  )
  const outcomes = await Promise.allSettled(
    ['one', 'two', 'three', 'four'].map(name => createPermission(crowded, { name })),
  )
  expect(outcomes.filter(each => each.status === 'fulfilled')).toHaveLength(2)
  await expect(createPermission(crowded, { name: 'more' })).rejects.toBeRefused(
    'CONFLICT',
    'STATE_MISMATCH',
  )
})

test('a role is created, changed and deleted', async () => {
  const role = await createRole(admin, ['manageUser', 'viewAudit', 'viewAudit'], {
    name: 'Support desk',
    visibility: 'SHARED_PROJECTS',
  })
  expect(role).toMatchObject({
    name: 'Support desk',
    level: 'ORGANISATION',
    visibility: 'SHARED_PROJECTS',
    holderCount: 0,
  })
  // what a permission implies is shown with it
  expect(role.permissions.map((each: { name: string }) => each.name)).toEqual([
    'viewUser',
    'manageUser',
    'viewAudit',
  ])
  const changed = await updateRole(admin, role.id, { name: 'Desk', permissions: [] })
  expect(changed).toMatchObject({ name: 'Desk', permissions: [], visibility: 'SHARED_PROJECTS' })
  await expect(createRole(admin, [], { name: 'DESK' })).rejects.toBeRefused(
    'CONFLICT',
    'ALREADY_EXISTS',
  )
  const gone = await deleteRole(admin, role.id)
  expect(gone).toEqual({ deletedId: role.id, organisation: { id: admin.organisationId } })
  await expect(roleOf(admin, role.id)).rejects.toBeRefused('NOT_FOUND')
  await expect(updateRole(admin, role.id, { name: 'Back' })).rejects.toBeRefused('NOT_FOUND')
  await expect(deleteRole(admin, role.id)).rejects.toBeRefused('NOT_FOUND')
  await createRole(admin, [], { name: 'Desk' })
})

test('unknown permissions and those of the other level are refused with the place where they stand', async () => {
  const path = ['input', 'permissions', 1]
  expect(await fault(createRole(admin, ['viewUser', 'invoice.approve']))).toMatchObject({
    path,
    reason: 'PERMISSION_UNKNOWN',
  })
  expect(await fault(createRole(admin, ['viewUser', 'manageProjectAccess']))).toMatchObject({
    path,
    reason: 'ROLE_LEVEL_MISMATCH',
  })
  const inside = await createRole(admin, ['manageProjectAccess'], { level: 'PROJECT' })
  expect(
    await fault(
      updateRole(admin, inside.id, { permissions: ['manageProjectAccess', 'manageUser'] }),
    ),
  ).toMatchObject({
    path,
    reason: 'ROLE_LEVEL_MISMATCH',
  })
  const named = await createRole(admin)
  expect(await fault(assign(admin, admin.memberId, inside.id))).toMatchObject({
    path: ['input', 'roleId'],
    reason: 'ROLE_LEVEL_MISMATCH',
  })
  await expect(deleteRole(admin, named.id, inside.id)).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'ROLE_LEVEL_MISMATCH',
  )
  await expect(deleteRole(admin, named.id, named.id)).rejects.toBeRefused('BAD_USER_INPUT')
})

test('the Administrator role cannot change, and roles of a neighbour are unknown', async () => {
  const { Administrator, Member } = await admin.roles()
  await expect(updateRole(admin, Administrator!, { name: 'Boss' })).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await expect(deleteRole(admin, Administrator!, Member)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  const theirs = (await neighbour.roles()).Member!
  const mine = await createRole(admin)
  for (const id of [theirs, RANDOM_ID]) {
    await expect(roleOf(admin, id)).rejects.toBeRefused('NOT_FOUND')
    await expect(updateRole(admin, id, { name: 'Mine' })).rejects.toBeRefused('NOT_FOUND')
    await expect(deleteRole(admin, id)).rejects.toBeRefused('NOT_FOUND')
    await expect(deleteRole(admin, mine.id, id)).rejects.toBeRefused('NOT_FOUND')
    await expect(assign(admin, admin.memberId, id)).rejects.toBeRefused('NOT_FOUND')
    await expect(addMember(admin, { roleId: id })).rejects.toBeRefused('NOT_FOUND')
    await expect(updateSettings(admin, { defaultRoleId: id })).rejects.toBeRefused('NOT_FOUND')
  }
})

test('a role that is named somewhere is deleted only with a replacement, to which everything moves', async () => {
  const old = await createRole(admin, ['viewUser'])
  const next = await createRole(admin, ['viewUser'])
  const held = await newcomer(admin, { roleId: old.id })
  const waiting = await addMember(admin, { roleId: old.id })
  await updateSettings(admin, { defaultRoleId: old.id })
  expect((await roleOf(admin, old.id)).holderCount).toBe(2)
  await expect(deleteRole(admin, old.id)).rejects.toBeRefused('CONFLICT', 'IN_USE')
  await deleteRole(admin, old.id, next.id)

  const { organisation: now } = await admin.ask(
    `query ($a: ID!, $b: ID!) { organisation { settings { defaultRole { id } } a: member(id: $a) { role { id } } b: member(id: $b) { role { id } } } }`,
    { a: held.memberId, b: waiting.member.id },
  )
  const moved = { role: { id: next.id } }
  expect(now).toEqual({ settings: { defaultRole: { id: next.id } }, a: moved, b: moved })
  expect((await roleOf(admin, next.id)).holderCount).toBe(2)
  const { Member } = await admin.roles()
  await updateSettings(admin, { defaultRoleId: Member! })
})

test('a project role is deleted with its places and registrations moved', async () => {
  const old = await createRole(admin, [], { level: 'PROJECT' })
  const next = await createRole(admin, [], { level: 'PROJECT' })
  const project = await createProject(admin, { registration: { defaultRoleId: old.id } })
  const person = await newcomer(admin)
  await grant(admin, person.memberId, project.id, old.id)
  expect((await roleOf(admin, old.id)).holderCount).toBe(1)
  await expect(deleteRole(admin, old.id)).rejects.toBeRefused('CONFLICT', 'IN_USE')
  await deleteRole(admin, old.id, next.id)
  const { organisation: now } = await admin.ask(
    `query ($id: ID!) { organisation { project(id: $id) { registration { defaultRole { id } } access { nodes { role { id } } } } } }`,
    { id: project.id },
  )
  expect(now.project).toEqual({
    registration: { defaultRole: { id: next.id } },
    access: { nodes: [{ role: { id: next.id } }] },
  })
})

test('a default role is never an administrative one, whichever way it is tried', async () => {
  const strong = await createRole(admin, ['manageUser'])
  const plain = await createRole(admin, ['viewUser'])
  await expect(updateSettings(admin, { defaultRoleId: strong.id })).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await updateSettings(admin, { defaultRoleId: plain.id })
  await expect(updateRole(admin, plain.id, { permissions: ['manageUser'] })).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await expect(deleteRole(admin, plain.id, strong.id)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )

  const inside = await createRole(admin, [], { level: 'PROJECT' })
  const project = await createProject(admin, { registration: { defaultRoleId: inside.id } })
  const { 'Project administrator': ruler } = await admin.roles()
  await expect(
    updateProject(admin, project.id, { registration: { defaultRoleId: ruler } }),
  ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await expect(
    createProject(admin, { registration: { defaultRoleId: ruler } }),
  ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await expect(
    updateRole(admin, inside.id, { permissions: ['manageProjectAccess'] }),
  ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await expect(deleteRole(admin, inside.id, ruler)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
})
