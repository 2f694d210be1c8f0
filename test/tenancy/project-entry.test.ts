import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { act, admit, assign, createProject, grant, RANDOM_ID, switchProject } from './verbs.ts'

let server: TestServer
let admin: Person
let neighbour: Person
let roles: Record<string, string>

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
  roles = await admin.roles()
})
afterAll(() => server.stop())

const place = async (by: Person) => {
  const { viewer, me } = await by.ask(
    `{ viewer { project { id } session { project { id } } organisation { id } } me { sessions { nodes { current project { id } } } } }`,
  )
  expect(viewer.session.project).toEqual(viewer.project)
  // the list says the same
  const own = me.sessions.nodes.find((each: { current: boolean }) => each.current)
  expect(own.project).toEqual(viewer.project)
  return viewer.project?.id ?? null
}

test('a session enters projects of its person, and leaves them when put out, demoted or when they are deleted', async () => {
  const [one, two] = [await createProject(admin), await createProject(admin)]
  const person = await newcomer(admin)
  const first = await grant(admin, person.memberId, one.id, roles.Viewer!)
  await grant(admin, person.memberId, two.id, roles.Viewer!)
  const before = person.accessToken
  await switchProject(person, one.id)
  expect(await place(person)).toBe(one.id)
  const claims = JSON.parse(Buffer.from(person.accessToken.split('.')[1]!, 'base64url').toString())
  expect(claims.prj).toBe(one.id)
  const stale = Object.assign(Object.create(person) as Person, { accessToken: before })
  await expect(stale.ask(`{ me { id } }`)).rejects.toBeRefused('UNAUTHENTICATED')
  await expect(switchProject(person, RANDOM_ID)).rejects.toBeRefused('NOT_FOUND')
  await expect(switchProject(person, (await createProject(admin)).id)).rejects.toBeRefused(
    'NOT_FOUND',
  )
  await expect(switchProject(person, (await createProject(neighbour)).id)).rejects.toBeRefused(
    'NOT_FOUND',
  )
  expect(await place(person)).toBe(one.id)

  await act(admin, 'revokeProjectAccess', first.id)
  expect(await place(person)).toBeNull()
  await switchProject(person, two.id)
  await act(admin, 'deleteProject', two.id)
  expect(await place(person)).toBeNull()
  await expect(switchProject(person, two.id)).rejects.toBeRefused('NOT_FOUND')

  const ruler = await newcomer(admin, { roleId: roles.Administrator })
  await switchProject(ruler, one.id)
  expect(await place(ruler)).toBe(one.id)
  await assign(admin, ruler.memberId, roles.Member!)
  expect(await place(ruler)).toBeNull()
  await switchProject(ruler, null)
})

test('switching to a project elsewhere switches the organisation, unless the membership there is closed', async () => {
  const theirs = await createProject(neighbour)
  const there = await neighbour.roles()
  const person = await newcomer(admin)
  const memberId = await admit(neighbour, person)
  await expect(switchProject(person, theirs.id)).rejects.toBeRefused('NOT_FOUND')
  await grant(neighbour, memberId, theirs.id, there.Viewer!)
  const second = await signIn(server, person.email, undefined, {
    organisationId: admin.organisationId,
  })
  await switchProject(person, theirs.id)
  expect(person.organisationId).toBe(neighbour.organisationId)
  expect(await place(person)).toBe(theirs.id)
  for (const [bar, readmit] of [
    ['lockMember', 'unlockMember'],
    ['suspendMember', 'activateMember'],
  ] as const) {
    await act(neighbour, bar, memberId)
    await expect(switchProject(second, theirs.id)).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
    await act(neighbour, readmit, memberId)
  }
  await act(neighbour, 'removeMember', memberId)
  await expect(switchProject(second, theirs.id)).rejects.toBeRefused('NOT_FOUND')
  const rows = await server.database.owner(
    `select id from project_access where principal_id = $1`,
    [memberId],
  )
  expect(rows).toEqual([])
})

test('the database keeps project, role and principal in one organisation', async () => {
  const theirs = await neighbour.roles()
  const [mine, other] = [await createProject(admin), await createProject(neighbour)]
  const insert = (organisationId: string, projectId: string, principalId: string, roleId: string) =>
    server.database.owner(
      `insert into project_access (id, created_at, organisation_id, project_id, principal_id, role_id) values (gen_random_uuid(), now(), $1, $2, $3, $4)`,
      [organisationId, projectId, principalId, roleId],
    )
  const here = admin.organisationId
  await expect(insert(here, other.id, admin.memberId, roles.Viewer!)).rejects.toThrow(
    /project_access_project/,
  )
  await expect(insert(here, mine.id, neighbour.memberId, roles.Viewer!)).rejects.toThrow(
    /project_access_of/,
  )
  await expect(insert(here, mine.id, admin.memberId, theirs.Viewer!)).rejects.toThrow(
    /project_access_with_role/,
  )
  await expect(insert(here, mine.id, admin.memberId, roles.Member!)).rejects.toThrow(
    /project_access_with_role/,
  )
  const set = (text: string, values: string[]) => server.database.owner(text, values)
  await expect(
    set(`update principal set role_id = $1 where id = $2`, [theirs.Member!, admin.memberId]),
  ).rejects.toThrow(/principal_role/)
  await expect(
    set(`update principal set role_id = $1 where id = $2`, [roles.Viewer!, admin.memberId]),
  ).rejects.toThrow(/principal_role/)
  await expect(
    set(`update organisation set default_role_id = $1 where id = $2`, [theirs.Member!, here]),
  ).rejects.toThrow(/default_role/)
  await expect(
    set(`update project set registration_default_role_id = $1 where id = $2`, [
      theirs.Viewer!,
      mine.id,
    ]),
  ).rejects.toThrow(/registration/)
  await expect(
    set(`update session set project_id = $1 where id = $2`, [other.id, admin.sessionId]),
  ).rejects.toThrow(/session_project/)
  await insert(here, mine.id, admin.memberId, roles.Viewer!)
})
