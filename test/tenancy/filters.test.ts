import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import { askBy, createKey, createServiceAccount, revokeKey } from '../credentials/keys.ts'
import { ask } from '../support/client.ts'
import {
  accept,
  freshEmail,
  invite,
  operator as operatorOf,
  organisation,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import { act, createProject, grant } from './verbs.ts'

// What a filter leaves of a list: all that it names, and nothing else.

let server: TestServer
let admin: Person
const HOUR_MS = 3_600_000

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

/** The ids that are left, counted by the list itself too. */
async function left(list: string, of: string, filter: object): Promise<string[]> {
  const { organisation: own } = await admin.ask(
    `query ($filter: ${of}) { organisation { ${list}(first: 50, filter: $filter) { nodes { id } totalCount } } }`,
    { filter },
  )
  expect(own[list].totalCount).toBe(own[list].nodes.length)
  return own[list].nodes.map(({ id }: { id: string }) => id)
}

const now = () => server.clock.now()
const later = (hours: number) => new Date(now().getTime() + hours * HOUR_MS).toISOString()

test('invitations by status, address and age', async () => {
  const REVOKE = `mutation ($id: ID!) { revokeInvitation(id: $id) { invitation { id } } }`
  const DECLINE = `mutation ($token: String!) { declineInvitation(token: $token) { email } }`
  // the administrator was invited too
  const before = await left('invitations', 'InvitationFilter', {})
  const { inviteMember } = await admin.ask(
    `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { email invitation { id } } } }`,
    { input: { email: freshEmail(), expiresAt: later(2) } },
  )
  const { email, invitation } = inviteMember.member
  const expired = { id: invitation.id as string, email: email as string }
  server.clock.advance({ hours: 3 })
  admin = await signIn(server, admin.email)
  const between = now().toISOString()
  const accepted = await invite(admin)
  await accept(server, accepted.token)
  const declined = await invite(admin)
  await ask(server.url, DECLINE, { token: declined.token })
  const revoked = await invite(admin)
  await admin.ask(REVOKE, { id: revoked.id })
  const sent = await invite(admin)

  const found = async (filter: object) =>
    (await left('invitations', 'InvitationFilter', filter)).filter(id => !before.includes(id))
  const all = { SENT: sent, REVOKED: revoked, DECLINED: declined, ACCEPTED: accepted }
  for (const [status, { id }] of Object.entries(all))
    expect(await found({ status: [status] }), status).toEqual([id])
  expect(await found({ status: ['EXPIRED'] })).toEqual([expired.id])
  expect(await found({ status: ['EXPIRED', 'SENT', 'DECLINED', 'ACCEPTED'] })).toEqual(
    [sent, declined, accepted, expired].map(({ id }) => id),
  )
  expect(await found({ status: [] })).toEqual([])
  expect(await found({ emails: [sent.email.toUpperCase(), expired.email] })).toEqual([
    sent.id,
    expired.id,
  ])
  expect(await found({ emails: [sent.email], status: ['REVOKED'] })).toEqual([])
  expect(await found({ createdAt: { to: between } })).toEqual([expired.id])
  expect(await found({ createdAt: { from: between } })).toEqual(
    Object.values(all).map(({ id }) => id),
  )
})

test('keys by status, owner, use and end', async () => {
  const machine = await createServiceAccount(admin, ['viewUser'])
  const other = await createServiceAccount(admin, ['viewUser'])
  const person = await admin.bring()
  const old = await createKey(admin, machine, [], { expiresAt: later(1) })
  server.clock.advance({ hours: 2 })
  admin = await signIn(server, admin.email)
  const working = await createKey(admin, machine, ['viewUser'], { expiresAt: later(10) })
  const revoked = await createKey(admin, other, [])
  await revokeKey(admin, revoked.id)
  const pending = await createKey(admin, person.memberId, [])

  const found = async (filter: object) => (await left('apiKeys', 'ApiKeyFilter', filter)).toSorted()
  const ids = (...keys: { id: string }[]) => keys.map(({ id }) => id).toSorted()
  expect(await found({ status: ['ACTIVE'] })).toEqual(ids(working))
  expect(await found({ status: ['EXPIRED'] })).toEqual(ids(old))
  expect(await found({ status: ['REVOKED'] })).toEqual(ids(revoked))
  expect(await found({ status: ['PENDING'] })).toEqual(ids(pending))
  expect(await found({ status: ['PENDING', 'EXPIRED'] })).toEqual(ids(pending, old))
  expect(await found({ ownerIds: [machine] })).toEqual(ids(old, working))
  expect(await found({ ownerIds: [machine], status: ['ACTIVE'] })).toEqual(ids(working))
  expect(await found({ expiresBefore: later(0) })).toEqual(ids(old))
  expect(await found({ expiresBefore: later(11) })).toEqual(ids(old, working))

  await askBy(admin, working.secret, `{ viewer { operator } }`)
  const rest = ids(old, revoked, pending)
  await until(async () => (await found({ unusedSince: later(-1) })).length === rest.length)
  expect(await found({ unusedSince: later(-1) })).toEqual(rest)
  expect(await found({ unusedSince: later(1) })).toEqual(ids(old, revoked, pending, working))
  await admin.ask(
    `mutation ($id: ID!) { updateServiceAccount(id: $id, input: { enabled: false }) { __typename } }`,
    { id: machine },
  )
  expect(await found({ status: ['BLOCKED'] })).toEqual(ids(working))
  expect(await found({ status: ['ACTIVE'] })).toEqual([])
})

test('members by project and lock', async () => {
  admin = await signIn(server, admin.email)
  const [first, second] = [await createProject(admin), await createProject(admin)]
  const [one, two, three] = [await admin.bring(), await admin.bring(), await admin.bring()]
  const { Viewer } = await admin.roles()
  await grant(admin, one.memberId, first.id, Viewer!)
  await grant(admin, two.memberId, first.id, Viewer!)
  await grant(admin, two.memberId, second.id, Viewer!)
  await act(admin, 'lockMember', three.memberId)

  const found = async (filter: object) => (await left('members', 'MemberFilter', filter)).toSorted()
  const ids = (...people: Person[]) => people.map(({ memberId }) => memberId).toSorted()
  expect(await found({ projectIds: [first.id] })).toEqual(ids(one, two))
  expect(await found({ projectIds: [second.id] })).toEqual(ids(two))
  expect(await found({ projectIds: [first.id, second.id] })).toEqual(ids(one, two))
  expect(await found({ projectIds: [] })).toEqual([])
  expect(await found({ locked: true })).toEqual(ids(three))
  expect(await found({ locked: true, projectIds: [first.id] })).toEqual([])
  expect(await found({ locked: false })).not.toContain(three.memberId)
})

test('a filter takes five hundred values and no more', async () => {
  const operator = await operatorOf(server)
  const many = (count: number, make = freshEmail) => Array.from({ length: count }, () => make())
  const lists: [list: string, of: string, field: string][] = [
    ['members', 'MemberFilter', 'emails'],
    ['members', 'MemberFilter', 'projectIds'],
    ['invitations', 'InvitationFilter', 'emails'],
    ['apiKeys', 'ApiKeyFilter', 'ownerIds'],
  ]
  for (const [list, of, field] of lists) {
    const make = field.endsWith('Ids') ? newId : freshEmail
    expect(await left(list, of, { [field]: many(500, make) })).toEqual([])
    await expect(left(list, of, { [field]: many(501, make) })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'OUT_OF_RANGE',
    )
  }
  const users = (count: number) =>
    operator.ask(
      `query ($filter: UserFilter) { platform { users(first: 1, filter: $filter) { nodes { id } } } }`,
      { filter: { emails: many(count) } },
    )
  expect((await users(500)).platform.users.nodes).toEqual([])
  await expect(users(501)).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
})
