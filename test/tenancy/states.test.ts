import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { newcomer, organisation, PASSWORD, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  acceptUrl,
  act,
  addMember,
  admit,
  assign,
  createProject,
  grant,
  RANDOM_ID,
  suspendMember,
  switchProject,
} from './verbs.ts'

let server: TestServer
let admin: Person
/** Administers another organisation, to which everybody of these tests belongs too. */
let other: Person

beforeAll(async () => {
  server = await startServer()
})
// the clock moves on and sessions run out with it
beforeEach(async () => {
  admin = await organisation(server)
  other = await organisation(server)
})
afterAll(() => server.stop())

const refresh = (person: Person) =>
  ask(
    server.url,
    `mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { accessToken refreshToken session { id member { id organisation { id } } } } }`,
    { token: person.refreshToken },
  )
const me = (person: Person) => person.ask(`{ me { id } }`)
const here = (person: Person) =>
  signIn(server, person.email, PASSWORD, { organisationId: admin.organisationId })
const inHours = (hours: number) => new Date(server.clock.now().getTime() + hours * 3_600_000)
const statusOf = async (id: string) =>
  (
    await admin.ask(
      `query ($id: ID!) { organisation { member(id: $id) { status lockedAt suspendedUntil } } }`,
      { id },
    )
  ).organisation.member

