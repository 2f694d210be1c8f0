import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digest } from '../../src/shared/tokens.ts'
import { doChore } from '../support/chores.ts'
import { ask } from '../support/client.ts'
import { mailsSoFar } from '../support/mailbox.ts'
import {
  freshEmail,
  newcomer,
  organisation,
  SESSION,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { act, admit, assign, holder } from '../tenancy/verbs.ts'

let server: TestServer
let beside: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  beside = await startServer({ beside: server })
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(async () => {
  await beside.stop()
  await server.stop()
})

const REUSED = ['CONFLICT', 'IDEMPOTENCY_KEY_REUSED'] as const
const send = (
  by: Person,
  key: string,
  document: string,
  variables: Record<string, unknown> = {},
  url = server.url,
) =>
  ask(url, document, variables, {
    authorization: `Bearer ${by.accessToken}`,
    'idempotency-key': key,
  })
const ADD = `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id email name status role { name } } invitationUrl } }`
const person = (more: Record<string, unknown> = {}) => ({
  input: { email: freshEmail('once'), firstName: 'Ann', lastName: 'Lee', ...more },
})
const eventsOn = async (id: string) =>
  (await server.database.owner(`select topic from event where target_id = $1`, [id])).length

test('a repeated request has one effect and the same answer, without what is shown once', async () => {
  const key = randomUUID()
  const variables = person({ sendInvitation: false })
  const first = await send(admin, key, ADD, variables)
  expect(first.addMember.invitationUrl).toContain('token=')
  // layout and order say nothing, and another node answers alike
  const { lastName, firstName, sendInvitation, email } = variables.input as Record<string, unknown>
  const shuffled = { input: { sendInvitation, lastName, firstName, email } }
  for (const [document, given, url] of [
    [ADD, variables, server.url],
    [ADD.replaceAll(' ', '  '), shuffled, beside.url],
  ] as const) {
    const again = await send(admin, key, document, given, url)
    expect(again.addMember).toEqual({ ...first.addMember, invitationUrl: null })
  }
  expect(await eventsOn(first.addMember.member.id)).toBe(1)
  // nor does it count as an addition of the hour
  const [counted] = await server.database.owner(`select count from attempt where key = $1`, [
    digest(`additions to ${admin.organisationId}`),
  ])
  expect(counted!.count).toBe(1)
  await expect(send(admin, randomUUID(), ADD, variables)).rejects.toBeRefused(
    'CONFLICT',
    'ALREADY_EXISTS',
  )
})

test('the secret of a key is shown once, also where the request is repeated', async () => {
  const owner = await newcomer(admin)
  await admin.ask(
    `mutation { updateOrganisationSettings(input: { apiKey: { selfService: true } }) { organisation { id } } }`,
  )
  const document = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id prefix } secret } }`
  const input = { ownerId: owner.memberId, name: 'Mine', scopes: [] }
  const key = randomUUID()
  const first = await send(owner, key, document, { input })
  expect(first.createApiKey.secret).toMatch(/^gk_/)
  const again = await send(owner, key, document, { input })
  expect(again.createApiKey).toEqual({ ...first.createApiKey, secret: null })
  const kept = await server.database.owner(`select sealed_result from idempotency_step`)
  expect(JSON.stringify(kept)).not.toContain(first.createApiKey.secret)
  expect(JSON.stringify(kept)).not.toContain(first.createApiKey.apiKey.id)
})

test('twenty at once, on two nodes, have one effect and one answer', async () => {
  const key = randomUUID()
  const variables = person()
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_each, turn) =>
      send(admin, key, ADD, variables, turn % 2 ? server.url : beside.url),
    ),
  )
  const ids = new Set(answers.map(answer => answer.addMember.member.id))
  expect(ids.size).toBe(1)
  expect(await eventsOn([...ids][0])).toBe(1)
  expect(await mailsSoFar(server, variables.input.email)).toHaveLength(1)
})

test('several effects of one document happen once each, and what failed is tried anew', async () => {
  const member = await newcomer(admin)
  const email = freshEmail('later')
  const document = `mutation ($id: ID!, $input: AddMemberInput!) {
    lock: lockMember(id: $id) { member { id lockedAt } }
    addMember(input: $input) { member { id } }
    unlock: unlockMember(id: $id) { member { id lockedAt } } }`
  const variables = { id: member.memberId, input: { email, firstName: 'A', lastName: 'B' } }
  const taken = await admin.add({ email })
  const key = randomUUID()
  await expect(send(admin, key, document, variables)).rejects.toBeRefused('CONFLICT')
  await act(admin, 'removeMember', taken.member.id)
  await act(admin, 'lockMember', member.memberId)
  const second = await send(admin, key, document, variables)
  expect(second.addMember.member.id).toBeTruthy()
  // neither was done again: the lock set in between stays
  const { organisation: there } = await admin.ask(
    `query ($id: ID!) { organisation { member(id: $id) { lockedAt } } }`,
    { id: member.memberId },
  )
  expect(there.member.lockedAt).not.toBeNull()
  expect(await send(admin, key, document, variables)).toEqual(second)
})

test('after a crash between the effect and the answer, the repetition answers as the first would have', async () => {
  const key = randomUUID()
  const variables = person()
  // the answer is lost: nobody waits for it
  const lost = new AbortController()
  const gone = fetch(`${server.url}/graphql`, {
    method: 'POST',
    signal: lost.signal,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${admin.accessToken}`,
      'idempotency-key': key,
    },
    body: JSON.stringify({ query: ADD, variables }),
  })
  setTimeout(() => lost.abort(), 3)
  await gone.catch(() => undefined)
  const { addMember } = await send(admin, key, ADD, variables, beside.url)
  expect(await eventsOn(addMember.member.id)).toBe(1)
  // kept with the effect itself: without the one there is not the other
  const [row] = await server.database.owner(
    `select count(*)::int as count from principal where email = $1`,
    [variables.input.email],
  )
  expect(row!.count).toBe(1)
})

