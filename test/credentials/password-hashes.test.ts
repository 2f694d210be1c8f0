import { hash as hashOtherwise } from 'argon2'
import { argon2Sync } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { guess, INVALID, WRONG } from '../support/guesses.ts'
import { organisation, PASSWORD, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

async function hashOf({ userId }: Person): Promise<string> {
  const [row] = await server.database.owner(
    `select password_hash from user_account where id = $1`,
    [userId],
  )
  return String(row!.password_hash)
}

test('are what another implementation of argon2id makes of the password', async () => {
  const hash = await hashOf(await admin.bring())
  const form =
    /^\$argon2id\$v=19\$m=(?<memory>\d+),t=(?<passes>\d+),p=1\$(?<salt>[^$]{22})\$(?<tag>[^$]{43})$/
  const { memory, passes, salt, tag } = form.exec(hash)!.groups!
  expect([memory, passes]).toEqual(['1024', '1'])
  const same = argon2Sync('argon2id', {
    message: PASSWORD,
    nonce: Buffer.from(salt!, 'base64'),
    memory: Number(memory),
    passes: Number(passes),
    parallelism: 1,
    tagLength: 32,
  })
  expect(same.toString('base64').replace('=', '')).toBe(tag)
})

test.each([
  ['as servers before this one made them', { memoryCost: 1024, timeCost: 1, parallelism: 1 }],
  ['by several threads', { memoryCost: 4096, timeCost: 2, parallelism: 4 }],
])('made %s open the account', async (_, settings) => {
  const person = await admin.bring()
  await server.database.owner(`update user_account set password_hash = $2 where id = $1`, [
    person.userId,
    await hashOtherwise(PASSWORD, settings),
  ])
  await guess(server, person.email)
  await expect(guess(server, person.email, { password: WRONG })).rejects.toBeRefused(...INVALID)
})

test('made with smaller settings are renewed beside the sign-in, and every sign-in goes on', async () => {
  const person = await admin.bring()
  const before = await hashOf(person)
  expect(before).toMatch(/m=1024,.*t=1\b/)
  const grown = await startServer({
    beside: server,
    settings: { TRUST_PROXY: '1', ARGON2_TIME: '3' },
  })
  try {
    await Promise.all(Array.from({ length: 20 }, () => guess(grown, person.email)))
  } finally {
    // what goes on beside requests is finished first
    await grown.stop()
  }
  const after = await hashOf(person)
  expect(after).toMatch(/m=1024,.*t=3\b/)
  await guess(server, person.email)
  await server.app.node.hasher.settle()
  expect(await hashOf(person)).toBe(after)
  await expect(guess(server, person.email, { password: WRONG })).rejects.toBeRefused(...INVALID)
})
