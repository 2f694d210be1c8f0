import { afterAll, beforeAll, expect, test } from 'vitest'
import { bringWith } from '../credentials/keys.ts'
import { ask, post } from '../support/client.ts'
import {
  freshEmail,
  newcomer,
  operator,
  organisation,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'

let server: TestServer
let admin: Person
let op: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  op = await operator(server)
  admin = await organisation(server)
})
afterAll(() => server.stop())

const NODES = `nodes { id topic { name } outcome reason ipAddress actor { kind id name } target { kind id name node { id } }
  changes { field before after } }`
const denied = async (by: Person, topics: string[], more: object = {}): Promise<any[]> =>
  (
    await by.ask(
      `query ($filter: AuditEventFilter) { organisation { auditEvents(first: 100, filter: $filter) { ${NODES} } } }`,
      { filter: { topics, outcome: 'DENIED', ...more } },
    )
  ).organisation.auditEvents.nodes
const deniedAnywhere = async (topics: string[], more: object = {}): Promise<any[]> =>
  (
    await op.ask(
      `query ($filter: AuditEventFilter) { platform { auditEvents(first: 100, filter: $filter) { ${NODES} } } }`,
      { filter: { topics, outcome: 'DENIED', ...more } },
    )
  ).platform.auditEvents.nodes
const LOCK = `mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`
const WRONG = 'a password that is quite wrong'

/** What is refused to strangers is written once they were answered. */
async function eventually<Found>(find: () => Promise<Found[]>): Promise<Found[]> {
  let found: Found[] = []
  await until(async () => (found = await find()).length > 0)
  return found
}
const failedFor = (email: string) => async () =>
  (await deniedAnywhere(['session.refused'])).filter(({ changes }) =>
    changes.some(({ after }: { after: string }) => after === email),
  )

test('what a door refuses is told with who tried it, what on and why', async () => {
  const plain = await bringWith(admin, ['viewUser'])
  await expect(plain.ask(LOCK, { id: admin.memberId })).rejects.toBeRefused(
    'FORBIDDEN',
    'PERMISSION_MISSING',
  )
  expect(await denied(admin, ['member.locked'], { actorIds: [plain.memberId] })).toMatchObject([
    {
      outcome: 'DENIED',
      reason: 'FORBIDDEN/PERMISSION_MISSING',
      actor: { kind: 'MEMBER', id: plain.memberId },
      target: { kind: 'Member', id: admin.memberId },
      ipAddress: '127.0.0.1',
    },
  ])
})

test('what was done and what was refused bear the id of the request, as its answer, its error and its log do', async () => {
  const plain = await bringWith(admin, ['viewUser'])
  const lock = async ({ accessToken }: Person, id: string) => {
    const body = JSON.stringify({ query: LOCK, variables: { id } })
    const { headers, json } = await post(server.url, body, {
      authorization: `Bearer ${accessToken}`,
    })
    return { json, requestId: headers.get('x-request-id') }
  }
  const refused = await lock(plain, admin.memberId)
  const done = await lock(admin, plain.memberId)
  expect(refused.json.errors[0].extensions.requestId).toBe(refused.requestId)
  const { organisation: own } = await admin.ask(
    `{ organisation { auditEvents(first: 2, filter: { topics: ["member.locked"] }) { nodes { outcome requestId } } } }`,
  )
  expect(own.auditEvents.nodes).toEqual([
    { outcome: 'SUCCEEDED', requestId: done.requestId },
    { outcome: 'DENIED', requestId: refused.requestId },
  ])
  const logged = server.log.map(line => (JSON.parse(line) as { reqId?: string }).reqId)
  expect(logged).toEqual(expect.arrayContaining([refused.requestId, done.requestId]))
})

test('what a service refuses is told too, and a neighbour’s id stays a mere id', async () => {
  const neighbour = await organisation(server)
  await expect(admin.ask(LOCK, { id: neighbour.memberId })).rejects.toBeRefused('NOT_FOUND')
  const [event] = await denied(admin, ['member.locked'], { actorIds: [admin.memberId] })
  expect(event).toMatchObject({
    reason: 'NOT_FOUND',
    target: { id: neighbour.memberId, name: null, node: null },
  })
  // the neighbour learns nothing of it
  expect(await denied(neighbour, ['member.*'])).toEqual([])

  const alone = await organisation(server)
  await expect(
    alone.ask(`mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`, {
      id: alone.memberId,
    }),
  ).rejects.toBeRefused('CONFLICT', 'LAST_ADMINISTRATOR')
  expect(await denied(alone, ['member.removed'])).toMatchObject([
    { reason: 'CONFLICT/LAST_ADMINISTRATOR' },
  ])
})

test('input that is wrong is no refusal', async () => {
  await expect(
    admin.ask(`mutation { createProject(input: { name: "" }) { project { id } } }`),
  ).rejects.toBeRefused('BAD_USER_INPUT')
  expect(await denied(admin, ['project.created'])).toEqual([])
})