/** Nothing gets the person in here: neither their session, nor renewing it, nor signing in, nor switching. */
async function mustBeOut(person: Person) {
  await expect(me(person)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  await expect(refresh(person)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  await expect(signIn(server, person.email)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  await expect(here(person)).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
}

test('an invited member cannot sign in, and is neither suspended nor activated', async () => {
  const { member, invitationUrl } = await addMember(admin)
  await expect(signIn(server, member.email)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  await expect(act(admin, 'activateMember', member.id)).rejects.toBeRefused(
    'CONFLICT',
    'STATE_MISMATCH',
  )
  await expect(suspendMember(admin, member.id)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  await act(admin, 'lockMember', member.id)
  await expect(acceptUrl(admin, invitationUrl)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await act(admin, 'unlockMember', member.id)
  const person = await acceptUrl(admin, invitationUrl)
  expect((await statusOf(person.memberId)).status).toBe('ACTIVE')
  // and once removed while invited, the link is dead
  const gone = await addMember(admin)
  await act(admin, 'removeMember', gone.member.id)
  await expect(acceptUrl(admin, gone.invitationUrl)).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'TOKEN_INVALID',
  )
})

test('a locked member goes on in a session until its absolute end, but gets in nowhere anew', async () => {
  const person = await newcomer(admin)
  const { Viewer } = await admin.roles()
  const project = await createProject(admin)
  await grant(admin, person.memberId, project.id, Viewer!)
  const elsewhere = await signIn(server, person.email)
  await admit(other, person)
  await elsewhere.switchTo(other.organisationId)

  await act(admin, 'lockMember', person.memberId)
  expect((await statusOf(person.memberId)).lockedAt).not.toBeNull()
  await me(person)
  person.take((await refresh(person)).refreshSession)
  await me(person)
  await switchProject(person, project.id)
  await switchProject(person, null)
  await expect(here(person)).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
  await expect(elsewhere.switchTo(admin.organisationId)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await expect(
    person.ask(
      `mutation ($password: String!) { reauthenticate(input: { password: $password }) { accessToken } }`,
      {
        password: PASSWORD,
      },
    ),
  ).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
  // the other organisation is none the wiser
  expect((await signIn(server, person.email)).organisationId).toBe(other.organisationId)

  await act(admin, 'unlockMember', person.memberId)
  await here(person)
  await elsewhere.switchTo(admin.organisationId)
})

test('no refresh carries the session of a locked member past its absolute end', async () => {
  const person = await newcomer(admin)
  await act(admin, 'lockMember', person.memberId)
  person.take((await refresh(person)).refreshSession)
  await server.database.owner(`update session set expires_at = now() where id = $1`, [
    person.sessionId,
  ])
  await expect(refresh(person)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
})

test('a suspended member is out at once and back by themselves at the moment, without their sessions', async () => {
  const person = await newcomer(admin)
  const until = inHours(2)
  const suspended = await suspendMember(admin, person.memberId, until)
  expect(suspended).toMatchObject({ status: 'SUSPENDED', suspendedUntil: until.toISOString() })
  await mustBeOut(person)
  server.clock.advance({ hours: 1 })
  await mustBeOut(person)
  server.clock.advance({ hours: 1, seconds: 1 })
  await expect(me(person)).rejects.toBeRefused('UNAUTHENTICATED')
  await expect(refresh(person)).rejects.toBeRefused('UNAUTHENTICATED')
  expect((await here(person)).memberId).toBe(person.memberId)
  const { organisation: there } = await (
    await here(admin)
  ).ask(
    `query ($id: ID!) { organisation { member(id: $id) { status suspendedUntil } members(filter: { status: [SUSPENDED] }) { totalCount } } }`,
    { id: person.memberId },
  )
  expect(there).toEqual({
    member: { status: 'ACTIVE', suspendedUntil: null },
    members: { totalCount: 0 },
  })
})

test('a suspension ends in the future, and without a moment it lasts until told', async () => {
  const person = await newcomer(admin)
  await expect(suspendMember(admin, person.memberId, inHours(-1))).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'OUT_OF_RANGE',
  )
  await me(person)
  await suspendMember(admin, person.memberId)
  await mustBeOut(person)
  await act(admin, 'activateMember', person.memberId)
  await expect(me(person)).rejects.toBeRefused('UNAUTHENTICATED')
  await here(person)
})

test('an inactive member is out until activated', async () => {
  const person = await newcomer(admin)
  await act(admin, 'deactivateMember', person.memberId)
  expect((await statusOf(person.memberId)).status).toBe('INACTIVE')
  await mustBeOut(person)
  await act(admin, 'activateMember', person.memberId)
  await expect(refresh(person)).rejects.toBeRefused('UNAUTHENTICATED')
  await here(person)
})

test('a barred member acts elsewhere untouched, but cannot switch back', async () => {
  for (const bar of ['suspendMember', 'deactivateMember', 'removeMember']) {
    const person = await newcomer(admin)
    const elsewhere = await signIn(server, person.email)
    await admit(other, person)
    await elsewhere.switchTo(other.organisationId)
    await act(admin, bar, person.memberId)
    await expect(me(person)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
    await me(elsewhere)
    elsewhere.take((await refresh(elsewhere)).refreshSession)
    const code = bar === 'removeMember' ? 'NOT_FOUND' : 'FORBIDDEN'
    await expect(elsewhere.switchTo(admin.organisationId)).rejects.toBeRefused(code)
    expect((await signIn(server, person.email)).organisationId).toBe(other.organisationId)
  }
})

test('the bar acts on the next request of another node', async () => {
  const beside = await startServer({ beside: server })
  try {
    for (const bar of ['suspendMember', 'deactivateMember', 'removeMember']) {
      const person = await newcomer(admin)
      await person.ask(`{ me { id } }`, {}, beside.url)
      await act(admin, bar, person.memberId)
      await expect(person.ask(`{ me { id } }`, {}, beside.url)).rejects.toBeRefused(
        'UNAUTHENTICATED',
        'SESSION_ENDED',
      )
    }
  } finally {
    await beside.stop()
  }
})

test('a removed member is in no list, and everything that names them still does', async () => {
  const person = await newcomer(admin)
  const brought = await (async () => {
    await assign(admin, person.memberId, (await admin.roles()).Administrator!)
    return newcomer(person)
  })()
  const { deletedId } = await act(admin, 'removeMember', person.memberId, 'deletedId')
  expect(deletedId).toBe(person.memberId)
  const { organisation: there } = await admin.ask(
    `query ($id: ID!) { organisation { members(first: 100) { nodes { id } } member(id: $id) { invitation { inviter { id name } } } } }`,
    { id: brought.memberId },
  )
  expect(there.members.nodes.map((each: { id: string }) => each.id)).not.toContain(person.memberId)
  expect(there.member.invitation.inviter).toEqual({ id: person.memberId, name: 'Ann Lee' })
  for (const verb of ['lockMember', 'activateMember', 'removeMember'])
    await expect(act(admin, verb, person.memberId)).rejects.toBeRefused('NOT_FOUND')
  // whoever was put out of the only organisation they had comes back by being added
  await expect(signIn(server, person.email)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  const memberId = await admit(admin, person)
  expect(memberId).not.toBe(person.memberId)
  expect((await signIn(server, person.email)).memberId).toBe(memberId)
})

test('revoked sessions end and do not switch back in', async () => {
  const person = await newcomer(admin)
  const elsewhere = await signIn(server, person.email)
  await admit(other, person)
  await elsewhere.switchTo(other.organisationId)
  const { count } = await act(admin, 'revokeMemberSessions', person.memberId, 'count')
  expect(count).toBe(1)
  await expect(me(person)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  await me(elsewhere)
  await expect(elsewhere.switchTo(admin.organisationId)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await here(person)
})

test('verbs about states refuse strangers, neighbours and unknown ids alike', async () => {
  const person = await newcomer(admin)
  const plain = await newcomer(admin)
  for (const verb of [
    'lockMember',
    'unlockMember',
    'suspendMember',
    'deactivateMember',
    'activateMember',
    'removeMember',
    'revokeMemberSessions',
  ]) {
    await expect(act(plain, verb, person.memberId), verb).rejects.toBeRefused(
      'FORBIDDEN',
      'PERMISSION_MISSING',
    )
    for (const id of [person.memberId, RANDOM_ID])
      await expect(act(other, verb, id), verb).rejects.toBeRefused('NOT_FOUND')
  }
  expect(await statusOf(person.memberId)).toEqual({
    status: 'ACTIVE',
    lockedAt: null,
    suspendedUntil: null,
  })
})

test('one person enters from many devices at once', async () => {
  const person = await newcomer(admin)
  await admit(other, person)
  const sessions = await Promise.all(Array.from({ length: 4 }, () => here(person)))
  await Promise.all(sessions.map(each => each.switchTo(other.organisationId)))
  await Promise.all(sessions.map(me))
})
