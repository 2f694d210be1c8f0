import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  act,
  addMember,
  createPermission,
  createProject,
  createRole,
  grant,
  holder,
  permissions,
  RANDOM_ID,
  updateProject,
} from './verbs.ts'

let server: TestServer
let admin: Person
let neighbour: Person
let roles: Record<string, string>

const BEYOND = ['FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS'] as const
const MISSING = ['FORBIDDEN', 'PERMISSION_MISSING'] as const

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
  await createPermission(admin, { name: 'invoice.approve' })
  await createPermission(admin, { name: 'invoice.read' })
  roles = await admin.roles()
})
afterAll(() => server.stop())

const projectsOf = async (by: Person) =>
  (
    await by.ask(`{ organisation { projects(first: 100) { nodes { id } } } }`)
  ).organisation.projects.nodes.map((each: { id: string }) => each.id)
test('a project is opened, changed and deleted', async () => {
  const made = await createProject(admin, {
    name: 'Crème Brûlée & Co',
    description: ' Sweet ',
    signInUrl: 'https://app.example.com/in',
  })
  expect(made).toMatchObject({
    name: 'Crème Brûlée & Co',
    slug: 'creme-brulee-co',
    description: 'Sweet',
    signInUrl: 'https://app.example.com/in',
    registration: {
      enabled: false,
      allowedEmailDomains: [],
      emailVerificationRequired: true,
      defaultRole: null,
    },
  })
  const changed = await updateProject(admin, made.id, {
    name: 'Bakery',
    slug: 'bakery',
    description: null,
    signInUrl: null,
    registration: {
      enabled: true,
      allowedEmailDomains: ['Example.com'],
      defaultRoleId: roles.Viewer,
    },
  })
  expect(changed).toMatchObject({
    name: 'Bakery',
    slug: 'bakery',
    description: null,
    signInUrl: null,
    registration: {
      enabled: true,
      allowedEmailDomains: ['example.com'],
      defaultRole: { name: 'Viewer' },
      emailVerificationRequired: true,
    },
  })
  // what is left out is kept
  expect(await updateProject(admin, made.id, {})).toEqual(changed)
  expect(await act(admin, 'deleteProject', made.id, 'deletedId organisation { id }')).toEqual({
    deletedId: made.id,
    organisation: { id: admin.organisationId },
  })
  await expect(act(admin, 'deleteProject', made.id)).rejects.toBeRefused('NOT_FOUND')
  await expect(updateProject(admin, made.id, { name: 'Back' })).rejects.toBeRefused('NOT_FOUND')
  await expect(grant(admin, admin.memberId, made.id, roles.Viewer!)).rejects.toBeRefused(
    'NOT_FOUND',
  )
  // its short name is free again
  await createProject(admin, { slug: 'bakery' })
})

test('short names are well made, derived or asked for, and unique in the organisation', async () => {
  await createProject(admin, { name: 'Twice' })
  await createProject(neighbour, { name: 'Twice' })
  await expect(createProject(admin, { name: 'Twice' })).rejects.toBeRefused(
    'CONFLICT',
    'ALREADY_EXISTS',
  )
  const free = await createProject(admin, { name: 'Twice', slug: 'twice-2' })
  await expect(updateProject(admin, free.id, { slug: 'twice' })).rejects.toBeRefused(
    'CONFLICT',
    'ALREADY_EXISTS',
  )
  const both = await Promise.allSettled([
    createProject(admin, { slug: 'race' }),
    createProject(admin, { slug: 'race' }),
  ])
  expect(both.filter(each => each.status === 'fulfilled')).toHaveLength(1)
  expect(
    (both.find(each => each.status === 'rejected') as PromiseRejectedResult).reason,
  ).toBeRefused('CONFLICT', 'ALREADY_EXISTS')
  for (const slug of ['', 'Upper', 'a b', '-a', 'a-', 'ä', 'a'.repeat(49)])
    await expect(createProject(admin, { slug })).rejects.toBeRefused('BAD_USER_INPUT')
  for (const name of ['', '  ', 'two\nlines', 'x'.repeat(101)])
    await expect(createProject(admin, { name, slug: 'fine' })).rejects.toBeRefused('BAD_USER_INPUT')
  for (const signInUrl of [
    'javascript:alert(1)',
    'data:text/html,x',
    'ftp://example.com',
    'nowhere',
    '//example.com',
  ])
    await expect(createProject(admin, { signInUrl }), signInUrl).rejects.toBeRefused(
      'BAD_USER_INPUT',
    )
})

