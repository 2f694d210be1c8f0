import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { sendDigests } from '../../src/accounts/notifications/digest.service.ts'
import { nextMoment } from '../../src/accounts/notifications/moments.ts'
import { doChore } from '../support/chores.ts'
import { mailsSoFar } from '../support/mailbox.ts'
import { newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'
import { choose, lock, lockAndUnlock } from './notices.ts'

let server: TestServer
/** A second node on the same database. */
let other: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  other = await startServer({ beside: server })
  admin = await organisation(server)
})
// time passes in every test, and with it sessions run out
beforeEach(async () => {
  admin = await signIn(server, admin.email)
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

/** Lets time pass until a moment. */
const goTo = (moment: Date | string) =>
  server.clock.advance({
    seconds: (new Date(moment).getTime() - server.clock.now().getTime()) / 1000 + 1,
  })
const digestsOf = async ({ email }: Person) =>
  (await mailsSoFar(server, email)).filter(({ subject }) => /in brief|in Kürze/.test(subject))
const setProfile = (person: Person, input: Record<string, unknown>) =>
  person.ask(
    `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }`,
    { input },
  )
const dueOf = async ({ userId }: Person): Promise<(string | null)[]> =>
  (
    await server.database.owner(`select due_at from notification where user_id = $1 order by id`, [
      userId,
    ])
  ).map(({ due_at: due }) => (due ? new Date(due as string).toISOString() : null))
const daily = () => nextMoment(server.clock.now(), 'UTC', 'DAILY')

async function waiting(frequency = 'DAILY', profile?: Record<string, unknown>): Promise<Person> {
  const person = await newcomer(admin)
  if (profile) await setProfile(person, profile)
  await choose(person, { 'MEMBERSHIP.EMAIL': frequency })
  await lockAndUnlock(admin, person)
  return person
}

test('what waits comes in one mail at eight, in the reader’s language; and where nothing waits, nothing comes', async () => {
  const person = await waiting('DAILY', { locale: 'de' })
  await doChore(server, 'digests')
  expect(await digestsOf(person)).toEqual([])
  goTo(daily())
  await doChore(server, 'digests')
  const [digest, ...more] = await digestsOf(person)
  expect(more).toEqual([])
  expect(digest!.subject).toBe('Ihr Tag in Kürze')
  expect(digest!.text).toContain('hat Ihre Mitgliedschaft gesperrt')
  expect(digest!.text).toContain('hat die Sperre Ihrer Mitgliedschaft aufgehoben')
  expect(digest!.text.match(/Guten Tag/g)).toHaveLength(1)
  expect(digest!.headers['List-Unsubscribe']).toContain('/unsubscribe?stop=')
  goTo(daily())
  await doChore(server, 'digests')
  expect(await digestsOf(person)).toHaveLength(1)
})

test('of weeks it comes on Monday', async () => {
  const person = await waiting('WEEKLY')
  const monday = nextMoment(server.clock.now(), 'UTC', 'WEEKLY')
  goTo(new Date(monday.getTime() - 60_000))
  await doChore(server, 'digests')
  expect(await digestsOf(person)).toEqual([])
  goTo(monday)
  await doChore(server, 'digests')
  expect((await digestsOf(person)).map(({ subject }) => subject)).toEqual(['Your week in brief'])
})

/** One node's run. */
const run = ({ app: { node } }: TestServer) =>
  sendDigests(
    { store: node.database.store, server: node.server, now: node.clock },
    new AbortController().signal,
  )

test('twenty runs on two nodes at once send each digest once, and a run after a restart sends none again', async () => {
  const people = [await waiting(), await waiting(), await waiting()]
  goTo(daily())
  const counts = await Promise.all(
    Array.from({ length: 20 }, (_each, index) => run(index % 2 ? server : other)),
  )
  expect(counts.reduce((sum, count) => sum + count)).toBe(3)
  for (const person of people) expect(await digestsOf(person)).toHaveLength(1)
  // what a node has kept in its mailbox goes with it
  await other.stop()
  other = await startServer({ beside: server })
  const left = await Promise.all(people.map(person => digestsOf(person)))
  await doChore(server, 'digests')
  for (const [index, person] of people.entries())
    expect(await digestsOf(person)).toHaveLength(left[index]!.length)
})

test('a notice that comes too late for a digest that is out waits for the next', async () => {
  const person = await waiting()
  const moment = daily()
  goTo(moment)
  await doChore(server, 'digests')
  admin = await signIn(server, admin.email)
  await lock(admin, person.memberId)
  // begun before eight, and committed after it
  await server.database.owner(
    `update notification set due_at = $2 where user_id = $1 and due_at is not null`,
    [person.userId, moment],
  )
  await doChore(server, 'digests')
  expect(await digestsOf(person)).toHaveLength(1)
  goTo(daily())
  await doChore(server, 'digests')
  const [second] = await digestsOf(person)
  expect(second!.text.match(/has locked your membership/g)).toHaveLength(1)
})

test('what is not wanted any more when the hour comes is not sent', async () => {
  const [dropped, overtaken] = [await waiting(), await waiting()]
  await choose(dropped, { 'MEMBERSHIP.EMAIL': 'NEVER' })
  expect(await dueOf(dropped)).toEqual([null, null])
  // as if the choice had been made while the notice was written
  await server.database.owner(
    `update notification_preference set frequency = 'NEVER' where user_id = $1`,
    [overtaken.userId],
  )
  goTo(daily())
  await doChore(server, 'digests')
  for (const person of [dropped, overtaken]) expect(await digestsOf(person)).toEqual([])
})

test('what waited comes with the next run where its reader wants it at once after all', async () => {
  const person = await waiting('WEEKLY')
  await choose(person, { 'MEMBERSHIP.EMAIL': 'IMMEDIATELY' })
  await doChore(server, 'digests')
  expect(await digestsOf(person)).toHaveLength(1)
})

test('whoever moves to another place gets it at eight there', async () => {
  const person = await waiting()
  await setProfile(person, { timeZone: 'Pacific/Auckland' })
  const there = nextMoment(server.clock.now(), 'Pacific/Auckland', 'DAILY')
  expect(await dueOf(person)).toEqual([there.toISOString(), there.toISOString()])
})

test('when the clocks are put forward it still comes at eight, once a day', async () => {
  goTo('2027-03-26T12:00:00Z')
  admin = await signIn(server, admin.email)
  const person = await waiting('DAILY', { timeZone: 'Europe/Zurich' })
  const sent: number[] = []
  for (const moment of [
    '2027-03-27T06:59:00Z',
    '2027-03-27T07:00:00Z',
    '2027-03-28T05:59:00Z',
    '2027-03-28T06:00:00Z',
    '2027-03-28T07:00:00Z',
  ]) {
    goTo(moment)
    await doChore(server, 'digests')
    sent.push((await digestsOf(person)).length)
    admin = await signIn(server, admin.email)
    if (moment === '2027-03-27T07:00:00Z') await lock(admin, person.memberId)
  }
  expect(sent).toEqual([0, 1, 1, 2, 2])
})

test('a digest of many is as many statements as one of few', async () => {
  const statements = async (people: number): Promise<number> => {
    for (let count = 0; count < people; count += 1) await waiting()
    goTo(daily())
    const { seen, result } = await countStatements(server, () => run(server), { asSystem: true })
    expect(result).toBe(people)
    admin = await signIn(server, admin.email)
    return seen
  }
  const few = await statements(1)
  expect(await statements(8)).toBe(few)
  expect(few).toBeGreaterThan(3)
})