test('another request under the same key is a conflict: other variables, document, organisation or project', async () => {
  const key = randomUUID()
  const shared = await newcomer(admin, { roleId: (await admin.roles()).Administrator })
  await admit(neighbour, shared, (await neighbour.roles()).Administrator)
  const variables = person()
  await send(shared, key, ADD, variables)
  await expect(send(shared, key, ADD, person())).rejects.toBeRefused(...REUSED)
  await expect(
    send(shared, key, ADD.replace('status', 'status externalId'), variables),
  ).rejects.toBeRefused(...REUSED)
  await shared.switchTo(neighbour.organisationId)
  await expect(send(shared, key, ADD, variables)).rejects.toBeRefused(...REUSED)
  // the key of somebody else is another one
  await send(neighbour, key, ADD, person())
})

test('who may not any more is refused the repetition too', async () => {
  const clerk = await holder(admin, ['manageUser'])
  const key = randomUUID()
  const variables = person()
  await send(clerk, key, ADD, variables)
  await assign(admin, clerk.memberId, (await admin.roles()).Member!)
  await expect(send(clerk, key, ADD, variables)).rejects.toBeRefused(
    'FORBIDDEN',
    'PERMISSION_MISSING',
  )
})

test('a key is not taken where tokens are handed out, from strangers, or in another form', async () => {
  const member = await newcomer(admin)
  const bad = ['BAD_USER_INPUT', 'INVALID_FORMAT'] as const
  for (const [document, variables] of [
    [
      `mutation ($id: ID!) { switchOrganisation(id: $id) { accessToken } }`,
      { id: admin.organisationId },
    ],
    [`mutation { reauthenticate(input: { password: "x" }) { accessToken } }`, {}],
    [`mutation { acceptInvitation(input: { token: "x" }) { member { id } } }`, {}],
    [
      `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { ${SESSION} } }`,
      { t: 'x' },
    ],
    [`mutation { signIn(input: { email: "a@example.com", password: "x" }) { __typename } }`, {}],
  ] as const)
    await expect(send(member, randomUUID(), document, variables), document).rejects.toBeRefused(
      ...bad,
    )
  const strangers = { 'idempotency-key': randomUUID() }
  await expect(
    ask(server.url, `mutation { declineInvitation(token: "x") { email } }`, {}, strangers),
  ).rejects.toBeRefused('UNAUTHENTICATED')
  for (const key of ['x'.repeat(256), 'ä', 'a b'])
    await expect(
      send(admin, encodeURI(key) === key ? key : 'a b', ADD, person()),
    ).rejects.toBeRefused(...bad)
  // reading is not affected
  expect((await send(admin, 'a b', `{ viewer { operator } }`)).viewer.operator).toBe(false)
})

test('after a day the key may be used for something else', async () => {
  const key = randomUUID()
  await send(admin, key, ADD, person())
  server.clock.advance({ hours: 24, minutes: 1 })
  admin = await signIn(server, admin.email)
  await send(admin, key, ADD, person())
})

test('what was kept of a request is gone after a day, the rest is not', async () => {
  const rows = async (table: string) =>
    (await server.database.owner(`select count(*)::int as count from ${table}`))[0]!.count
  server.clock.advance({ hours: 25 })
  admin = await signIn(server, admin.email)
  const key = randomUUID()
  const input = person()
  await send(admin, key, ADD, input)
  expect(await rows('idempotency')).toBeGreaterThan(1)
  await doChore(server, 'purge')
  expect(await rows('idempotency')).toBe(1)
  expect(await rows('idempotency_step')).toBe(1)
  // a repetition still finds what was kept: added twice, the address would be taken
  await send(admin, key, ADD, input)
  server.clock.advance({ hours: 25 })
  await doChore(server, 'purge')
  expect([await rows('idempotency'), await rows('idempotency_step')]).toEqual([0, 0])
})
