import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { delayOf, freshSource, guess, INVALID, WRONG } from '../support/guesses.ts'
import { freshEmail, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
/** A second node on the same database, which trusts no proxy. */
let other: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  other = await startServer({ beside: server })
  admin = await organisation(server)
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

interface Try {
  source?: string
  node?: TestServer
}
const right = (email: string, { source, node = server }: Try = {}) => guess(node, email, { source })
const wrong = (email: string, { source, node = server }: Try = {}) =>
  guess(node, email, { source, password: WRONG })

const limit = (failedSignInLimit: number) =>
  server.database.owner(`update platform_settings set failed_sign_in_limit = $1`, [
    failedSignInLimit,
  ])

/** Somebody new, whom the administrator brings, signed in afresh as the clock may have moved. */
async function somebody(): Promise<Person> {
  admin.take((await right(admin.email)).signIn)
  return admin.bring()
}

describe('guesses', () => {
  test('beyond the limit are not looked at, however right; the delays grow; another source is free', async () => {
    const { email } = await somebody()
    const source = freshSource()
    for (let time = 0; time < 5; time += 1)
      await expect(wrong(email, { source })).rejects.toBeRefused(...INVALID)
    const delays = [await delayOf(right(email, { source }))]
    expect(await delayOf(right(email.toUpperCase(), { source }))).toBeLessThanOrEqual(30)
    await right(email)
    for (let time = 1; time < 7; time += 1) {
      server.clock.advance({ seconds: delays.at(-1)! })
      await expect(wrong(email, { source })).rejects.toBeRefused(...INVALID)
      delays.push(await delayOf(right(email, { source })))
    }
    const expected = [30, 60, 120, 240, 480, 900, 900]
    for (const [index, delay] of delays.entries()) {
      expect(delay).toBeLessThanOrEqual(expected[index]!)
      expect(delay).toBeGreaterThan(expected[index]! - 10)
    }
    server.clock.advance({ seconds: 901 })
    await right(email, { source })
  })

  test('are forgotten once the password was right', async () => {
    const { email } = await somebody()
    const source = freshSource()
    for (let round = 0; round < 3; round += 1) {
      for (let time = 0; time < 4; time += 1)
        await expect(wrong(email, { source })).rejects.toBeRefused(...INVALID)
      await right(email, { source })
    }
  })

  test('at once, on two nodes, are looked at up to the limit and no more', async () => {
    const { email } = await somebody()
    // the second node trusts no proxy: both must see the same source
    const source = '127.0.0.1'
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) =>
        wrong(email, { source, node: index % 2 ? other : server }),
      ),
    )
    const codes = outcomes.map(outcome =>
      outcome.status === 'rejected' ? outcome.reason.code : 'SIGNED_IN',
    )
    expect(codes.filter(code => code === 'UNAUTHENTICATED')).toHaveLength(5)
    expect(codes.filter(code => code === 'RATE_LIMITED')).toHaveLength(25)
    await delayOf(right(email, { node: other }))
  })

  test('with the right password of a barred account are paid for like wrong ones', async () => {
    const person = await somebody()
    await admin.ask(`mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, {
      id: person.memberId,
    })
    const source = freshSource()
    for (let time = 0; time < 5; time += 1)
      await expect(right(person.email, { source })).rejects.toBeRefused(...INVALID)
    await delayOf(right(person.email, { source }))
  })

  test('of one IPv6 customer count as one source, and an unproxied header counts for nothing', async () => {
    const { email } = await somebody()
    const from = (last: string) => ({ source: `2001:db8:1:2${last}` })
    for (const last of ['::1', '::2', ':1::', ':ffff:ffff:ffff:ffff', ':0:0:0:1'])
      await expect(wrong(email, from(last))).rejects.toBeRefused(...INVALID)
    await delayOf(right(email, from('::abcd')))
    await right(email, { source: '2001:db8:1:3::1' })

    const second = await somebody()
    for (let time = 0; time < 5; time += 1)
      await expect(wrong(second.email, { node: other })).rejects.toBeRefused(...INVALID)
    await delayOf(right(second.email, { node: other }))
    // what a client writes in front of the proxy's entry is not believed either
    await delayOf(right(second.email, { source: '198.51.100.1, 127.0.0.1' }))
  })

  test('sprayed over many logins exhaust their source, and a right one among them wins nothing back', async () => {
    const { email } = await somebody()
    await limit(1)
    const source = freshSource()
    for (let time = 0; time < 20; time += 1)
      await expect(wrong(freshEmail(), { source })).rejects.toBeRefused(...INVALID)
    await delayOf(wrong(freshEmail(), { source }))
    server.clock.advance({ seconds: await delayOf(right(email, { source })) })
    for (let time = 0; time < 3; time += 1) await right(email, { source })
    await expect(wrong(freshEmail(), { source })).rejects.toBeRefused(...INVALID)
    expect(await delayOf(right(email, { source }))).toBeGreaterThan(30)
    await right(email)
    await limit(5)
  })
})