test('only those who manage projects do, and a neighbour’s are unknown', async () => {
  const project = await createProject(admin)
  const member = await newcomer(admin)
  await expect(createProject(member)).rejects.toBeRefused(...MISSING)
  await expect(updateProject(member, project.id, { name: 'Mine' })).rejects.toBeRefused(...MISSING)
  await expect(act(member, 'deleteProject', project.id)).rejects.toBeRefused(...MISSING)
  for (const id of [project.id, RANDOM_ID]) {
    await expect(updateProject(neighbour, id, { name: 'Mine' })).rejects.toBeRefused('NOT_FOUND')
    await expect(act(neighbour, 'deleteProject', id)).rejects.toBeRefused('NOT_FOUND')
    await expect(
      neighbour.ask(`query ($id: ID!) { organisation { project(id: $id) { id } } }`, { id }),
    ).rejects.toBeRefused('NOT_FOUND')
  }
  await expect(grant(neighbour, admin.memberId, project.id, roles.Viewer!)).rejects.toBeRefused(
    'NOT_FOUND',
  )
  const own = await createProject(neighbour)
  const theirs = await neighbour.roles()
  await expect(grant(neighbour, admin.memberId, own.id, theirs.Viewer!)).rejects.toBeRefused(
    'NOT_FOUND',
  )
  await expect(grant(neighbour, neighbour.memberId, own.id, roles.Viewer!)).rejects.toBeRefused(
    'NOT_FOUND',
  )
  await expect(
    createProject(neighbour, { registration: { defaultRoleId: roles.Viewer } }),
  ).rejects.toBeRefused('NOT_FOUND')
})

test('people hold different roles in different projects, and see those they can enter', async () => {
  const approver = await createRole(admin, ['invoice.approve', 'invoice.read'], {
    level: 'PROJECT',
  })
  const reader = await createRole(admin, ['invoice.read'], { level: 'PROJECT' })
  const [one, two, three] = [
    await createProject(admin),
    await createProject(admin),
    await createProject(admin),
  ]
  const person = await newcomer(admin)
  expect(await projectsOf(person)).toEqual([])
  await grant(admin, person.memberId, one.id, approver.id)
  await grant(admin, person.memberId, two.id, reader.id)
  expect((await projectsOf(person)).toSorted()).toEqual(
    [one.id as string, two.id as string].toSorted(),
  )
  expect(await permissions(person, one.id)).toEqual(['viewUser', 'invoice.approve', 'invoice.read'])
  expect(await permissions(person, two.id)).toEqual(['viewUser', 'invoice.read'])
  expect(await permissions(person, three.id)).toEqual(['viewUser'])
  expect(await permissions(person, RANDOM_ID)).toEqual(['viewUser'])
  await expect(
    person.ask(`query ($id: ID!) { organisation { project(id: $id) { id } } }`, { id: three.id }),
  ).rejects.toBeRefused('NOT_FOUND')
  // the Administrator holds everything in every project without a place in it
  expect(await permissions(admin, three.id)).toEqual(
    expect.arrayContaining(['manageProjectAccess', 'invoice.approve', 'invoice.read']),
  )

  const changed = await grant(admin, person.memberId, one.id, reader.id)
  expect(changed.role.id).toBe(reader.id)
  expect(await permissions(person, one.id)).toEqual(['viewUser', 'invoice.read'])
  await act(admin, 'revokeProjectAccess', changed.id)
  expect(await permissions(person, one.id)).toEqual(['viewUser'])
  expect(await projectsOf(person)).toEqual([two.id])
  await expect(act(admin, 'revokeProjectAccess', changed.id)).rejects.toBeRefused('NOT_FOUND')
  await expect(grant(admin, person.memberId, one.id, roles.Member!)).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'ROLE_LEVEL_MISMATCH',
  )
})

