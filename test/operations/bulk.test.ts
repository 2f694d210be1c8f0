import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { mailsSoFar, mailsTo } from '../support/mailbox.ts'
import { askBy, createKey, createServiceAccount } from '../credentials/keys.ts'
import { freshEmail, newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'
import { act, acceptUrl, addMember, assign, createProject, holder } from '../tenancy/verbs.ts'

let server: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

const RESULT = `applied succeeded failed results { index invitationUrl member { id status name lockedAt externalId role { name } } problem { code reason message path } }`
const bulk =
  (field: string, type: string) =>
  async (rows: unknown[], more: Record<string, unknown> = {}, by = admin) =>
    (
      await by.ask(
        `mutation ($rows: [${type}!]!, $onError: BulkErrorPolicy! = ABORT, $dryRun: Boolean! = false) { ${field}(rows: $rows, onError: $onError, dryRun: $dryRun) { ${RESULT} } }`,
        { rows, ...more },
      )
    )[field]
const addMembers = bulk('addMembers', 'AddMemberInput')
const inviteMembers = bulk('inviteMembers', 'InviteMemberInput')
const updateMembers = bulk('updateMembers', 'UpdateMemberRow')
const APPLY = `mutation ($ids: [ID!]!, $action: MemberAction!, $reason: String, $onError: BulkErrorPolicy! = ABORT, $dryRun: Boolean! = false) {
  applyMemberAction(ids: $ids, action: $action, reason: $reason, onError: $onError, dryRun: $dryRun) { ${RESULT} } }`
const apply = async (
  ids: string[],
  action: string,
  more: Record<string, unknown> = {},
  by = admin,
) => (await by.ask(APPLY, { ids, action, ...more })).applyMemberAction

const row = (more: Record<string, unknown> = {}) => ({
  email: freshEmail('row'),
  firstName: 'Ann',
  lastName: 'Lee',
  ...more,
})
const CONTINUE = { onError: 'CONTINUE' }
const problems = (answer: any) =>
  answer.results.map(
    ({ problem }: any) => problem && [problem.reason ?? problem.code, problem.path],
  )
const count = async (text: string) =>
  Number((await server.database.owner(`select count(*) as count from ${text}`))[0]!.count)

test('people are added and invited by the rules of one, each mailed once, links where no mail was asked for', async () => {
  const project = await createProject(admin)
  const roles = await admin.roles()
  const proven = await newcomer(neighbour)
  const rows = [
    row({ projectAccess: [{ projectId: project.id, roleId: roles.Viewer }] }),
    row({ sendInvitation: false, externalId: 'B-1' }),
    row({ email: proven.email }),
    row({ roleId: roles.Administrator }),
  ]
  const answer = await addMembers(rows)
  expect(answer).toMatchObject({ applied: true, succeeded: 4, failed: 0 })
  expect(answer.results.map((each: any) => [each.index, each.member.status])).toEqual([
    [0, 'INVITED'],
    [1, 'INVITED'],
    [2, 'ACTIVE'],
    [3, 'INVITED'],
  ])
  expect(answer.results[3].member.role.name).toBe('Administrator')
  const person = await acceptUrl(admin, answer.results[1].invitationUrl)
  expect(person.memberId).toBe(answer.results[1].member.id)
  await proven.switchTo(admin.organisationId)
  for (const { email } of [rows[0]!, rows[3]!]) await mailsTo(server, email)
  for (const { email } of rows)
    expect(await mailsSoFar(server, email)).toHaveLength(email === rows[1]!.email ? 0 : 1)

  const guests = await inviteMembers([
    { email: freshEmail('guest'), message: 'Hello.' },
    { email: freshEmail('guest') },
  ])
  expect(guests).toMatchObject({ applied: true, succeeded: 2 })
  expect(guests.results[0].invitationUrl).toBeNull()
})

test('a row that fails holds everything back, or itself alone, and says where and why', async () => {
  const roles = await admin.roles()
  const foreign = (await neighbour.roles()).Member
  const twice = freshEmail('twice')
  const rows = [
    row(),
    row({ email: admin.email }),
    row({ firstName: 'a\nb' }),
    row({ roleId: foreign }),
    row({ roleId: roles.Viewer }),
    row({ email: twice, externalId: 'C-1' }),
    row({ email: twice }),
    row({ externalId: 'C-1' }),
  ]
  const expected = [
    null,
    ['ALREADY_EXISTS', ['rows', '1', 'email']],
    ['INVALID_FORMAT', ['rows', '2', 'firstName']],
    ['NOT_FOUND', ['rows', '3', 'roleId']],
    ['ROLE_LEVEL_MISMATCH', ['rows', '4', 'roleId']],
    null,
    ['ALREADY_EXISTS', ['rows', '6', 'email']],
    ['ALREADY_EXISTS', ['rows', '7', 'externalId']],
  ]
  const before = await count('principal')
  const events = await count(`event where outcome = 'SUCCEEDED'`)
  const dry = await addMembers(rows, { ...CONTINUE, dryRun: true })
  const held = await addMembers(rows)
  for (const answer of [dry, held]) {
    expect(answer).toMatchObject({ applied: false, succeeded: 2, failed: 6 })
    expect(problems(answer)).toEqual(expected)
    for (const { member, invitationUrl } of answer.results)
      expect([member, invitationUrl]).toEqual([null, null])
  }
  expect(await count('principal')).toBe(before)
  expect(await count(`event where outcome = 'SUCCEEDED'`)).toBe(events)
  expect(await mailsSoFar(server, rows[0]!.email)).toEqual([])

  const done = await addMembers(rows, CONTINUE)
  expect(done).toMatchObject({ applied: true, succeeded: 2, failed: 6 })
  expect(problems(done)).toEqual(expected)
  expect(await count('principal')).toBe(before + 2)
})

test('a dry run says nothing of whether an account is there', async () => {
  const proven = await newcomer(neighbour)
  const { results } = await addMembers([row({ email: proven.email }), row()], { dryRun: true })
  const [known, unknown] = results.map(({ index: _index, ...each }: any) => each)
  expect(known).toEqual(unknown)
})

test('members are changed each in their own way, and a swap of external ids needs an order', async () => {
  const people = [await newcomer(admin), await newcomer(admin), await newcomer(admin)]
  const [one, two, three] = people.map(person => person.memberId)
  const { Administrator } = await admin.roles()
  const answer = await updateMembers([
    { id: one, input: { firstName: 'Zoë', externalId: 'X-1' } },
    { id: two, input: { roleId: Administrator } },
    { id: three, input: { externalId: 'X-3' } },
  ])
  expect(answer).toMatchObject({ applied: true, succeeded: 3 })
  expect(answer.results.map((each: any) => [each.member.name, each.member.role.name])).toEqual([
    ['Zoë Lee', 'Member'],
    ['Ann Lee', 'Administrator'],
    ['Ann Lee', 'Member'],
  ])
  expect((await people[0]!.ask(`{ me { name } }`)).me.name).toBe('Zoë Lee')
  const { organisation: found } = await admin.ask(
    `{ organisation { members(search: "zoe") { nodes { id } } } }`,
  )
  expect(found.members.nodes).toEqual([{ id: one }])

  // the first frees what the third takes, though one statement would not know
  const passed = await updateMembers([
    { id: one, input: { externalId: 'X-9' } },
    { id: three, input: { externalId: 'X-1' } },
    { id: two, input: { externalId: 'X-3' } },
  ])
  expect(passed).toMatchObject({ applied: true, failed: 0 })
  const swapped = await updateMembers(
    [
      { id: one, input: { externalId: 'X-1' } },
      { id: three, input: { externalId: 'X-9' } },
    ],
    CONTINUE,
  )
  expect(problems(swapped)).toEqual([
    ['ALREADY_EXISTS', ['rows', '0', 'input', 'externalId']],
    ['ALREADY_EXISTS', ['rows', '1', 'input', 'externalId']],
  ])
  const faults = await updateMembers(
    [
      { id: one, input: { firstName: '' } },
      { id: neighbour.memberId, input: { firstName: 'Eve' } },
      { id: two, input: { roleId: null } },
      { id: three, input: { firstName: 'Eve' } },
      { id: three, input: { firstName: 'Mallory' } },
    ],
    CONTINUE,
  )
  expect(problems(faults)).toEqual([
    ['REQUIRED', ['rows', '0', 'input', 'firstName']],
    ['NOT_FOUND', ['rows', '1']],
    ['REQUIRED', ['rows', '2', 'input', 'roleId']],
    null,
    ['ALREADY_EXISTS', ['rows', '4']],
  ])
  expect(faults.results[3].member.name).toBe('Eve Lee')
})

describe('one thing done to many', () => {
  test('is done to each by the rules of one', async () => {
    const people = await Promise.all(Array.from({ length: 3 }, () => newcomer(admin)))
    const ids = people.map(person => person.memberId)
    const invited = (await addMember(admin)).member.id
    const locked = await apply(ids, 'LOCK', { reason: 'stolen laptops' })
    expect(locked).toMatchObject({ applied: true, succeeded: 3 })
    for (const { member } of locked.results) expect(member.lockedAt).not.toBeNull()
    await apply(ids, 'UNLOCK')
    for (const person of people) await person.ask(`{ me { id } }`)
    const some = await apply([...ids, invited, neighbour.memberId, ids[0]!], 'SUSPEND', CONTINUE)
    expect(problems(some)).toEqual([
      null,
      null,
      null,
      ['STATE_MISMATCH', ['ids', '3']],
      ['NOT_FOUND', ['ids', '4']],
      ['ALREADY_EXISTS', ['ids', '5']],
    ])
    for (const person of people)
      await expect(person.ask(`{ me { id } }`)).rejects.toBeRefused('UNAUTHENTICATED')
    const back = await apply(ids, 'ACTIVATE')
    expect(back.results.map((each: any) => each.member.status)).toEqual(Array(3).fill('ACTIVE'))
    const dry = await apply(ids, 'REMOVE', { dryRun: true })
    expect(dry).toMatchObject({ applied: false, succeeded: 3, failed: 0 })
    const gone = await apply([...ids, invited], 'REMOVE')
    expect(gone).toMatchObject({ applied: true, succeeded: 4 })
    expect(gone.results.every((each: any) => each.member === null)).toBe(true)
    expect(problems(await apply(ids, 'REMOVE'))).toEqual(
      ids.map((_id, index) => ['NOT_FOUND', ['ids', String(index)]]),
    )
    const topics = await server.database.owner(
      `select topic, count(*)::int as count from event where target_id = any($1) and outcome = 'SUCCEEDED' group by topic order by topic`,
      [ids],
    )
    expect(topics).toEqual(
      expect.arrayContaining(
        ['activated', 'locked', 'removed', 'suspended', 'unlocked'].map(what => ({
          topic: `member.${what}`,
          count: 3,
        })),
      ),
    )
  })

  test('sends invitations again, each with a new link', async () => {
    const guests = [await addMember(admin), await addMember(admin)]
    const accepted = await newcomer(admin)
    const answer = await apply(
      [...guests.map(each => each.member.id), accepted.memberId],
      'RESEND_INVITATION',
      CONTINUE,
    )
    expect(problems(answer)).toEqual([null, null, ['STATE_MISMATCH', ['ids', '2']]])
    for (const { member, invitationUrl } of guests) {
      expect(await mailsTo(server, member.email)).toHaveLength(1)
      await expect(acceptUrl(admin, invitationUrl)).rejects.toBeRefused('BAD_USER_INPUT')
    }
  })

  test('ends sessions for people, never for keys', async () => {
    const person = await newcomer(admin)
    const account = await createServiceAccount(admin, ['manageUser'])
    const { secret } = await createKey(admin, account, ['manageUser'])
    const asKey = (action: string) =>
      askBy(admin, secret, APPLY, { ids: [person.memberId], action })
    await expect(asKey('REVOKE_SESSIONS')).rejects.toBeRefused('FORBIDDEN', 'KEY_NOT_ALLOWED')
    await person.ask(`{ me { id } }`)
    expect((await asKey('LOCK')).applyMemberAction.succeeded).toBe(1)
    const withoutMail = await askBy(
      admin,
      secret,
      `mutation ($rows: [AddMemberInput!]!) { addMembers(rows: $rows, onError: CONTINUE) { ${RESULT} } }`,
      { rows: [row({ sendInvitation: false }), row()] },
    )
    expect(problems(withoutMail.addMembers)).toEqual([['KEY_NOT_ALLOWED', ['rows', '0']], null])
    expect(await apply([person.memberId], 'REVOKE_SESSIONS')).toMatchObject({ applied: true })
    await expect(person.ask(`{ me { id } }`)).rejects.toBeRefused('UNAUTHENTICATED')
  })

  test('leaves an administrator, whichever of them the rows name', async () => {
    const here = await organisation(server)
    const { Administrator, Member } = await here.roles()
    const second = await newcomer(here, { roleId: Administrator })
    const plain = await newcomer(here)
    const ids = [second.memberId, plain.memberId, here.memberId]
    for (const action of ['LOCK', 'SUSPEND', 'DEACTIVATE', 'REMOVE']) {
      const held = await apply(ids, action, {}, here)
      expect(held).toMatchObject({ applied: false, succeeded: 2, failed: 1 })
      expect(problems(held)).toEqual([null, null, ['LAST_ADMINISTRATOR', ['ids', '2']]])
    }
    const demoted = await updateMembers(
      ids.map(id => ({ id, input: { roleId: Member } })),
      CONTINUE,
      here,
    )
    expect(problems(demoted)).toEqual([null, null, ['LAST_ADMINISTRATOR', ['rows', '2']]])
    await assign(here, second.memberId, Administrator!)
    await act(here, 'removeMember', second.memberId)
  })
})

test('bulk is for those who manage people, and reaches no further than they do', async () => {
  const auditor = await holder(admin, ['viewAudit'])
  const clerk = await holder(admin, ['manageUser'])
  const plain = await newcomer(admin)
  const { Administrator } = await admin.roles()
  for (const run of [
    (by: Person) => addMembers([row()], {}, by),
    (by: Person) => inviteMembers([{ email: freshEmail() }], {}, by),
    (by: Person) => updateMembers([{ id: plain.memberId, input: { firstName: 'Eve' } }], {}, by),
    (by: Person) => apply([plain.memberId], 'LOCK', {}, by),
  ])
    await expect(run(auditor)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  await expect(
    ask(server.url, APPLY, { ids: [plain.memberId], action: 'LOCK' }),
  ).rejects.toBeRefused('UNAUTHENTICATED')
  const upwards = [
    await apply([auditor.memberId, plain.memberId], 'REMOVE', {}, clerk),
    await updateMembers(
      [
        { id: auditor.memberId, input: { firstName: 'Eve' } },
        { id: plain.memberId, input: { firstName: 'Eve' } },
      ],
      {},
      clerk,
    ),
    await addMembers([row({ roleId: Administrator }), row()], {}, clerk),
  ]
  for (const answer of upwards) {
    expect(answer.applied).toBe(false)
    expect(answer.results[0].problem.reason).toBe('EXCEEDS_OWN_PERMISSIONS')
    expect(answer.results[1].problem).toBeNull()
  }
  await plain.ask(`{ me { id } }`)
})

test('too many rows are refused, and none at all are fine', async () => {
  const id = admin.memberId
  for (const length of [501, 10_000]) {
    const ids = Array.from({ length }, () => id)
    await expect(apply(ids, 'UNLOCK')).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
    const changes = ids.map(each => ({ id: each, input: {} }))
    await expect(updateMembers(changes, CONTINUE)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'OUT_OF_RANGE',
    )
  }
  const before = await count('principal')
  for (const length of [501, 10_000]) {
    const rows = Array.from({ length }, (_each, n) => ({ email: `r${n}@example.com` }))
    for (const add of [inviteMembers, addMembers]) {
      const full = rows.map(each =>
        add === addMembers ? { ...each, firstName: 'A', lastName: 'B' } : each,
      )
      await expect(add(full, CONTINUE)).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
    }
  }
  expect(await count('principal')).toBe(before)
  expect(await addMembers([])).toEqual({ applied: true, succeeded: 0, failed: 0, results: [] })
})

test('several bulk requests for the same addresses at once add each of them once', async () => {
  const rows = Array.from({ length: 12 }, () => row({ sendInvitation: false }))
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_each, turn) =>
      addMembers(turn % 2 ? rows : rows.toReversed(), CONTINUE),
    ),
  )
  expect(answers.reduce((sum, each) => sum + each.succeeded, 0)).toBe(rows.length)
  const ids = (await newcomer(admin)).memberId
  const acts = await Promise.allSettled(
    Array.from({ length: 10 }, (_each, turn) => apply([ids], turn % 2 ? 'LOCK' : 'UNLOCK')),
  )
  expect(acts.filter(each => each.status === 'rejected')).toEqual([])
})

const statements = async (length: number, run: (length: number) => Promise<unknown>) =>
  (await countStatements(server, () => run(length))).seen

test('a hundred rows cost as many statements as ten', async () => {
  const project = await createProject(admin)
  const { Viewer } = await admin.roles()
  const projectAccess = [{ projectId: project.id, roleId: Viewer }]
  let made: string[] = []
  const add = async (length: number) => {
    const answer = await addMembers(Array.from({ length }, () => row({ projectAccess })))
    made = answer.results.map((each: any) => each.member.id)
  }
  const few = await statements(10, add)
  const many = await statements(100, add)
  expect(many).toBe(few)
  const rename = (length: number) =>
    updateMembers(
      made.slice(0, length).map(id => ({ id, input: { firstName: 'Nu', externalId: id } })),
    )
  const one = await statements(10, rename)
  expect(await statements(100, rename)).toBe(one)
  const lock = (length: number) => apply(made.slice(0, length), 'LOCK')
  const two = await statements(10, lock)
  await apply(made, 'UNLOCK')
  expect(await statements(100, lock)).toBe(two)
  expect(Math.max(many, one, two)).toBeLessThanOrEqual(30)
  expect(Math.min(many, one, two)).toBeGreaterThan(5)
})
