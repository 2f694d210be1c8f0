import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'
import { createProject } from './verbs.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

test('the list with roles, places in projects and what the viewer may do costs the same for two as for ten', async () => {
  const project = await createProject(admin)
  const { Member, Viewer } = await admin.roles()
  const list = (first: number) =>
    admin.ask(
      `query ($first: Int!) { organisation { members(first: $first) { nodes { id name role { name permissions { name } } viewerCanManage
        projectAccess(first: 2) { nodes { project { name } role { name } } pageInfo { hasNextPage } } } } } }`,
      { first },
    )
  for (let count = 0; count < 9; count += 1) {
    const person = await newcomer(admin, { roleId: Member! })
    await admin.ask(
      `mutation ($input: GrantProjectAccessInput!) { grantProjectAccess(input: $input) { projectAccess { id } } }`,
      { input: { principalId: person.memberId, projectId: project.id, roleId: Viewer } },
    )
  }
  const { seen: few } = await countStatements(server, () => list(3))
  const { seen: many } = await countStatements(server, () => list(10))
  expect(many).toBe(few)
  expect(many).toBeLessThanOrEqual(5)
  const { organisation: answer } = await list(10)
  const placed = answer.members.nodes.filter(
    (member: { projectAccess: { nodes: unknown[] } }) => member.projectAccess.nodes.length === 1,
  )
  expect(placed).toHaveLength(9)
})

test('roles beyond those that are read beside a page are there all the same', async () => {
  const boss = await organisation(server)
  for (let number = 10; number < 35; number += 1)
    await boss.ask(
      `mutation ($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }`,
      { input: { name: `Role ${number}`, level: 'ORGANISATION', permissions: [] } },
    )
  const roles = await boss.roles()
  const named = ['Role 10', 'Role 30', 'Role 34', 'Member']
  for (const name of named) await newcomer(boss, { roleId: roles[name]! })
  const { organisation: answer } = await boss.ask(
    `{ organisation { members(first: 10, orderBy: { field: CREATED_AT, direction: ASC }) { nodes { role { name } } } } }`,
  )
  expect(
    answer.members.nodes.map((member: { role: { name: string } }) => member.role.name),
  ).toEqual(['Administrator', ...named])
})

test('sessions and keys of the members of a list, and their numbers, cost the same for two as for ten', async () => {
  const { Member } = await admin.roles()
  const people = await Promise.all(
    Array.from({ length: 6 }, () => newcomer(admin, { roleId: Member! })),
  )
  for (const [index, person] of people.entries()) {
    for (let more = 0; more < index % 3; more += 1) await signIn(server, person.email)
    const key = { ownerId: person.memberId, name: `Key ${index}`, scopes: [] }
    await admin.ask(
      `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }`,
      { input: key },
    )
  }
  const account = { name: 'Importer', roleId: Member }
  await admin.ask(
    `mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { serviceAccount { id } } }`,
    { input: account },
  )
  const list = (first: number) =>
    admin.ask(
      `query ($first: Int!) { organisation { members(first: $first, orderBy: { field: CREATED_AT, direction: DESC }) { nodes { id
        sessions(first: 2) { totalCount nodes { id current lastActiveAt project { id } } pageInfo { hasNextPage endCursor } }
        apiKeys(first: 1) { totalCount nodes { name } }
        projectAccess(first: 1) { totalCount } } } } }`,
      { first },
    )
  const { seen: few } = await countStatements(server, () => list(2))
  expect((await countStatements(server, () => list(10))).seen).toBe(few)
  expect(few).toBeLessThanOrEqual(7)

  const { organisation: answer } = await list(6)
  for (const member of answer.members.nodes) {
    const index = people.findIndex(person => person.memberId === member.id)
    const sessions = 1 + (index % 3)
    expect(member.sessions.totalCount).toBe(sessions)
    expect(member.sessions.nodes).toHaveLength(Math.min(2, sessions))
    expect(member.sessions.pageInfo.hasNextPage).toBe(sessions > 2)
    expect(member.apiKeys).toEqual({ totalCount: 1, nodes: [{ name: `Key ${index}` }] })
  }
  // a further page is read by itself, and goes on where the first ended
  const long = answer.members.nodes.find((each: any) => each.sessions.pageInfo.hasNextPage)
  const { organisation: rest } = await admin.ask(
    `query ($id: ID!, $after: String) { organisation { member(id: $id) { sessions(after: $after) { nodes { id } } } } }`,
    { id: long.id, after: long.sessions.pageInfo.endCursor },
  )
  expect(rest.member.sessions.nodes).toHaveLength(1)
  const seen = long.sessions.nodes.map((each: { id: string }) => each.id)
  expect(seen).not.toContain(rest.member.sessions.nodes[0].id)
})
