import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import { askBy, bringWith, createKey, createServiceAccount } from '../credentials/keys.ts'
import { post } from '../support/client.ts'
import { freshEmail, newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'
import { addMember } from '../tenancy/verbs.ts'

// Each row of a bulk request that is refused is told as the act by itself would be.

let server: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

const PAYLOAD = `{ applied failed results { problem { code reason } } }`
const APPLY = `mutation ($rows: [ID!]!, $action: MemberAction!, $onError: BulkErrorPolicy! = CONTINUE, $dryRun: Boolean! = false) {
  done: applyMemberAction(ids: $rows, action: $action, onError: $onError, dryRun: $dryRun) ${PAYLOAD} }`
const bulk = (field: string, type: string) =>
  `mutation ($rows: [${type}!]!, $onError: BulkErrorPolicy! = CONTINUE, $dryRun: Boolean! = false) {
  done: ${field}(rows: $rows, onError: $onError, dryRun: $dryRun) ${PAYLOAD} }`
const ADD = bulk('addMembers', 'AddMemberInput')
const INVITE = bulk('inviteMembers', 'InviteMemberInput')
const UPDATE = bulk('updateMembers', 'UpdateMemberRow')
const ABORT = { onError: 'ABORT' }

const row = (more: Record<string, unknown> = {}) => ({
  email: freshEmail('row'),
  firstName: 'Ann',
  lastName: 'Lee',
  ...more,
})
const change = (id: string, input: Record<string, unknown> = { firstName: 'Eve' }) => ({
  id,
  input,
})
const run = async (by: Person, document: string, rows: unknown[], more: object = {}) =>
  (await by.ask(document, { rows, ...more })).done

/** Somebody who manages people and no more; the acts of each are told apart by who did them. */
const clerk = () => bringWith(admin, ['manageUser'])

/** What somebody did and tried since they joined, the oldest first. */
const eventsOf = async (by: Person): Promise<any[]> =>
  (
    await admin.ask(
      `query ($ids: [ID!]) { organisation { auditEvents(first: 100, filter: { actorIds: $ids }) { nodes {
        topic { name } outcome reason actor { kind } target { kind id node { id } } changes { field after } requestId
      } } } }`,
      { ids: [by.memberId] },
    )
  ).organisation.auditEvents.nodes
    .toReversed()
    .filter(({ topic }: any) => !/^(session|member\.joined)/.test(topic.name))
const told = (events: any[]) =>
  events.map(({ topic, outcome, reason, target }) => [
    topic.name,
    outcome === 'DENIED' ? reason : outcome,
    target && `${target.kind} ${target.id}`,
  ])

test('what is refused of rows is told with the act, the reason and the member; the rest was done', async () => {
  const by = await clerk()
  const above = await bringWith(admin, ['viewAudit'])
  const plain = await newcomer(admin)
  const nobody = newId()
  const rows = [above.memberId, neighbour.memberId, nobody, plain.memberId]
  const answer = await run(by, APPLY, rows, { action: 'LOCK' })
  expect(answer).toMatchObject({ applied: true, failed: 3 })
  const events = await eventsOf(by)
  expect(told(events)).toEqual([
    ['member.locked', 'SUCCEEDED', `Member ${plain.memberId}`],
    ['member.locked', 'FORBIDDEN/EXCEEDS_OWN_PERMISSIONS', `Member ${above.memberId}`],
    ['member.locked', 'NOT_FOUND', `Member ${neighbour.memberId}`],
    ['member.locked', 'NOT_FOUND', `Member ${nobody}`],
  ])
  // a neighbour's id stays a mere id, and the neighbour learns nothing of it
  expect(events.map(({ target }) => target.node?.id ?? null)).toEqual([
    plain.memberId,
    above.memberId,
    null,
    null,
  ])
  expect(
    await server.database.owner(
      `select id from event where organisation_id = $1 and outcome = 'DENIED'`,
      [neighbour.organisationId],
    ),
  ).toEqual([])
  expect(new Set(events.map(({ requestId }) => requestId)).size).toBe(1)
})

test.each([
  ['UNLOCK', 'member.unlocked'],
  ['SUSPEND', 'member.suspended'],
  ['DEACTIVATE', 'member.deactivated'],
  ['ACTIVATE', 'member.activated'],
  ['REMOVE', 'member.removed'],
  ['REVOKE_SESSIONS', 'member.sessions_revoked'],
  ['RESEND_INVITATION', 'invitation.sent'],
])('%s of rows is told as %s', async (action, topic) => {
  const by = await clerk()
  await run(by, APPLY, [neighbour.memberId], { action })
  expect(told(await eventsOf(by))).toEqual([[topic, 'NOT_FOUND', `Member ${neighbour.memberId}`]])
})

test('an invitation that holds more than the caller has is told where it is sent again', async () => {
  const by = await clerk()
  const { Administrator } = await admin.roles()
  const { member } = await addMember(admin, { roleId: Administrator })
  await run(by, APPLY, [member.id], { action: 'RESEND_INVITATION' })
  expect(told(await eventsOf(by))).toEqual([
    ['invitation.sent', 'FORBIDDEN/EXCEEDS_OWN_PERMISSIONS', `Member ${member.id}`],
  ])
})

test('the last administrator is told of, and what is merely wrong is not', async () => {
  const alone = await organisation(server)
  const { member } = await addMember(alone)
  const ids = [alone.memberId, member.id, member.id]
  const answer = await run(alone, APPLY, ids, { action: 'SUSPEND' })
  expect(answer.results.map(({ problem }: any) => problem.reason)).toEqual([
    'LAST_ADMINISTRATOR',
    'STATE_MISMATCH',
    'ALREADY_EXISTS',
  ])
  const events = await server.database.owner(
    `select topic, refusal, target_id as target from event where organisation_id = $1 and outcome = 'DENIED'`,
    [alone.organisationId],
  )
  expect(events).toEqual([
    {
      topic: 'member.suspended',
      refusal: 'CONFLICT/LAST_ADMINISTRATOR',
      target: alone.memberId,
    },
  ])
})

test('a change that is held back leaves the refusals, and nothing of what was undone', async () => {
  const by = await clerk()
  const plain = await newcomer(admin)
  const { Administrator } = await admin.roles()
  const foreign = (await neighbour.roles()).Member
  const held = await run(
    by,
    UPDATE,
    [
      change(plain.memberId),
      change(neighbour.memberId),
      change(admin.memberId),
      change(plain.memberId),
      change((await newcomer(admin)).memberId, { firstName: '' }),
    ],
    ABORT,
  )
  expect(held).toMatchObject({ applied: false, failed: 4 })
  const again = await run(by, UPDATE, [change(plain.memberId, { roleId: Administrator })], ABORT)
  expect(again.applied).toBe(false)
  await run(by, UPDATE, [change(plain.memberId, { roleId: foreign })], ABORT)
  expect(told(await eventsOf(by))).toEqual([
    ['member.updated', 'NOT_FOUND', `Member ${neighbour.memberId}`],
    ['member.updated', 'FORBIDDEN/EXCEEDS_OWN_PERMISSIONS', `Member ${admin.memberId}`],
    ['member.updated', 'FORBIDDEN/EXCEEDS_OWN_PERMISSIONS', `Member ${plain.memberId}`],
    ['member.updated', 'NOT_FOUND', `Member ${plain.memberId}`],
  ])
  const [person] = await server.database.owner(
    `select first_name from user_account where id = $1`,
    [plain.userId],
  )
  expect(person!.first_name).toBe('Ann')
})

test.each([
  ['member.added', ADD],
  ['invitation.sent', INVITE],
])('people brought in beyond what the caller holds are told of as %s', async (topic, document) => {
  const by = await clerk()
  const { Administrator, Member } = await admin.roles()
  const foreign = (await neighbour.roles()).Member
  const rows = [
    row({ roleId: Administrator }),
    row({ roleId: foreign }),
    row({ email: admin.email, roleId: Member }),
    row({ firstName: '' }),
    row({ roleId: Member }),
  ]
  expect((await run(by, document, rows, ABORT)).failed).toBe(4)
  const events = await eventsOf(by)
  expect(told(events)).toEqual([
    [topic, 'FORBIDDEN/EXCEEDS_OWN_PERMISSIONS', null],
    [topic, 'NOT_FOUND', null],
  ])
  // whom it was about is nobody here, and their address no business of the trail
  expect(events.flatMap(({ changes }) => changes)).toEqual([])
  await run(by, document, rows)
  expect((await eventsOf(by)).filter(({ outcome }) => outcome === 'DENIED')).toHaveLength(4)
})

test('a key that may not do what a row asks for is told of by the key', async () => {
  const account = await createServiceAccount(admin, ['manageUser'])
  const { secret } = await createKey(admin, account, ['manageUser'])
  await askBy(admin, secret, ADD, { rows: [row({ sendInvitation: false }), row()] })
  const events = await server.database.owner(
    `select topic, outcome, refusal, actor_kind as kind, api_key_id is not null as keyed from event
     where actor_id = $1 and topic = 'member.added' order by id`,
    [account],
  )
  expect(events).toMatchObject([
    { outcome: 'SUCCEEDED', kind: 'SERVICE_ACCOUNT', keyed: true },
    {
      outcome: 'DENIED',
      refusal: 'FORBIDDEN/KEY_NOT_ALLOWED',
      kind: 'SERVICE_ACCOUNT',
      keyed: true,
    },
  ])
})

test.each([
  ['LOCK', 'member.locked'],
  ['REMOVE', 'member.removed'],
  ['RESEND_INVITATION', 'invitation.sent'],
])('whoever may not ask at all for %s is told of once, as %s', async (action, topic) => {
  const plain = await newcomer(admin)
  await expect(
    run(plain, APPLY, [admin.memberId, neighbour.memberId], { action }),
  ).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  expect(told(await eventsOf(plain))).toEqual([[topic, 'FORBIDDEN/PERMISSION_MISSING', null]])
})

test('a dry run leaves nothing', async () => {
  const by = await clerk()
  for (const onError of ['ABORT', 'CONTINUE']) {
    const more = { onError, dryRun: true }
    const answers = [
      await run(by, APPLY, [admin.memberId, neighbour.memberId], { action: 'LOCK', ...more }),
      await run(by, UPDATE, [change(admin.memberId)], more),
      await run(by, ADD, [row({ roleId: (await admin.roles()).Administrator })], more),
    ]
    expect(answers.map(({ failed }) => failed)).toEqual([2, 1, 1])
  }
  expect(await eventsOf(by)).toEqual([])
})

test('a request that is repeated under its key tells of its refusals once', async () => {
  const by = await clerk()
  const body = JSON.stringify({
    query: APPLY,
    variables: { rows: [neighbour.memberId], action: 'LOCK' },
  })
  for (let turn = 0; turn < 2; turn += 1) {
    const { json } = await post(server.url, body, {
      authorization: `Bearer ${by.accessToken}`,
      'idempotency-key': 'the-same-key',
    })
    expect(json.data.done.failed).toBe(1)
  }
  expect(await eventsOf(by)).toHaveLength(1)
})

test('five hundred rows cost as many statements as five, and a flood is told by its beginning', async () => {
  const strangers = (count: number) => Array.from({ length: count }, () => newId())
  const cost = async (by: Person, count: number) =>
    (
      await countStatements(server, () => run(by, APPLY, strangers(count), { action: 'UNLOCK' }), {
        asSystem: true,
      })
    ).seen
  const [first, second] = [await clerk(), await clerk()]
  server.clock.beginMinute()
  const few = await cost(first, 5)
  expect(await cost(second, 100)).toBe(few)
  const tell = async (by: Person) =>
    Number(
      (
        await server.database.owner(
          `select count(*) as count from event where actor_id = $1 and outcome = 'DENIED'`,
          [by.memberId],
        )
      )[0]!.count,
    )
  expect([await tell(first), await tell(second)]).toEqual([5, 100])
  for (let turn = 0; turn < 6; turn += 1) {
    await cost(first, 2)
    await cost(second, 500)
  }
  // five calls a minute, and no more than so many rows of them
  expect([await tell(first), await tell(second)]).toEqual([5 + 4 * 2, 150])
  // which hides nothing else that they try
  await expect(
    second.ask(`mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, { id: newId() }),
  ).rejects.toBeRefused('NOT_FOUND')
  expect(await tell(second)).toBe(151)
  server.clock.advance({ minutes: 1 })
  await cost(first, 3)
  expect(await tell(first)).toBe(5 + 4 * 2 + 3)
})