test('who manages access inside one project does so there alone, and within what they hold there', async () => {
  const approver = await createRole(admin, ['invoice.approve'], { level: 'PROJECT' })
  const [mine, other] = [await createProject(admin), await createProject(admin)]
  const local = await newcomer(admin)
  const person = await newcomer(admin)
  const strong = await newcomer(admin)
  await grant(admin, local.memberId, mine.id, roles['Project administrator']!)
  await grant(admin, local.memberId, other.id, roles.Viewer!)
  const far = await grant(admin, person.memberId, other.id, roles.Viewer!)
  const high = await grant(admin, strong.memberId, mine.id, approver.id)

  const near = await grant(local, person.memberId, mine.id, roles.Viewer!)
  await grant(local, person.memberId, mine.id, roles['Project administrator']!)
  await expect(grant(local, person.memberId, mine.id, approver.id)).rejects.toBeRefused(...BEYOND)
  await expect(grant(local, local.memberId, mine.id, approver.id)).rejects.toBeRefused(...BEYOND)
  await expect(grant(local, strong.memberId, mine.id, roles.Viewer!)).rejects.toBeRefused(...BEYOND)
  await expect(act(local, 'revokeProjectAccess', high.id)).rejects.toBeRefused(...BEYOND)
  await act(local, 'revokeProjectAccess', near.id)
  await expect(grant(local, person.memberId, other.id, roles.Viewer!)).rejects.toBeRefused(
    ...MISSING,
  )
  await expect(act(local, 'revokeProjectAccess', far.id)).rejects.toBeRefused('NOT_FOUND')
  await expect(updateProject(local, mine.id, { name: 'Mine' })).rejects.toBeRefused(...MISSING)
  const access = `query ($id: ID!) { organisation { project(id: $id) { access { nodes { id } } } } }`
  expect((await local.ask(access, { id: mine.id })).organisation.project.access.nodes).toHaveLength(
    2,
  )
  await expect(local.ask(access, { id: other.id })).rejects.toBeRefused(...MISSING)
  // demoted there, the next request is refused
  await grant(admin, local.memberId, mine.id, roles.Viewer!)
  await expect(grant(local, person.memberId, mine.id, roles.Viewer!)).rejects.toBeRefused(
    ...MISSING,
  )
})

test('who manages projects hands out no more in them than they hold themselves', async () => {
  const approver = await createRole(admin, ['invoice.approve'], { level: 'PROJECT' })
  const project = await createProject(admin)
  const planner = await holder(admin, ['viewUser', 'manageProject'])
  await grant(planner, planner.memberId, project.id, roles['Project administrator']!)
  await expect(grant(planner, planner.memberId, project.id, approver.id)).rejects.toBeRefused(
    ...BEYOND,
  )
  const harmless = await updateProject(planner, project.id, {
    registration: { defaultRoleId: roles.Viewer },
  })
  expect(harmless.registration.defaultRole.name).toBe('Viewer')
  await expect(
    updateProject(planner, project.id, { registration: { defaultRoleId: approver.id } }),
  ).rejects.toBeRefused(...BEYOND)
  await expect(
    createProject(planner, { registration: { defaultRoleId: approver.id } }),
  ).rejects.toBeRefused(...BEYOND)
})

test('only who holds everything points sign-in links, which Administrators get too, at a page', async () => {
  const signInUrl = 'https://app.example.com/in'
  const planner = await holder(admin, ['viewUser', 'manageProject'])
  await expect(createProject(planner, { signInUrl })).rejects.toBeRefused(...BEYOND)
  const project = await createProject(admin, { signInUrl })
  await expect(
    updateProject(planner, project.id, { signInUrl: 'https://evil.example/in' }),
  ).rejects.toBeRefused(...BEYOND)
  // what is there may stay, and go
  expect((await updateProject(planner, project.id, { name: 'Renamed', signInUrl })).signInUrl).toBe(
    signInUrl,
  )
  expect((await updateProject(planner, project.id, { signInUrl: null })).signInUrl).toBeNull()
  await expect(updateProject(planner, project.id, { signInUrl })).rejects.toBeRefused(...BEYOND)
})

