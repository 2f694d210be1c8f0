import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openBucket, type Bucket } from '../support/bucket.ts'
import { newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import { announce, dress, picture, send, use } from './pictures.ts'

// Images in a bucket that speaks S3, whose signatures are computed a second time where they arrive.

let bucket: Bucket
let server: TestServer
let admin: Person
let png: Buffer

beforeAll(async () => {
  bucket = await openBucket()
  server = await startServer({
    settings: { STORAGE_URL: bucket.url(), ACCESS_TOKEN_SECONDS: '3600' },
  })
  admin = await organisation(server)
  png = await picture().png().toBuffer()
})
afterAll(async () => {
  await server.stop()
  await bucket.close()
})
beforeEach(async () => {
  // the clock moves on
  admin = await signIn(server, admin.email)
  bucket.failing = null
  bucket.objects.clear()
})

const pathOf = (url: string, side = 512) =>
  `/pictures/people/avatars/${url.split('/').at(-2)}/${side}.webp`
const rowOf = async ({ userId }: Person): Promise<unknown> =>
  (await server.database.owner(`select avatar_key from user_account where id = $1`, [userId]))[0]!
    .avatar_key
/** Has the jobs done now that would look in a while whether an image is wanted. */
const hurry = () =>
  server.database.owner(
    `update pgboss.job set start_after = now() where name like 'unwanted-image%' and state = 'created'`,
  )

test('images lie in the bucket and nowhere else, and are served from there', async () => {
  const person = await newcomer(admin)
  const url = await dress(person, png)
  expect([...bucket.objects.keys()].toSorted()).toEqual([pathOf(url, 128), pathOf(url)].toSorted())
  for (const side of [512, 128]) {
    const answer = await fetch(url.replace('512.webp', `${side}.webp`))
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/webp',
      'x-content-type-options': 'nosniff',
      'cache-control': 'public, max-age=31536000, immutable',
    })
    const stored = bucket.objects.get(pathOf(url, side))!
    expect(stored.contentType).toBe('image/webp')
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(stored.bytes)
  }
  expect(await server.database.owner(`select key from avatar_image`)).toEqual([])
  expect(bucket.forged).toEqual([])
})

test('an object that is missing is an image that is missing', async () => {
  const person = await newcomer(admin)
  const url = await dress(person, png)
  bucket.objects.delete(pathOf(url))
  expect((await fetch(url)).status).toBe(404)
  expect((await fetch(url.replace('512.webp', '128.webp'))).status).toBe(200)
})

test('what was replaced, removed or left behind by a deleted account goes from the bucket', async () => {
  const person = await newcomer(admin)
  const first = await dress(person, png)
  const next = await dress(person, await picture(40, 40).png().toBuffer())
  await until(() => !bucket.objects.has(pathOf(first)) && !bucket.objects.has(pathOf(first, 128)))
  expect(bucket.objects.has(pathOf(next))).toBe(true)
  await person.ask(`mutation { removeAvatar { user { id } } }`)
  await until(() => bucket.objects.size === 0)
  await dress(person, png)
  expect(bucket.objects.size).toBe(2)
  await person.ask(`mutation { deleteAccount { deletedId } }`)
  await until(() => bucket.objects.size === 0)
  expect(bucket.forged).toEqual([])
})

test('an object is removed once the storage is back, if it was away', async () => {
  const person = await newcomer(admin)
  await dress(person, png)
  bucket.failing = method => (method === 'DELETE' ? 503 : null)
  await person.ask(`mutation { removeAvatar { user { id } } }`)
  await until(() => server.log.some(line => line.includes('an image was not removed yet')))
  expect(bucket.objects.size).toBe(2)
  bucket.failing = null
  await until(() => bucket.objects.size === 0)
})

test.each([
  ['does not answer', 0],
  ['is out of order', 500],
  ['refuses', 403],
  [
    'takes the first size only',
    (_method: string, path: string) => (path.includes('128') ? 500 : null),
  ],
] as const)(
  'where the storage %s, nothing is half done and the same can be sent again',
  async (_how, failing) => {
    const person = await newcomer(admin)
    const before = await dress(person, png)
    const target = await announce(person, png.length)
    bucket.failing = failing
    const answer = await send(target, png)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(await answer.json()).toMatchObject({
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE', retryAfter: 5 } }],
    })
    await expect(use(person, target.id)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
    expect(await rowOf(person)).toBe(before.split('/').at(-2))
    if (typeof failing === 'number') {
      const read = await fetch(before)
      expect([read.status, read.headers.get('content-type')]).toEqual([
        503,
        'application/json; charset=utf-8',
      ])
    }
    bucket.failing = null
    expect((await send(target, png)).status).toBe(204)
    const now = await use(person, target.id)
    await until(() => !bucket.objects.has(pathOf(before)))
    server.clock.advance({ minutes: 25 })
    await hurry()
    // what the failed try left behind goes too; what is shown stays
    await until(() => bucket.objects.size === 2)
    expect(bucket.objects.has(pathOf(now))).toBe(true)
    expect((await fetch(now)).status).toBe(200)
  },
  40_000,
)

test('an image that was sent and never taken goes from the bucket', async () => {
  const person = await newcomer(admin)
  const target = await announce(person, png.length)
  expect((await send(target, png)).status).toBe(204)
  expect(bucket.objects.size).toBe(2)
  await hurry()
  // it may still be taken
  await until(async () => {
    const jobs = await server.database.owner(
      `select id from pgboss.job where name like 'unwanted-image%' and state in ('created', 'active')`,
    )
    return jobs.length === 0
  })
  expect(bucket.objects.size).toBe(2)
  await announce(person, png.length)
  await until(() => bucket.objects.size === 0)
})

test('a server with another secret stores nothing', async () => {
  const other = await startServer({
    beside: server,
    settings: { STORAGE_URL: bucket.url('another secret') },
  })
  try {
    const person = await newcomer(admin)
    const target = await announce(person, png.length)
    const answer = await send({ ...target, url: target.url.replace(server.url, other.url) }, png)
    expect(answer.status).toBe(503)
    expect(bucket.forged[0]).toMatch(/^PUT \/pictures\/people\/avatars\//)
    expect(bucket.objects.size).toBe(0)
    expect(other.log.join('')).toContain('The storage answers with 403.')
    expect(other.log.join('')).not.toContain('another secret')
  } finally {
    await other.stop()
  }
})
