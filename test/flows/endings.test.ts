import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, operator, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { acceptUrl, act, addMember, admit, createProject, grant } from '../tenancy/verbs.ts'

// Whoever is gone is refused by what they were; here it is seen to that nothing of theirs is left open either.

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

/** A key of somebody, made for them by an administrator. */
const keyFor = async (owner: Person, by = admin): Promise<string> =>
  (
    await by.ask(
      `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }`,
      { input: { ownerId: owner.memberId, name: 'Key', scopes: [] } },
    )
  ).createApiKey.apiKey.id
const rowOf = async (table: string, id: string) =>
  (await server.database.owner(`select * from ${table} where id = $1`, [id]))[0]!
const keyStatus = async (id: string, by = admin) =>
  (await by.ask(`query ($id: ID!) { node(id: $id) { ... on ApiKey { status } } }`, { id })).node
    .status
/** Sessions acting in the organisation that still count as open. */
const openSessions = async (principalId: string) =>
  server.database.owner(`select id from session where principal_id = $1 and ended_at is null`, [
    principalId,
  ])

test('a removal revokes keys for good, ends sessions and withdraws an open invitation', async () => {
  const person = await newcomer(admin)
  const key = await keyFor(person)
  await act(admin, 'removeMember', person.memberId)
  expect(await keyStatus(key)).toBe('REVOKED')
  expect(await openSessions(person.memberId)).toEqual([])
  const { organisation: there } = await admin.ask(
    `{ organisation { sessions(first: 100) { nodes { id } } } }`,
  )
  expect(there.sessions.nodes).not.toContainEqual({ id: person.sessionId })

  const { member } = await addMember(admin)
  await act(admin, 'removeMember', member.id)
  const { node } = await admin.ask(
    `query ($id: ID!) { node(id: $id) { ... on Invitation { status } } }`,
    { id: member.invitation.id },
  )
  expect(node.status).toBe('REVOKED')
  // the address is free again
  await addMember(admin, { email: member.email })
})

test('leaving revokes keys for good, ends sessions and takes places in projects away', async () => {
  const person = await newcomer(admin)
  const second = await signIn(server, person.email)
  const key = await keyFor(person)
  const project = await createProject(admin)
  const place = await grant(admin, person.memberId, project.id, (await admin.roles()).Viewer!)
  await act(person, 'leaveOrganisation', admin.organisationId, 'deletedId')
  expect(await keyStatus(key)).toBe('REVOKED')
  expect(await openSessions(person.memberId)).toEqual([])
  expect(second.memberId).toBe(person.memberId)
  await expect(act(admin, 'revokeProjectAccess', place.id)).rejects.toBeRefused('NOT_FOUND')
})

test('a deleted organisation leaves no key, session, invitation, membership or project open', async () => {
  const op = await operator(server)
  const founder = await organisation(server)
  const person = await newcomer(founder)
  const key = await keyFor(person, founder)
  const project = await createProject(founder)
  await grant(founder, person.memberId, project.id, (await founder.roles()).Viewer!)
  const { member } = await addMember(founder)
  await act(op, 'deleteOrganisation', founder.organisationId, 'deletedId')
  expect((await rowOf('api_key', key)).revoked_at).not.toBeNull()
  for (const id of [founder.memberId, person.memberId]) {
    expect(await openSessions(id)).toEqual([])
    expect((await rowOf('principal', id)).removed_at).not.toBeNull()
  }
  expect((await rowOf('invitation', member.invitation.id)).outcome).toBe('REVOKED')
  expect((await rowOf('project', project.id)).deleted_at).not.toBeNull()
  // nobody is held by it: who belonged there alone lands nowhere
  const again = await signIn(server, person.email)
  expect((await again.ask(`{ me { memberships { totalCount } } }`)).me.memberships.totalCount).toBe(
    0,
  )
})

test('a suspended organisation ends the sessions that act there, and only those', async () => {
  const op = await operator(server)
  const founder = await organisation(server)
  const person = await newcomer(founder)
  const elsewhere = await signIn(server, person.email)
  await admit(admin, person)
  await elsewhere.switchTo(admin.organisationId)
  await act(op, 'suspendOrganisation', founder.organisationId, 'organisation { id }')
  expect(await openSessions(person.memberId)).toEqual([])
  await elsewhere.ask(`{ me { id } }`)
})

test('an operator is made only of an account that has proven its address', async () => {
  const op = await operator(server)
  const { invitationUrl } = await addMember(admin)
  const unproven = await acceptUrl(admin, invitationUrl)
  await expect(
    act(op, 'grantOperator', unproven.userId, 'user { id }', 'userId'),
  ).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  expect((await rowOf('user_account', unproven.userId)).operator).toBe(false)
})

test('a deleted account is unknown to every act of an operator', async () => {
  const op = await operator(server)
  const person = await newcomer(admin)
  await person.ask(`mutation { deleteAccount { deletedId } }`)
  for (const verb of ['lockUser', 'unlockUser', 'deactivateUser', 'activateUser'])
    await expect(act(op, verb, person.userId, 'user { id }'), verb).rejects.toBeRefused('NOT_FOUND')
  await expect(act(op, 'revokeUserSessions', person.userId, 'count')).rejects.toBeRefused(
    'NOT_FOUND',
  )
})