test('of two places given at once, nobody overwrites the one that holds more than they do', async () => {
  const approver = await createRole(admin, ['invoice.approve'], { level: 'PROJECT' })
  const project = await createProject(admin)
  const local = await newcomer(admin)
  await grant(admin, local.memberId, project.id, roles['Project administrator']!)
  const people = await Promise.all(Array.from({ length: 12 }, () => newcomer(admin)))
  await Promise.all(
    people.flatMap(({ memberId }) => [
      grant(local, memberId, project.id, roles.Viewer!).catch(error => {
        if (error.reason !== 'EXCEEDS_OWN_PERMISSIONS') throw error
      }),
      grant(admin, memberId, project.id, approver.id),
    ]),
  )
  for (const person of people)
    expect(await permissions(person, project.id)).toContain('invoice.approve')
})

test('who opens registration hands out what newcomers get', async () => {
  const approver = await createRole(admin, ['invoice.approve'], { level: 'PROJECT' })
  const planner = await holder(admin, ['viewUser', 'manageProject'])
  const closed = await createProject(admin, { registration: { defaultRoleId: approver.id } })
  const open = await createProject(admin, {
    registration: { enabled: true, defaultRoleId: approver.id, allowedEmailDomains: ['a.example'] },
  })
  for (const registration of [
    { enabled: true },
    { enabled: true, emailVerificationRequired: false, allowedEmailDomains: ['mine.example'] },
  ])
    await expect(updateProject(planner, closed.id, { registration })).rejects.toBeRefused(...BEYOND)
  for (const registration of [
    { allowedEmailDomains: [] },
    { allowedEmailDomains: ['mine.example'] },
    { emailVerificationRequired: false },
  ])
    await expect(updateProject(planner, open.id, { registration })).rejects.toBeRefused(...BEYOND)
  await updateProject(planner, open.id, { name: 'Renamed' })
  await updateProject(planner, open.id, {
    registration: { enabled: true, defaultRoleId: roles.Viewer, allowedEmailDomains: [] },
  })

  // newcomers hold the default role of the organisation besides
  const narrow = await holder(admin, ['manageProject'])
  await expect(
    createProject(narrow, { registration: { enabled: true, defaultRoleId: roles.Viewer } }),
  ).rejects.toBeRefused(...BEYOND)
  await expect(
    updateProject(narrow, open.id, { registration: { allowedEmailDomains: ['b.example'] } }),
  ).rejects.toBeRefused(...BEYOND)
  await createProject(narrow, { registration: { defaultRoleId: roles.Viewer } })
  const shut = await updateProject(narrow, open.id, { registration: { enabled: false } })
  expect(shut.registration.enabled).toBe(false)
})

test('a project that one neither enters nor manages is as unknown as none', async () => {
  const hidden = await createProject(admin)
  const person = await newcomer(admin)
  const clerk = await holder(admin, ['viewUser', 'manageUser'])
  const said = (by: Person, projectId: string) =>
    grant(by, person.memberId, projectId, roles.Viewer!).catch(({ code, reason, message }) => ({
      code,
      reason,
      message,
    }))
  for (const by of [person, clerk]) {
    const unknown = await said(by, RANDOM_ID)
    expect(unknown).toMatchObject({ code: 'NOT_FOUND' })
    expect(await said(by, hidden.id)).toEqual(unknown)
  }
  for (const projectId of [hidden.id, RANDOM_ID])
    await expect(
      addMember(clerk, { projectAccess: [{ projectId, roleId: roles.Viewer }] }),
    ).rejects.toBeRefused('NOT_FOUND')
  // inside, but without a say in it
  await grant(admin, clerk.memberId, hidden.id, roles.Viewer!)
  expect(await said(clerk, hidden.id)).toMatchObject({ reason: 'PERMISSION_MISSING' })
})
