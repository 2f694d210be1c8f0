import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { createProject } from './verbs.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

/** Statements of one operation: those of the caller look-up, and those of its read transaction. */
async function statementsOf(operation: () => Promise<unknown>): Promise<number> {
  const { store } = server.app.node.database
  const begin = store.begin.bind(store)
  let seen = 0
  store.begin = async script => {
    const connection = await begin(script)
    const rows = connection.rows.bind(connection)
    connection.rows = query => {
      seen += 1
      return rows(query)
    }
    return connection
  }
  try {
    await operation()
  } finally {
    store.begin = begin
  }
  return seen
}

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
  const few = await statementsOf(() => list(3))
  const many = await statementsOf(() => list(10))
  expect(many).toBe(few)
  expect(many).toBeLessThanOrEqual(5)
  const { organisation: answer } = await list(10)
  const placed = answer.members.nodes.filter(
    (member: { projectAccess: { nodes: unknown[] } }) => member.projectAccess.nodes.length === 1,
  )
  expect(placed).toHaveLength(9)
})
