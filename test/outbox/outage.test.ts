import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freshEmail, operator } from '../support/people.ts'
import { until } from '../support/waiting.ts'
import { Branch } from './branch.ts'
import { linkOf, tokenOf } from './letter.ts'

let branch: Branch

beforeEach(async () => {
  branch = await Branch.start()
})
afterEach(() => branch.stop())

test('through refused, 451, 550 and hanging connections nothing is lost and nobody waits, and mail flows again within the minute', async () => {
  const { office } = branch
  const emails: string[] = []
  const inviteAtOnce = async () => {
    const email = freshEmail('outage')
    emails.push(email)
    const begun = Date.now()
    await branch.invite(email)
    expect(Date.now() - begun).toBeLessThan(2_000)
    return email
  }
  const inviteAndSeeItAskedFor = async () => {
    const email = await inviteAtOnce()
    await until(() => office.asked.includes(email))
  }

  await inviteAtOnce()
  await branch.tried(1)

  await office.open()
  office.onRecipient = () => 'later'
  await inviteAndSeeItAskedFor()

  office.onRecipient = () => 'refuse'
  await inviteAndSeeItAskedFor()

  office.onRecipient = () => 'hang'
  await inviteAndSeeItAskedFor()

  office.greeting = 'hang'
  const before = office.connections
  await inviteAtOnce()
  await until(() => office.connections > before)

  office.greeting = 'well'
  office.onRecipient = () => 'take'
  const end = Date.now() + 60_000
  for (const email of emails) await office.lettersTo(email, 1, end - Date.now())
  await branch.settled()
  expect(office.letters).toHaveLength(emails.length)
}, 120_000)

test('after an outage of any length, the next try is never more than half a minute away', async () => {
  for (const index of [1, 2, 3]) await branch.invite(freshEmail(`long${index}`))
  await branch.tried(1)
  // as if it had lasted for days
  await branch.server.database.owner(
    `update pgboss.job set retry_count = 5000, start_after = now() where name = 'mail-again'`,
  )
  await branch.tried(5_002)
  const [row] = await branch.server.database.owner(
    `select max(extract(epoch from start_after - now()))::float8 as seconds from pgboss.job where name = 'mail-again'`,
  )
  expect(row!.seconds).toBeLessThanOrEqual(30)
})

test('a mail whose link has run out in the meantime is not sent', async () => {
  const { office, server } = branch
  await branch.invite(freshEmail('late'))
  await branch.tried(1)
  server.clock.advance({ days: 60 })
  await office.open()
  await branch.settled()
  expect(office.letters).toEqual([])
  expect(server.log.some(line => line.includes('a mail was not sent'))).toBe(true)

  branch.admin = await operator(server)
  const fresh = freshEmail('fresh')
  await branch.invite(fresh)
  await office.lettersTo(fresh)
}, 30_000)

describe('when some addresses are bad', () => {
  beforeEach(() => branch.office.open())

  test('those that are refused and those that hang hold nobody up', async () => {
    const { office } = branch
    office.onRecipient = address =>
      address.startsWith('hang') ? 'hang' : address.startsWith('bad') ? 'refuse' : 'take'
    for (const name of ['bad', 'hang', 'bad', 'hang', 'bad', 'hang'])
      await branch.invite(freshEmail(name))
    const good = freshEmail('good')
    await branch.invite(good)
    await office.lettersTo(good, 1, 5_000)
  }, 30_000)

  test('many that hang delay the others once, for a moment, and then no more', async () => {
    const { office } = branch
    office.onRecipient = address => (address.startsWith('hang') ? 'hang' : 'take')
    for (let index = 0; index < 8; index += 1) await branch.invite(freshEmail('hang'))
    const first = freshEmail('good')
    await branch.invite(first)
    await office.lettersTo(first, 1, 30_000)
    await until(async () => (await branch.waiting()).every(job => job.tries > 0))
    const second = freshEmail('good')
    await branch.invite(second)
    await office.lettersTo(second, 1, 3_000)
  }, 60_000)

  test('one that is refused for good is given up after some tries, and the log says so without naming anybody', async () => {
    const { office, server } = branch
    office.onRecipient = () => 'refuse'
    const email = freshEmail('gone')
    await branch.invite(email)
    await until(async () => {
      // no need to wait out every pause
      await server.database.owner(
        `update pgboss.job set start_after = now() where name = 'mail-again'`,
      )
      return (await branch.waiting()).length === 0
    }, 40_000)
    const tries = office.asked.filter(address => address === email).length
    expect(tries).toBeGreaterThan(3)
    expect(tries).toBeLessThan(30)
    const line = server.log.find(each => each.includes('a mail was given up'))!
    expect(JSON.parse(line)).toMatchObject({ level: 50, attempt: tries })
    expect(line).toContain('550')
    expect(server.log.join('')).not.toContain(email)
    expect(office.letters).toEqual([])
  }, 60_000)

  test('a server that repeats the mail in its refusal brings the link neither into the log nor into the queue', async () => {
    const { office, server } = branch
    office.onMail = letter => ({ saying: `spam: ${linkOf(letter).href}` })
    await branch.invite(freshEmail('echo'))
    await until(() => office.turnedAway.length >= 2)
    const token = tokenOf(office.turnedAway[0]!)
    expect(token.length).toBeGreaterThan(40)
    const kept = await server.database.owner(
      `select data::text || coalesce(output::text, '') as kept from pgboss.job`,
    )
    for (const text of [server.log.join(''), JSON.stringify(kept)]) {
      expect(text).not.toContain(token)
      expect(text).not.toContain('accept-invitation?')
    }
    expect(server.log.join('')).toContain('a mail was not delivered yet')
  })
})
