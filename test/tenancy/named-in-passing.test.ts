import { afterAll, beforeAll, expect, test } from 'vitest'
import { askBy, createKey, createRole, createServiceAccount } from '../credentials/keys.ts'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

// What names somebody beside the point shows them to nobody who could not read them in the list of members.

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const holder = async (permissions: string[], more = {}) =>
  admin.bring((await createRole(admin, permissions, more)).name)

const KEYS = `apiKeys { nodes { createdBy { id ... on Member { email lastSignInAt } } } }`

test('of whoever made a key for them, people see no more than of other members', async () => {
  const shown = { nodes: [{ createdBy: expect.objectContaining({ email: admin.email }) }] }
  for (const [permissions, made] of [
    [[], { nodes: [{ createdBy: null }] }],
    [['viewUser'], shown],
  ] as const) {
    const person = await holder([...permissions])
    await createKey(admin, person.memberId, [])
    const { me, organisation: here } = await person.ask(
      `{ me { ${KEYS} } organisation { ${KEYS} } }`,
    )
    expect([me.apiKeys, here.apiKeys]).toEqual([made, made])
  }
  const { me } = await admin.ask(`{ me { ${KEYS} } }`)
  expect(me.apiKeys.nodes).toEqual([])
  await createKey(admin, admin.memberId, [])
  expect((await admin.ask(`{ me { ${KEYS} } }`)).me.apiKeys.nodes[0].createdBy.id).toBe(
    admin.memberId,
  )
})

test('a key shows whoever made it and its machine within its scopes', async () => {
  const machine = await createServiceAccount(admin, ['viewUser', 'manageServiceAccount'])
  const MADE = `createdBy { id }`
  for (const [scopes, by] of [
    [[], null],
    [['manageServiceAccount'], null],
    [['viewUser'], { id: admin.memberId }],
  ] as const) {
    const { secret } = await createKey(admin, machine, [...scopes])
    const { viewer } = await askBy(
      admin,
      secret,
      `{ viewer { apiKey { ${MADE} } principal { ... on ServiceAccount { ${MADE} } } } }`,
    )
    expect([viewer.apiKey.createdBy, viewer.principal.createdBy], String(scopes)).toEqual([by, by])
  }
})

test('what belongs to the organisation shows who made it only beside the members', async () => {
  const made = [
    `createWebhook(input: { url: "https://hooks.example/x", topics: ["role.created"] }) { webhook { id } }`,
    `createWorkflow(input: { name: "Wait", trigger: "member.joined", steps: [{ wait: { minutes: 5 } }] }) { workflow { id } }`,
    `startAccessReview(input: { name: "Review", dueAt: "2099-01-01T00:00:00Z" }) { accessReview { id } }`,
  ]
  for (const document of made) await admin.ask(`mutation { ${document} }`)
  const machine = await createServiceAccount(admin, [])
  const LISTS = `webhooks { nodes { createdBy { id } } } workflows { nodes { updatedBy { id } } }
    accessReviews { nodes { startedBy { id } } }`
  const permissions = ['manageServiceAccount', 'manageIntegration', 'reviewAccess']
  const seen = async (by: Person) => {
    const { organisation: here } = await by.ask(
      `query ($id: ID!) { organisation { ${LISTS} serviceAccount(id: $id) { createdBy { id } } } }`,
      { id: machine },
    )
    return [
      here.webhooks.nodes[0].createdBy,
      here.workflows.nodes[0].updatedBy,
      here.accessReviews.nodes[0].startedBy,
      here.serviceAccount.createdBy,
    ]
  }
  const maker = { id: admin.memberId }
  expect(await seen(await holder(permissions))).toEqual([null, null, null, null])
  expect(await seen(await holder([...permissions, 'viewUser']))).toEqual([
    maker,
    maker,
    maker,
    maker,
  ])
  expect(await seen(await holder([...permissions, 'viewUser'], { visibility: 'SELF' }))).toEqual([
    null,
    null,
    null,
    null,
  ])
})
