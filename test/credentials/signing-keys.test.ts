import { decodeProtectedHeader } from 'jose'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { replaceLeakedKeys, rotateKeys } from '../../src/credentials/signing-keys/rotation.ts'
import { openSeed } from '../../src/credentials/totp/seed.ts'
import { sealSeedsAnew } from '../../src/credentials/totp/reseal.ts'
import { KeyRing } from '../../src/shared/seal.ts'
import { enrol, signInWith } from '../support/authenticator.ts'
import { doChore } from '../support/chores.ts'
import { ask, post } from '../support/client.ts'
import { organisation, SESSION, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
/** A second node on the same database. */
let other: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  server.clock.advance({ minutes: 11 })
  other = await startServer({ beside: server })
  admin = await organisation(server)
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})
beforeEach(async () => {
  // a session may rest for half a day, and some tests let months pass
  admin = await signIn(server, admin.email)
})

const VIEWER = `{ viewer { operator } }`
const kidOf = (person: Person) => decodeProtectedHeader(person.accessToken).kid!
const system = () => server.app.node.database.store.system
const ring = () => server.app.node.server.keys
const rotate = () => rotateKeys(system(), ring(), server.clock.now())
const rows = () =>
  server.database.owner(`select id, retired_at from signing_key order by created_at, id`)

async function published(node = server): Promise<string[]> {
  const response = await fetch(`${node.url}/.well-known/jwks.json`)
  expect(response.headers.get('cache-control')).toBe('public, max-age=300')
  expect(response.headers.get('content-type')).toContain('application/jwk-set+json')
  const { keys } = (await response.json()) as { keys: Record<string, string>[] }
  for (const key of keys) {
    expect(key).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' })
    expect(key).not.toHaveProperty('d')
  }
  return keys.map(key => key.kid!)
}

/** Makes a node look for keys anew, as it does every minute by itself. */
async function lookAgain(...nodes: TestServer[]): Promise<void> {
  await sleep(2_100)
  const header = Buffer.from('{"alg":"EdDSA","typ":"at+jwt","kid":"unknown"}').toString('base64url')
  for (const node of nodes)
    expect((await post(node.url, '{}', { authorization: `Bearer ${header}.e30.AA` })).status).toBe(
      401,
    )
}

const refresh = async (person: Person, node = server) =>
  person.take(
    (
      await ask(
        node.url,
        `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { ${SESSION} } }`,
        { t: person.refreshToken },
      )
    ).refreshSession,
  )

test('a new key is published before it signs, and the one before it verifies until its last token has run out', async () => {
  const before = kidOf(admin)
  const { kid } = (await rotate())!
  await lookAgain(server)
  expect(await published()).toEqual([before, kid])
  server.clock.advance({ minutes: 9, seconds: 50 })
  expect(kidOf(await refresh(admin))).toBe(before)
  const late = admin.accessToken
  server.clock.advance({ seconds: 20 })
  expect(kidOf(await refresh(admin))).toBe(kid)
  // one node has not read the keys since
  await admin.ask(VIEWER, {}, other.url)
  expect(kidOf(await refresh(admin, other))).toBe(kid)

  server.clock.advance({ minutes: 9 })
  for (const node of [server, other])
    await ask(node.url, VIEWER, {}, { authorization: `Bearer ${late}` })
  server.clock.advance({ minutes: 57 })
  expect(await published()).toEqual([kid])
  await doChore(server, 'purge')
  expect((await rows()).map(row => row.id)).toEqual([kid])
})

test('of twenty rotations at once one takes place', async () => {
  server.clock.advance({ minutes: 11 })
  const before = await rows()
  const rotations = await Promise.all(Array.from({ length: 20 }, rotate))
  expect(rotations.filter(Boolean)).toHaveLength(1)
  expect(await rows()).toHaveLength(before.length + 1)
  expect((await rows()).filter(row => row.retired_at === null)).toHaveLength(1)
})

