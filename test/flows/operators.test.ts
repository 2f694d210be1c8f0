import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import {
  accept,
  newcomer,
  operator,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { OPERATOR, startServer, type TestServer } from '../support/server.ts'
import { mailedLink } from '../support/links.ts'
import { tokenIn } from '../support/mailbox.ts'
import {
  act,
  addMember,
  admit,
  createProject,
  grant,
  RANDOM_ID,
  switchProject,
} from '../tenancy/verbs.ts'

let server: TestServer
let beside: TestServer
let op: Person
let admin: Person

const LAST = ['CONFLICT', 'LAST_ADMINISTRATOR'] as const
const OUT = ['UNAUTHENTICATED', 'SESSION_ENDED'] as const
const WRONG = ['UNAUTHENTICATED', 'CREDENTIALS_INVALID'] as const

beforeAll(async () => {
  server = await startServer()
  beside = await startServer({ beside: server })
  admin = await organisation(server)
})
beforeEach(async () => {
  op = await operator(server)
  admin = await signIn(server, admin.email)
})
afterAll(async () => {
  await beside.stop()
  await server.stop()
})

const USER = 'user { id status lockedAt suspendedUntil operator }'
const verb = (by: Person, field: string, id: string) =>
  act(by, field, id, USER, field.endsWith('Operator') ? 'userId' : 'id')
const suspend = (by: Person, id: string, until: Date | null) =>
  by.ask(
    `mutation ($id: ID!, $input: SuspendInput) { suspendUser(id: $id, input: $input) { ${USER} } }`,
    {
      id,
      input: { until },
    },
  )
const me = (by: Person, url = server.url) => by.ask(`{ me { id } }`, {}, url)
const refresh = (by: Person) =>
  ask(
    server.url,
    `mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { accessToken } }`,
    {
      token: by.refreshToken,
    },
  )
const eventsOn = async (id: string) =>
  (
    await server.database.owner(`select topic from event where target_id = $1 order by id`, [id])
  ).map(row => row.topic)

test('a locked account starts nothing anew anywhere, and what is open runs on', async () => {
  const person = await newcomer(admin)
  expect((await verb(op, 'lockUser', person.userId)).user.lockedAt).not.toBeNull()
  await me(person)
  await refresh(person)
  await expect(signIn(server, person.email)).rejects.toBeRefused(...WRONG)
  // the organisation is not told of it: it is not its lock
  const { organisation: there } = await admin.ask(
    `query ($id: ID!) { organisation { member(id: $id) { status lockedAt } } }`,
    { id: person.memberId },
  )
  expect(there.member).toEqual({ status: 'ACTIVE', lockedAt: null })
  // nor can an administrator lift it
  await act(admin, 'unlockMember', person.memberId)
  await expect(signIn(server, person.email)).rejects.toBeRefused(...WRONG)
  expect((await verb(op, 'unlockUser', person.userId)).user.lockedAt).toBeNull()
  await signIn(server, person.email)
  expect(await eventsOn(person.userId)).toEqual(
    expect.arrayContaining(['user.locked', 'user.unlocked']),
  )
})

test('a locked account gets in nowhere anew from the session that it has', async () => {
  const person = await newcomer(admin)
  const away = await organisation(server)
  const there = await admit(away, person)
  const { Viewer } = await away.roles()
  const open = { registration: { enabled: true, defaultRoleId: Viewer } }
  const [project, other] = [await createProject(away), await createProject(away, open)]
  await grant(away, there, project.id, Viewer!)
  const here = await createProject(admin)
  await grant(admin, person.memberId, here.id, (await admin.roles()).Viewer!)
  const host = await organisation(server)
  const link = await mailedLink(server, person.email, () =>
    host.ask(
      `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { id } } }`,
      { input: { email: person.email } },
    ),
  )
  await op.ask(
    `mutation { updatePlatformSettings(input: { organisationCreationOpen: true }) { settings { mfaIssuer } } }`,
  )
  const ways: Record<string, () => Promise<unknown>> = {
    switchOrganisation: () => person.switchTo(away.organisationId),
    'switchOrganisation, to the one in use': () => person.switchTo(admin.organisationId),
    'switchProject elsewhere': () => switchProject(person, project.id),
    joinProject: () => act(person, 'joinProject', other.id),
    acceptInvitation: () =>
      person.ask(
        `mutation ($token: String!) { acceptInvitation(input: { token: $token }) { member { id } } }`,
        { token: tokenIn(link) },
      ),
    createOrganisation: () =>
      person.ask(`mutation { createOrganisation(input: { name: "New" }) { organisation { id } } }`),
  }
  await verb(op, 'lockUser', person.userId)
  for (const [name, way] of Object.entries(ways))
    await expect(way(), name).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  // between projects of the organisation in use they move, as before
  expect((await switchProject(person, here.id)).organisationId).toBe(admin.organisationId)
  await verb(op, 'unlockUser', person.userId)
  for (const [name, way] of Object.entries(ways)) await expect(way(), name).resolves.toBeTruthy()
  await op.ask(
    `mutation { updatePlatformSettings(input: { organisationCreationOpen: false }) { settings { mfaIssuer } } }`,
  )
})

test('a locked operator does not lift the lock from themselves', async () => {
  const second = await newcomer(admin)
  await verb(op, 'grantOperator', second.userId)
  await verb(op, 'lockUser', second.userId)
  await expect(verb(second, 'unlockUser', second.userId)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await expect(signIn(server, second.email)).rejects.toBeRefused(...WRONG)
  await verb(op, 'unlockUser', second.userId)
  await verb(second, 'unlockUser', second.userId)
  await verb(op, 'revokeOperator', second.userId)
})

test('a suspended or inactive account is out on the next request, on every node, and back without its sessions', async () => {
  const inAnHour = new Date(server.clock.now().getTime() + 3_600_000)
  const bars = {
    suspended: (id: string) => suspend(op, id, null),
    inactive: (id: string) => verb(op, 'deactivateUser', id),
  }
  for (const [status, bar] of Object.entries(bars)) {
    const person = await newcomer(admin)
    await me(person, beside.url)
    await bar(person.userId)
    await expect(me(person, beside.url)).rejects.toBeRefused(...OUT)
    await expect(refresh(person)).rejects.toBeRefused(...OUT)
    await expect(signIn(server, person.email)).rejects.toBeRefused(...WRONG)
    // the membership is active all the while
    await act(admin, 'activateMember', person.memberId)
    await expect(signIn(server, person.email)).rejects.toBeRefused(...WRONG)
    expect((await verb(op, 'activateUser', person.userId)).user.status, status).toBe('ACTIVE')
    await expect(me(person)).rejects.toBeRefused(...OUT)
    await signIn(server, person.email)
  }
  await expect(
    suspend(op, admin.userId, new Date(server.clock.now().getTime() - 1000)),
  ).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
  const person = await newcomer(admin)
  expect((await suspend(op, person.userId, inAnHour)).suspendUser.user.status).toBe('SUSPENDED')
  server.clock.advance({ hours: 1, seconds: 5 })
  await signIn(server, person.email)
  await expect(refresh(person)).rejects.toBeRefused(...OUT)
  const { platform } = await (
    await operator(server)
  ).ask(`query ($id: ID!) { platform { user(id: $id) { status suspendedUntil } } }`, {
    id: person.userId,
  })
  expect(platform.user).toEqual({ status: 'ACTIVE', suspendedUntil: null })
})

test('all sessions of an account are ended at once', async () => {
  const person = await newcomer(admin)
  const second = await signIn(server, person.email)
  expect((await act(op, 'revokeUserSessions', person.userId, 'count')).count).toBe(2)
  for (const each of [person, second]) await expect(me(each)).rejects.toBeRefused(...OUT)
  await signIn(server, person.email)
})

test('an account becomes an operator and is one no more, from the next request on', async () => {
  const person = await newcomer(admin)
  const platform = (url: string) =>
    person.ask(`{ viewer { operator } platform { organisations { totalCount } } }`, {}, url)
  await expect(platform(server.url)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  expect((await verb(op, 'grantOperator', person.userId)).user.operator).toBe(true)
  expect((await platform(beside.url)).viewer.operator).toBe(true)
  expect((await verb(op, 'revokeOperator', person.userId)).user.operator).toBe(false)
  await expect(platform(beside.url)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  // whose address is not proven cannot become one
  const unproven = await accept(server, tokenIn((await addMember(admin)).invitationUrl))
  await expect(verb(op, 'grantOperator', unproven.userId)).rejects.toBeRefused(
    'CONFLICT',
    'STATE_MISMATCH',
  )
})

test('one operator who can sign in always remains, also when two revoke each other at once', async () => {
  for (const field of ['revokeOperator', 'lockUser', 'suspendUser', 'deactivateUser'])
    await expect(verb(op, field, op.userId), field).rejects.toBeRefused(...LAST)
  for (let round = 0; round < 8; round += 1) {
    const [one, two] = [await newcomer(admin), await newcomer(admin)]
    for (const each of [one, two]) await verb(op, 'grantOperator', each.userId)
    await server.database.owner(`update user_account set operator = false where id = $1`, [
      op.userId,
    ])
    const field = ['revokeOperator', 'lockUser', 'suspendUser', 'deactivateUser'][round % 4]!
    const outcomes = await Promise.allSettled([
      verb(one, field, two.userId),
      verb(Object.assign(Object.create(two) as Person, { server: beside }), field, one.userId),
    ])
    expect(outcomes.filter(each => each.status === 'fulfilled')).toHaveLength(1)
    const left = await server.database.owner(
      `select id from user_account where operator and locked_at is null and status = 'ACTIVE' and id = any($1)`,
      [[one.userId, two.userId]],
    )
    expect(left).toHaveLength(1)
    await server.database.owner(`update user_account set operator = (id = $1)`, [op.userId])
  }
})

test('a suspended organisation lets nobody act in it, until it is activated', async () => {
  const founder = await organisation(server)
  const person = await newcomer(founder)
  await admit(admin, person)
  const id = founder.organisationId
  const { organisation: suspended } = await act(
    op,
    'suspendOrganisation',
    id,
    'organisation { id suspendedAt }',
  )
  expect(suspended.suspendedAt).not.toBeNull()
  for (const each of [founder, person])
    await expect(me(each, beside.url)).rejects.toBeRefused(...OUT)
  await expect(refresh(founder)).rejects.toBeRefused(...OUT)
  await expect(signIn(server, founder.email)).rejects.toBeRefused(...WRONG)
  const elsewhere = await signIn(server, person.email)
  expect(elsewhere.organisationId).toBe(admin.organisationId)
  await expect(elsewhere.switchTo(id)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')

  // a sign-in that was under way while the organisation was being barred
  const late = await signIn(server, person.email, PASSWORD, {
    organisationId: admin.organisationId,
  })
  await server.database.owner(
    `update session set organisation_id = $2, principal_id = m.id from principal m
     where session.id = $1 and m.organisation_id = $2 and m.user_id = $3`,
    [late.sessionId, id, person.userId],
  )
  await expect(me(late)).rejects.toBeRefused(...OUT)
  const { organisation: back } = await act(
    op,
    'activateOrganisation',
    id,
    'organisation { suspendedAt }',
  )
  expect(back.suspendedAt).toBeNull()
  await expect(me(founder)).rejects.toBeRefused(...OUT)
  await expect(me(late)).rejects.toBeRefused(...OUT)
  await signIn(server, founder.email)
  await elsewhere.switchTo(id)
})

test('a deleted organisation is gone for everybody, and the accounts live on', async () => {
  const founder = await organisation(server)
  const open = await addMember(founder)
  const id = founder.organisationId
  expect(await act(op, 'deleteOrganisation', id, 'deletedId organisation { id }')).toEqual({
    deletedId: id,
    organisation: null,
  })
  await expect(me(founder)).rejects.toBeRefused(...OUT)
  await expect(refresh(founder)).rejects.toBeRefused(...OUT)
  await expect(accept(server, tokenIn(open.invitationUrl))).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'TOKEN_INVALID',
  )
  const again = await signIn(server, founder.email)
  expect(again.organisationId).toBe('')
  await expect(again.switchTo(id)).rejects.toBeRefused('NOT_FOUND')
  for (const field of ['suspendOrganisation', 'activateOrganisation', 'deleteOrganisation'])
    for (const unknown of [id, RANDOM_ID])
      await expect(act(op, field, unknown), field).rejects.toBeRefused('NOT_FOUND')
  await expect(
    op.ask(`query ($id: ID!) { platform { organisation(id: $id) { id } } }`, { id }),
  ).rejects.toBeRefused('NOT_FOUND')
})

const ACCOUNT_VERBS = [
  'lockUser',
  'unlockUser',
  'suspendUser',
  'deactivateUser',
  'activateUser',
  'revokeUserSessions',
  'grantOperator',
  'revokeOperator',
]
const ORGANISATION_VERBS = ['suspendOrganisation', 'activateOrganisation', 'deleteOrganisation']
const call = (by: Person, field: string, id: string) =>
  act(by, field, id, '__typename', field.endsWith('Operator') ? 'userId' : 'id')

test('nobody but operators has these verbs, not for themselves either', async () => {
  const member = await newcomer(admin)
  for (const by of [admin, member])
    for (const [fields, ids] of [
      [ACCOUNT_VERBS, [member.userId, by.userId, RANDOM_ID]],
      [ORGANISATION_VERBS, [admin.organisationId, RANDOM_ID]],
    ] as const)
      for (const field of fields)
        for (const id of ids)
          await expect(call(by, field, id), field).rejects.toBeRefused(
            'FORBIDDEN',
            'PERMISSION_MISSING',
          )
  await expect(admin.ask(`{ platform { users { totalCount } } }`)).rejects.toBeRefused(
    'FORBIDDEN',
    'PERMISSION_MISSING',
  )
  await expect(
    ask(server.url, `mutation { lockUser(id: "${member.userId}") { user { id } } }`),
  ).rejects.toBeRefused('UNAUTHENTICATED')
  await me(member)
})

test('operators need a recent sign-in, which proving oneself again renews', async () => {
  const founder = await organisation(server)
  const person = await newcomer(founder)
  server.clock.advance({ minutes: 9 })
  op.accessToken = (await refresh(op)).refreshSession.accessToken
  await call(op, 'lockUser', person.userId)
  server.clock.advance({ minutes: 1, seconds: 30 })
  for (const field of ACCOUNT_VERBS)
    await expect(call(op, field, person.userId), field).rejects.toBeRefused('STEP_UP_REQUIRED')
  for (const field of ORGANISATION_VERBS)
    await expect(call(op, field, founder.organisationId), field).rejects.toBeRefused(
      'STEP_UP_REQUIRED',
    )
  // reading needs none
  await op.ask(`{ platform { users { totalCount } } }`)
  const { reauthenticate } = await op.ask(
    `mutation ($password: String!) { reauthenticate(input: { password: $password }) { accessToken refreshToken session { id member { id organisation { id } } } } }`,
    { password: OPERATOR.password },
  )
  op.take(reauthenticate)
  await call(op, 'unlockUser', person.userId)
})

test('acts on unknown accounts and organisations change nothing', async () => {
  for (const field of ACCOUNT_VERBS)
    for (const id of [RANDOM_ID, admin.memberId])
      await expect(call(op, field, id), field).rejects.toBeRefused('NOT_FOUND')
})

test('the id of a member in place of the account is told apart in words', async () => {
  await expect(verb(op, 'lockUser', admin.memberId)).rejects.toThrow('`Member.userId`')
})