test('what somebody is refused on their own account or elsewhere is no business of the organisation in use', async () => {
  const neighbour = await organisation(server)
  const person = await newcomer(admin)
  await expect(
    person.ask(`mutation ($id: ID!) { switchOrganisation(id: $id) { session { id } } }`, {
      id: neighbour.organisationId,
    }),
  ).rejects.toBeRefused('NOT_FOUND')
  await expect(
    person.ask(`mutation { grantOperator(userId: "${person.userId}") { user { id } } }`),
  ).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  expect(
    await denied(admin, ['session.*', 'operator.*', 'user.*'], { actorIds: [person.memberId] }),
  ).toEqual([])
  expect(await deniedAnywhere(['session.switched'], { actorIds: [person.memberId] })).toMatchObject(
    [{ target: { kind: 'Organisation', id: neighbour.organisationId } }],
  )
})

test('a flood of refusals is told by its beginning', async () => {
  const plain = await bringWith(admin, ['viewUser'])
  server.clock.beginMinute()
  await Promise.allSettled(
    Array.from({ length: 40 }, () => plain.ask(LOCK, { id: admin.memberId })),
  )
  expect(await denied(admin, ['member.locked'], { actorIds: [plain.memberId] })).toHaveLength(5)
  // another act of theirs, and the same a minute later, is told
  server.clock.advance({ minutes: 1 })
  await plain.ask(LOCK, { id: admin.memberId }).catch(() => undefined)
  expect(await denied(admin, ['member.locked'], { actorIds: [plain.memberId] })).toHaveLength(6)
})

test('a failed sign-in of somebody’s only membership is told to that organisation, by the name it knows', async () => {
  const person = await newcomer(admin)
  await expect(signIn(server, person.email, WRONG)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  expect(
    await eventually(() => denied(admin, ['session.refused'], { targetIds: [person.memberId] })),
  ).toMatchObject([
    {
      reason: 'UNAUTHENTICATED/CREDENTIALS_INVALID',
      actor: { kind: 'ANONYMOUS', id: null },
      target: { kind: 'Member', id: person.memberId, name: 'Ann Lee' },
      changes: [{ field: 'login', before: null, after: person.email }],
    },
  ])
})

test('of several memberships only the one that the sign-in named is told, else the platform alone', async () => {
  const neighbour = await organisation(server)
  const person = await newcomer(admin)
  await neighbour.add({ email: person.email })
  const seen = () => denied(neighbour, ['session.refused'])
  await expect(signIn(server, person.email, WRONG)).rejects.toBeRefused('UNAUTHENTICATED')
  expect(await eventually(failedFor(person.email))).toMatchObject([
    { target: { kind: 'User', id: person.userId } },
  ])
  expect(await seen()).toEqual([])
  expect(await denied(admin, ['session.refused'], { targetIds: [person.memberId] })).toEqual([])

  await expect(
    signIn(server, person.email, WRONG, { organisationId: neighbour.organisationId }),
  ).rejects.toBeRefused('UNAUTHENTICATED')
  expect(await eventually(seen)).toMatchObject([{ target: { kind: 'Member' } }])
  expect(await denied(admin, ['session.refused'], { targetIds: [person.memberId] })).toEqual([])
})

test('an organisation that is named learns nothing of whoever does not belong to it', async () => {
  const neighbour = await organisation(server)
  const person = await newcomer(admin)
  const elsewhere = { organisationId: neighbour.organisationId }
  const stranger = freshEmail('stranger')
  for (const email of [person.email, stranger])
    await expect(signIn(server, email, WRONG, elsewhere)).rejects.toBeRefused('UNAUTHENTICATED')
  expect(await eventually(failedFor(person.email))).toMatchObject([{ target: { kind: 'User' } }])
  expect(await eventually(failedFor(stranger))).toMatchObject([
    { target: null, actor: { kind: 'ANONYMOUS' } },
  ])
  expect(await denied(neighbour, ['session.refused'])).toEqual([])
  expect(await denied(admin, ['session.refused'], { targetIds: [person.memberId] })).toEqual([])
})

test('known and unknown logins take the same statements', async () => {
  const person = await newcomer(admin)
  const { store } = server.app.node.database
  const rows = store.system.rows.bind(store.system)
  const statements = async (email: string) => {
    const texts: string[] = []
    store.system.rows = query => (texts.push(query.text), rows(query))
    await signIn(server, email, WRONG).catch(() => undefined)
    store.system.rows = rows
    // the worker's own, by chance
    return texts.filter(text => /attempt|user_account|principal|platform_settings/.test(text))
  }
  const known = await statements(person.email)
  expect(known.length).toBeGreaterThan(3)
  expect(await statements(freshEmail('stranger'))).toEqual(known)
})

test('strangers who try acts are told to the platform', async () => {
  await expect(ask(server.url, LOCK, { id: admin.memberId })).rejects.toBeRefused('UNAUTHENTICATED')
  const found = await eventually(() =>
    deniedAnywhere(['member.locked'], { targetIds: [admin.memberId] }).then(events =>
      events.filter(({ actor }) => actor.kind === 'ANONYMOUS'),
    ),
  )
  expect(found).toHaveLength(1)
  expect(
    (await denied(admin, ['member.locked'])).filter(({ actor }) => actor.kind === 'ANONYMOUS'),
  ).toEqual([])
})