test('a key is replaced by itself once it has served for a month, and not before', async () => {
  const before = await rows()
  server.clock.advance({ days: 29 })
  await doChore(server, 'rotate-keys')
  expect(await rows()).toHaveLength(before.length)
  server.clock.advance({ days: 2 })
  await doChore(server, 'rotate-keys')
  expect(await rows()).toHaveLength(before.length + 1)
  await doChore(server, 'rotate-keys')
  expect(await rows()).toHaveLength(before.length + 1)
})

test('a key that leaked is dropped at once: its tokens stop, and sessions go on', async () => {
  const leaked = kidOf(admin)
  await admin.ask(VIEWER)
  const { kid } = (await replaceLeakedKeys(system(), ring(), server.clock.now()))!
  await lookAgain(server, other)
  for (const node of [server, other]) {
    await expect(admin.ask(VIEWER, {}, node.url)).rejects.toMatchObject({ status: 401 })
    expect(await published(node)).toEqual([kid])
  }
  await refresh(admin)
  expect(kidOf(admin)).not.toBe(leaked)
  for (const node of [server, other]) await admin.ask(VIEWER, {}, node.url)
})

test('a flood of tokens with unknown keys reads the keys once in a while, not for each', async () => {
  await sleep(2_100)
  const store = server.app.node.database.store.system
  const reads: string[] = []
  const spy = vi.spyOn(store, 'rows')
  try {
    const flood = Array.from({ length: 60 }, (_, index) => {
      const header = { alg: 'EdDSA', typ: 'at+jwt', kid: `unknown-${index}` }
      const token = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.e30.AA`
      return post(server.url, '{}', { authorization: `Bearer ${token}` })
    })
    for (const { status } of await Promise.all(flood)) expect(status).toBe(401)
    reads.push(...spy.mock.calls.map(([{ text }]) => text))
  } finally {
    spy.mockRestore()
  }
  expect(reads.filter(text => text.includes('from signing_key')).length).toBeLessThanOrEqual(2)
})

test('seeds of authenticators follow the secret too', async () => {
  const fresh = randomBytes(32)
  const careful = await admin.bring()
  const { app } = await enrol(careful)
  // of one that was removed there is nothing left to seal
  const { app: lost } = await enrol(careful)
  await careful.ask(
    `mutation ($id: ID!, $code: String!) { removeMfaFactor(id: $id, code: $code) { mfa { enabled } } }`,
    { id: lost.id, code: lost.fresh() },
  )
  const both = new KeyRing([fresh, Buffer.alloc(32, 7)])
  for (let round = 0; round < 2; round += 1)
    await sealSeedsAnew(system(), both, AbortSignal.timeout(10_000))
  const [row] = await server.database.owner(`select sealed_seed from totp_factor where id = $1`, [
    app.id,
  ])
  expect(openSeed(new KeyRing([fresh]), app.id, String(row!.sealed_seed))).toBeTruthy()
  // back to the secret of the other tests
  const back = new KeyRing([Buffer.alloc(32, 7), fresh])
  await sealSeedsAnew(system(), back, AbortSignal.timeout(10_000))
  await signInWith(server, careful.email, app)
})

test('keys are sealed at rest, and follow the secret when it is rotated', async () => {
  const old = Buffer.alloc(32, 7).toString('base64')
  const fresh = randomBytes(32).toString('base64')
  const sealed = async () =>
    (await server.database.owner(`select sealed_private_key as text from signing_key`)).map(row =>
      String(row.text),
    )
  const before = await sealed()
  for (const text of before) expect(text).toMatch(/^[\w-]{8}(\.[\w-]+){3}$/)

  const both = await startServer({ beside: server, settings: { SECRET_KEY: `${fresh},${old}` } })
  await admin.ask(VIEWER, {}, both.url)
  await refresh(admin, both)
  await both.stop()
  for (const text of await sealed()) expect(before).not.toContain(text)

  const next = await startServer({ beside: server, settings: { SECRET_KEY: fresh } })
  await admin.ask(VIEWER, {}, next.url)
  const later = await signIn(next, admin.email)
  await later.ask(VIEWER, {}, server.url)
  await next.stop()

  const stranger = startServer({
    beside: server,
    settings: { SECRET_KEY: randomBytes(32).toString('base64') },
  })
  await expect(stranger).rejects.toThrow('No key opens this signing key.')
})
