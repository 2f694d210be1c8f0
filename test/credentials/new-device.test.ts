import { afterAll, beforeAll, expect, test } from 'vitest'
import { networkOf } from '../../src/credentials/sessions/new-device.service.ts'
import { ask } from '../support/client.ts'
import { SIGN_IN } from '../support/guesses.ts'
import { mailsSoFar, mailsTo } from '../support/mailbox.ts'
import { newcomer, organisation, PASSWORD, Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const FIREFOX = (version: number) =>
  `Mozilla/5.0 (X11; Linux x86_64; rv:${version}.0) Gecko/20100101 Firefox/${version}.0`
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'

const enter = async (email: string, userAgent: string, address: string, password = PASSWORD) => {
  const headers = { 'user-agent': userAgent, 'x-forwarded-for': address }
  const { signIn } = await ask(server.url, SIGN_IN, { input: { email, password } }, headers)
  return new Person(server, signIn)
}
const noticesTo = async (email: string) =>
  (await mailsSoFar(server, email)).filter(mail => /new device|neuen Gerät/.test(mail.subject))
const eventsOf = (userId: string) =>
  server.database.owner(
    `select organisation_id, target_id from event where topic = 'session.new_device' and actor_user_id = $1 order by id`,
    [userId],
  )
/** Somebody who has signed in at home, with Firefox. */
async function settled(): Promise<{ email: string; userId: string }> {
  const { email, userId } = await newcomer(admin)
  await server.database.owner(`update user_account set last_sign_in_at = null where id = $1`, [
    userId,
  ])
  await server.database.owner(`delete from sighting where user_id = $1`, [userId])
  await enter(email, FIREFOX(140), '198.51.100.7')
  return { email, userId }
}

test('the first sign-in of an account is no news, nor are the next ones from the same neighbourhood or with a newer version', async () => {
  const { email, userId } = await settled()
  await enter(email, FIREFOX(140), '198.51.100.7')
  await enter(email, FIREFOX(141), '198.51.42.1')
  expect(await noticesTo(email)).toEqual([])
  expect(await eventsOf(userId)).toEqual([])
})

test('another device is told by mail and event, once; so is another network', async () => {
  const { email, userId } = await settled()
  const phone = await enter(email, SAFARI, '198.51.100.9')
  const [mail] = await mailsTo(server, email)
  expect(mail!.subject).toBe('A sign-in from a new device')
  expect(mail!.text).toContain('Safari on iOS')
  expect(mail!.text).toContain('198.51.100.9')
  expect(mail!.text).toMatch(/\d{1,2} \w+ \d{4} at \d\d:\d\d UTC/)
  expect(await eventsOf(userId)).toEqual([
    { organisation_id: phone.organisationId, target_id: phone.sessionId },
  ])
  await enter(email, SAFARI, '198.51.100.9')
  await enter(email, FIREFOX(140), '192.0.2.1')
  // both are known by now, if not together
  await enter(email, SAFARI, '192.0.2.1')
  expect(await noticesTo(email)).toHaveLength(2)
  expect(await eventsOf(userId)).toHaveLength(2)
})

test('twenty sign-ins at once from a new device are told once', async () => {
  const { email, userId } = await settled()
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => enter(email, SAFARI, `198.51.100.${index + 1}`)),
  )
  expect(await noticesTo(email)).toHaveLength(1)
  expect(await eventsOf(userId)).toHaveLength(1)
})

test('a sign-in that is refused is neither told nor remembered', async () => {
  const { email, userId } = await settled()
  await expect(enter(email, SAFARI, '192.0.2.9', 'not it at all, sorry')).rejects.toBeRefused(
    'UNAUTHENTICATED',
  )
  expect(await eventsOf(userId)).toEqual([])
  await enter(email, SAFARI, '192.0.2.9')
  expect(await noticesTo(email)).toHaveLength(1)
})

test('it is told in the language of its reader, and what a client says of itself cannot put a link into it', async () => {
  const { email, userId } = await settled()
  await server.database.owner(`update user_account set locale = 'de-AT' where id = $1`, [userId])
  await enter(email, 'evil.example.com/login', '192.0.2.1')
  const [mail] = await noticesTo(email)
  expect(mail!.subject).toBe('Eine Anmeldung von einem neuen Gerät')
  expect(mail!.text).toContain('einem unbekannten Programm')
  expect(mail!.text).not.toContain('evil')
})

test('nobody is told at an address that was never proven, though the event is kept', async () => {
  const { email, userId } = await settled()
  await server.database.owner(`update user_account set email_verified_at = null where id = $1`, [
    userId,
  ])
  await server.database.owner(`update principal set vouched = true where user_id = $1`, [userId])
  await enter(email, SAFARI, '198.51.100.7')
  expect(await noticesTo(email)).toEqual([])
  expect(await eventsOf(userId)).toHaveLength(1)
})

test.each([
  ['198.51.100.7', '198.51'],
  ['::ffff:198.51.100.7', '198.51'],
  ['2001:db8:1:2::3', '2001:db8'],
  ['::1', '0:0'],
])('the network of %s is %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
