import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createServiceAccount } from '../credentials/keys.ts'
import { ask } from '../support/client.ts'
import { mailedLink } from '../support/links.ts'
import { tokenIn } from '../support/mailbox.ts'
import {
  accept,
  freshEmail,
  mailedToken,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

const MEMBER = `id name firstName lastName externalId lockedAt role { name }`
const UPDATE = `mutation ($id: ID!, $input: UpdateMemberInput!) { updateMember(id: $id, input: $input) { member { ${MEMBER} } } }`
const act = (name: string, answer: string) =>
  `mutation ($id: ID!) { ${name}(id: $id) { ${answer} } }`
const ACTS = {
  lockMember: act('lockMember', 'member { lockedAt }'),
  unlockMember: act('unlockMember', 'member { lockedAt }'),
  revokeMemberSessions: act('revokeMemberSessions', 'count'),
  removeMember: act('removeMember', 'deletedId organisation { id }'),
}
const VIEWER = `{ viewer { permissions { name } } }`

const update = async (id: string, input: Record<string, unknown>, by = admin) =>
  (await by.ask(UPDATE, { id, input })).updateMember.member

/** Somebody with an account who belongs to both organisations, and acts in the first. */
async function shared(email = freshEmail()): Promise<Person> {
  const person = await admin.bring('Member', email)
  await neighbour.add({ email: person.email, firstName: 'Annie', lastName: 'Typed' })
  return person
}

const refresh = (person: Person) =>
  ask(
    server.url,
    `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { accessToken refreshToken session { id member { id organisation { id } } } } }`,
    {
      t: person.refreshToken,
    },
  ).then(({ refreshSession }) => person.take(refreshSession))

const memberIdIn = async (by: Person, email: string): Promise<string> =>
  (
    await by.ask(
      `query ($e: [EmailAddress!]) { organisation { members(filter: { emails: $e }) { nodes { id } } } }`,
      { e: [email] },
    )
  ).organisation.members.nodes[0].id

test('a locked member works on and refreshes, but can neither sign in, switch in nor prove themselves again', async () => {
  const person = await shared()
  const elsewhere = await signIn(server, person.email, undefined, {
    organisationId: neighbour.organisationId,
  })
  const { lockMember } = await admin.ask(ACTS.lockMember, { id: person.memberId })
  expect(lockMember.member.lockedAt).not.toBeNull()
  expect((await admin.ask(ACTS.lockMember, { id: person.memberId })).lockMember).toEqual(lockMember)

  expect((await person.ask(VIEWER)).viewer.permissions).toHaveLength(1)
  await refresh(person)
  await person.ask(VIEWER)
  const wanted = { organisationId: admin.organisationId }
  await expect(signIn(server, person.email, undefined, wanted)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  await expect(elsewhere.switchTo(admin.organisationId)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await expect(
    person.ask(
      `mutation { reauthenticate(input: { password: "a password that is long enough" }) { accessToken } }`,
    ),
  ).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
  // barred here, and untouched there
  expect((await signIn(server, person.email)).organisationId).toBe(neighbour.organisationId)

  expect(
    (await admin.ask(ACTS.unlockMember, { id: person.memberId })).unlockMember.member.lockedAt,
  ).toBeNull()
  await elsewhere.switchTo(admin.organisationId)
})

test('whoever was removed everywhere comes in again once they are invited or added, and whoever left does anyway', async () => {
  const person = await admin.bring()
  await admin.ask(ACTS.removeMember, { id: person.memberId })
  await expect(signIn(server, person.email)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  const { inviteMember } = await neighbour.ask(
    `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { invitation { id } } } }`,
    { input: { email: person.email } },
  )
  expect((await signIn(server, person.email)).organisationId).toBe('')
  await neighbour.ask(`mutation ($id: ID!) { revokeInvitation(id: $id) { invitation { id } } }`, {
    id: inviteMember.member.invitation.id,
  })
  await expect(signIn(server, person.email)).rejects.toBeRefused('UNAUTHENTICATED')
  await neighbour.add({ email: person.email })
  expect((await signIn(server, person.email)).organisationId).toBe(neighbour.organisationId)

  const free = await admin.bring()
  await free.ask(`mutation ($id: ID!) { leaveOrganisation(id: $id) { deletedId } }`, {
    id: admin.organisationId,
  })
  expect((await signIn(server, free.email)).organisationId).toBe('')
})

test('whoever was brought in again is barred no more for having been put out before', async () => {
  const leave = (person: Person) =>
    person.ask(`mutation ($id: ID!) { leaveOrganisation(id: $id) { deletedId } }`, {
      id: admin.organisationId,
    })
  // by being added, and by accepting an invitation
  for (const bringBack of [
    async (email: string) => void (await admin.add({ email })),
    async (email: string) => {
      const link = await mailedLink(server, email, () =>
        admin.ask(
          `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { id } } }`,
          { input: { email } },
        ),
      )
      const token = tokenIn(link)
      const person = await signIn(server, email)
      await person.ask(
        `mutation ($token: String!) { acceptInvitation(input: { token: $token }) { member { id } } }`,
        { token },
      )
    },
  ]) {
    const person = await admin.bring()
    await admin.ask(ACTS.removeMember, { id: person.memberId })
    await bringBack(person.email)
    const back = await signIn(server, person.email, PASSWORD, {
      organisationId: admin.organisationId,
    })
    await leave(back)
    expect((await signIn(server, person.email)).organisationId).toBe('')
    await admin.add({ email: person.email })
    // put out once more, they stay out
    const again = await signIn(server, person.email)
    await admin.ask(ACTS.removeMember, { id: again.memberId })
    await expect(signIn(server, person.email)).rejects.toBeRefused('UNAUTHENTICATED')
  }
})

test('a removed member is out on the next request, cannot come in again, and leaves a tombstone', async () => {
  const person = await shared(freshEmail('tombstone'))
  const { memberId, email } = person
  const { removeMember } = await admin.ask(ACTS.removeMember, { id: memberId })
  expect(removeMember).toEqual({ deletedId: memberId, organisation: { id: admin.organisationId } })

  await expect(person.ask(VIEWER)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  await expect(refresh(person)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  await expect(
    signIn(server, email, undefined, { organisationId: admin.organisationId }),
  ).rejects.toBeRefused('UNAUTHENTICATED')
  const elsewhere = await signIn(server, email)
  expect(elsewhere.organisationId).toBe(neighbour.organisationId)
  await expect(elsewhere.switchTo(admin.organisationId)).rejects.toBeRefused('NOT_FOUND')

  const { organisation: place } = await admin.ask(
    `query ($id: ID!, $e: [EmailAddress!], $s: String) { organisation {
      member(id: $id) { email removedAt } byMail: members(filter: { emails: $e }) { totalCount } bySearch: members(search: $s) { totalCount } } }`,
    { id: memberId, e: [email], s: 'tombstone' },
  )
  expect(place.member).toMatchObject({ email, removedAt: expect.any(String) })
  expect([place.byMail.totalCount, place.bySearch.totalCount]).toEqual([0, 0])
  for (const document of Object.values(ACTS))
    await expect(admin.ask(document, { id: memberId })).rejects.toBeRefused('NOT_FOUND')
  await expect(update(memberId, { firstName: 'Ghost' })).rejects.toBeRefused('NOT_FOUND')
  // added again, they are somebody new
  const again = await admin.add({ email })
  expect(again.member).toMatchObject({ status: 'ACTIVE', userId: person.userId })
  expect(again.member.id).not.toBe(memberId)
})

test('revoking the sessions of a member keeps those begun before from coming back', async () => {
  const person = await shared()
  const earlier = await signIn(server, person.email, undefined, {
    organisationId: neighbour.organisationId,
  })
  const second = await signIn(server, person.email, undefined, {
    organisationId: admin.organisationId,
  })
  const { revokeMemberSessions } = await admin.ask(ACTS.revokeMemberSessions, {
    id: person.memberId,
  })
  expect(revokeMemberSessions.count).toBe(2)
  for (const ended of [person, second])
    await expect(ended.ask(VIEWER)).rejects.toBeRefused('UNAUTHENTICATED')
  await earlier.ask(VIEWER)
  await expect(earlier.switchTo(admin.organisationId)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  const later = await signIn(server, person.email, undefined, {
    organisationId: neighbour.organisationId,
  })
  expect((await later.switchTo(admin.organisationId)).organisationId).toBe(admin.organisationId)
})

describe('acting on members', () => {
  const everyAct = (id: string): [string, Record<string, unknown>][] => [
    [UPDATE, { id, input: { firstName: 'Mallory' } }],
    ...Object.values(ACTS).map(document => [document, { id }] as [string, Record<string, unknown>]),
  ]

  test('is refused to strangers and to those without `manageUser`', async () => {
    const person = await admin.bring()
    for (const [document, variables] of everyAct(admin.memberId)) {
      await expect(ask(server.url, document, variables)).rejects.toBeRefused('UNAUTHENTICATED')
      await expect(person.ask(document, variables)).rejects.toBeRefused(
        'FORBIDDEN',
        'PERMISSION_MISSING',
      )
    }
  })

  test('answers ids of a neighbour as it answers unknown ones', async () => {
    const person = await shared()
    const there = await memberIdIn(neighbour, person.email)
    // a service account is managed by its own verbs
    const machine = await createServiceAccount(admin, [])
    const unknown = '01920000-0000-7000-8000-000000000000'
    for (const id of [there, neighbour.memberId, machine, unknown])
      for (const [document, variables] of everyAct(id)) {
        const refusal = await admin.ask(document, variables).catch(error => error)
        expect(refusal).toMatchObject({
          code: 'NOT_FOUND',
          message: expect.stringContaining('no such member'),
        })
      }
    const foreign = (await neighbour.roles()).Member
    await expect(update(person.memberId, { roleId: foreign })).rejects.toBeRefused('NOT_FOUND')
    const { Viewer } = await admin.roles()
    await expect(update(person.memberId, { roleId: Viewer })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'ROLE_LEVEL_MISMATCH',
    )
  })

  test('never reaches upwards: neither to those who hold more, nor by handing out more', async () => {
    await admin.role('Registrar', ['manageUser'])
    const auditor = await admin.role('Auditor', ['viewAudit'])
    await admin.role('Local', ['viewUser'], { visibility: 'SHARED_PROJECTS' })
    const registrar = await admin.bring('Registrar')
    for (const [document, variables] of everyAct(admin.memberId))
      await expect(registrar.ask(document, variables)).rejects.toBeRefused(
        'FORBIDDEN',
        'EXCEEDS_OWN_PERMISSIONS',
      )
    const person = await admin.bring('Local')
    const { Administrator, Registrar } = await admin.roles()
    for (const roleId of [Administrator, auditor])
      for (const id of [person.memberId, registrar.memberId])
        await expect(update(id, { roleId }, registrar)).rejects.toBeRefused(
          'FORBIDDEN',
          'EXCEEDS_OWN_PERMISSIONS',
        )
    expect(await update(person.memberId, { roleId: Registrar }, registrar)).toMatchObject({
      role: { name: 'Registrar' },
    })
    for (const [document, variables] of everyAct(person.memberId))
      await registrar.ask(document, variables)
  })

  test('stops where the role shows nobody, and hands out no wider view', async () => {
    const local = await admin.role('Blinkered', ['manageUser'], { visibility: 'SELF' })
    const blinkered = await admin.bring('Blinkered')
    const person = await admin.bring()
    for (const [document, variables] of everyAct(person.memberId))
      await expect(blinkered.ask(document, variables)).rejects.toBeRefused('NOT_FOUND')
    const { Member } = await admin.roles()
    await expect(update(blinkered.memberId, { roleId: Member }, blinkered)).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
    expect(local).toBeTruthy()
  })
})

test('a locked administrator does not lift the lock from themselves, in bulk or alone', async () => {
  const second = await admin.bring('Administrator')
  await admin.ask(ACTS.lockMember, { id: second.memberId })
  await expect(second.ask(ACTS.unlockMember, { id: second.memberId })).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  const { applyMemberAction } = await second.ask(
    `mutation ($ids: [ID!]!) { applyMemberAction(ids: $ids, action: UNLOCK, onError: CONTINUE) { results { problem { code reason } } } }`,
    { ids: [second.memberId] },
  )
  expect(applyMemberAction.results[0].problem).toEqual({
    code: 'FORBIDDEN',
    reason: 'POLICY_FORBIDS',
  })
  await expect(signIn(server, second.email)).rejects.toBeRefused('UNAUTHENTICATED')
  await admin.ask(ACTS.unlockMember, { id: second.memberId })
  await signIn(server, second.email)
  // where there is none, there is nothing to refuse
  await second.ask(ACTS.unlockMember, { id: second.memberId })
})

test('a lock put on somebody who was only invited holds when they accept', async () => {
  const email = freshEmail()
  const { member } = await admin.add({ email })
  await admin.ask(ACTS.lockMember, { id: member.id })
  const token = await mailedToken(server, email)
  await expect(accept(server, token)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await admin.ask(ACTS.unlockMember, { id: member.id })
  expect((await accept(server, token)).memberId).toBe(member.id)
})

test('reasons are text: control characters are refused before they reach the database', async () => {
  const person = await admin.bring()
  const lock = (reason: string) =>
    admin.ask(
      `mutation ($id: ID!, $r: String) { lockMember(id: $id, reason: $r) { member { lockedAt } } }`,
      { id: person.memberId, r: reason },
    )
  await expect(lock('a\u0000b')).rejects.toBeRefused('BAD_USER_INPUT', 'INVALID_FORMAT')
  await expect(lock('x'.repeat(501))).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
  await lock('lost laptop,\nticket 4711 ✓')
})

test('the trail tells until when somebody is barred, and a reason is found where it stands', async () => {
  const { memberId } = await admin.bring()
  const until = (days: number) => new Date(server.clock.now().getTime() + days * 86_400_000)
  const suspend = (input: object) =>
    admin.ask(
      `mutation ($id: ID!, $input: SuspendInput) { suspendMember(id: $id, input: $input) { member { id } } }`,
      { id: memberId, input },
    )
  const [first, second] = [until(1), until(2)]
  await suspend({ until: first })
  await suspend({ until: second })
  const { organisation: here } = await admin.ask(
    `query ($id: ID!) { organisation { auditEvents(filter: { targetIds: [$id], topics: ["member.suspended"] }) {
      nodes { changes { field before after } } } } }`,
    { id: memberId },
  )
  expect(here.auditEvents.nodes.map((event: any) => event.changes)).toEqual([
    [
      { field: 'status', before: 'SUSPENDED', after: 'SUSPENDED' },
      { field: 'suspendedUntil', before: first.toISOString(), after: second.toISOString() },
    ],
    [
      { field: 'status', before: 'ACTIVE', after: 'SUSPENDED' },
      { field: 'suspendedUntil', before: null, after: first.toISOString() },
    ],
  ])
  for (const [input, path] of [
    [{ reason: 'a\u0000b' }, ['input', 'reason']],
    [{ until: until(-1) }, ['input', 'until']],
  ] as const)
    await expect(suspend(input)).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT', fields: [{ path }] },
    })
})
