import { afterAll, beforeAll, expect, test } from 'vitest'
import { post } from '../support/client.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

test('what is still being read when the answer has gone holds no connection', async () => {
  const { createProject } = await admin.ask(
    `mutation { createProject(input: { name: "Shop" }) { project { id } } }`,
  )
  const { organisation: here } = await admin.ask(
    '{ organisation { roles(level: PROJECT) { nodes { id } } } }',
  )
  for (let count = 0; count < 3; count += 1) {
    const person = await newcomer(admin)
    await admin.ask(
      `mutation ($input: GrantProjectAccessInput!) { grantProjectAccess(input: $input) { __typename } }`,
      {
        input: {
          principalId: person.memberId,
          projectId: createProject.project.id,
          roleId: here.roles.nodes[0].id,
        },
      },
    )
  }
  // what must not be null ends the list, while what stands beside it goes on from one read to the next
  for (let time = 0; time < 20; time += 1) {
    const answer = await post(
      server.url,
      JSON.stringify({
        query: `query Q${time} { organisation { members { nodes { projectAccess(after: "x") { nodes { id } }
          late: projectAccess { nodes { project { name } role { name } } } } } } }`,
      }),
      { authorization: `Bearer ${admin.accessToken}` },
    )
    expect(answer.json).toMatchObject({ data: { organisation: { members: null } } })
  }
  await admin.ask('mutation { updateProfile(input: { firstName: "Later" }) { user { id } } }')
})
