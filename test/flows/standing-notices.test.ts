import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noticesOf } from '../accounts/notices.ts'
import { joinElsewhere } from '../house/callers.ts'
import { mailsSoFar, mailsTo } from '../support/mailbox.ts'
import { freshEmail, newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const VERBS: Record<string, string> = {
  LOCK: `mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`,
  UNLOCK: `mutation ($id: ID!) { unlockMember(id: $id) { member { id } } }`,
  SUSPEND: `mutation ($id: ID!) { suspendMember(id: $id) { member { id } } }`,
  DEACTIVATE: `mutation ($id: ID!) { deactivateMember(id: $id) { member { id } } }`,
  ACTIVATE: `mutation ($id: ID!) { activateMember(id: $id) { member { id } } }`,
  REMOVE: `mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`,
}
const act = (verb: string, id: string) => admin.ask(VERBS[verb]!, { id })
const actOnAll = async (action: string, ids: string[], more: Record<string, unknown> = {}) =>
  (
    await admin.ask(
      `mutation ($ids: [ID!]!, $action: MemberAction!, $dryRun: Boolean!, $onError: BulkErrorPolicy!) {
        applyMemberAction(ids: $ids, action: $action, dryRun: $dryRun, onError: $onError) { succeeded failed } }`,
      { ids, action, dryRun: false, onError: 'CONTINUE', ...more },
    )
  ).applyMemberAction

const EXPECTED: [string, string[], RegExp, RegExp][] = [
  ['LOCK', [], /was locked$/, /wurde gesperrt$/],
  ['UNLOCK', ['LOCK'], /was unlocked$/, /wurde entsperrt$/],
  ['SUSPEND', [], /was suspended$/, /wurde ausgesetzt$/],
  ['DEACTIVATE', [], /was deactivated$/, /wurde stillgelegt$/],
  ['ACTIVATE', ['SUSPEND'], /is active again$/, /ist wieder aktiv$/],
  ['REMOVE', [], /has ended$/, /ist beendet$/],
]

describe.each(EXPECTED)('%s', (verb, before, english, german) => {
  test('is told to the member, by the single verb and in bulk, in their language', async () => {
    const [alone, one, two] = [await newcomer(admin), await newcomer(admin), await newcomer(admin)]
    await server.database.owner(`update user_account set locale = 'de-AT' where id = any($1)`, [
      [one.userId, two.userId],
    ])
    for (const first of before)
      for (const { memberId } of [alone, one, two]) await act(first, memberId)
    await act(verb, alone.memberId)
    expect(await actOnAll(verb, [one.memberId, two.memberId])).toMatchObject({ succeeded: 2 })
    const count = before.length + 1
    expect((await mailsTo(server, alone.email, count))[0]!.subject).toMatch(english)
    for (const { email } of [one, two]) {
      const mails = await mailsTo(server, email, count)
      expect(mails[0]!.subject).toMatch(german)
      expect(mails[0]!.text).toContain('Guten Tag Ann,')
    }
  })
})

test('a suspension says until when', async () => {
  const person = await newcomer(admin)
  await admin.ask(
    `mutation ($id: ID!) { suspendMember(id: $id, input: { until: "2031-05-04T10:00:00Z" }) { member { id } } }`,
    { id: person.memberId },
  )
  expect((await mailsTo(server, person.email))[0]!.text).toContain('until 4 May 2031 at 10:00 UTC')
})

test('nobody is told what they did themselves, what changed nothing, or what was only tried', async () => {
  const other = await admin.bring('Administrator')
  const before = (await mailsSoFar(server, other.email)).length
  await other.ask(VERBS.LOCK!, { id: other.memberId })
  expect(await mailsSoFar(server, other.email)).toHaveLength(before)
  expect(await noticesOf(other)).toEqual([])

  const person = await newcomer(admin)
  await act('UNLOCK', person.memberId)
  await act('ACTIVATE', person.memberId)
  await actOnAll('LOCK', [person.memberId], { dryRun: true })
  await actOnAll('LOCK', [person.memberId, admin.userId], { onError: 'ABORT' })
  expect(await mailsSoFar(server, person.email)).toEqual([])
  expect(await noticesOf(person)).toEqual([])
})

test('who has yet to accept is told nothing, nor is a service account', async () => {
  const email = freshEmail('invited')
  const { member } = await admin.add({ email, sendInvitation: false })
  await act('LOCK', member.id)
  await act('REMOVE', member.id)
  expect(await mailsSoFar(server, email)).toEqual([])
})

test('a bar in one organisation says nothing of another, to anybody', async () => {
  const there = await organisation(server)
  const person = await newcomer(admin)
  await joinElsewhere(there, person)
  const neighbour = await newcomer(there)
  await act('DEACTIVATE', person.memberId)
  const [mail] = await mailsSoFar(server, person.email)
  const { organisation: own } = await there.ask(`{ organisation { name } }`)
  expect(`${mail!.subject} ${mail!.text}`).not.toContain(own.name)
  expect(await mailsSoFar(server, neighbour.email)).toEqual([])
  // the administrators there see neither the bar nor that there was a notice
  const { organisation: seen } = await there.ask(
    `{ organisation { auditEvents(first: 100) { nodes { topic { name } } } } }`,
  )
  expect(JSON.stringify(seen)).not.toContain('member.deactivated')
})

test('nine are told in as many statements as two', async () => {
  const count = async (people: number): Promise<number> => {
    const members: Person[] = []
    for (let index = 0; index < people; index += 1) members.push(await newcomer(admin))
    const ids = members.map(({ memberId }) => memberId)
    return (await countStatements(server, () => actOnAll('LOCK', ids))).seen
  }
  const few = await count(2)
  expect(await count(9)).toBe(few)
})
