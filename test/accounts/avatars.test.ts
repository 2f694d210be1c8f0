import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { announce, CREATE, dress, picture, send, use } from './pictures.ts'

let server: TestServer
let admin: Person
let png: Buffer

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  admin = await organisation(server)
  png = await picture().png().toBuffer()
})
afterAll(() => server.stop())

test.each(['png', 'jpeg', 'webp'] as const)(
  'an image sent as %s becomes a square WebP in two sizes, without what the file said besides',
  async format => {
    const person = await newcomer(admin)
    const url = await dress(person, await picture().toFormat(format).toBuffer(), `image/${format}`)
    for (const side of [512, 128]) {
      const answer = await fetch(url.replace('512.webp', `${side}.webp`))
      expect(answer.status).toBe(200)
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-type': 'image/webp',
        'x-content-type-options': 'nosniff',
        'cache-control': 'public, max-age=31536000, immutable',
      })
      const bytes = Buffer.from(await answer.arrayBuffer())
      expect(await sharp(bytes).metadata()).toMatchObject({
        format: 'webp',
        width: side,
        height: side,
      })
      expect(bytes.includes('Somebody private')).toBe(false)
    }
  },
)

test('of a file that is an image and something else besides, the image alone is kept', async () => {
  const person = await newcomer(admin)
  const script = '<html><script>alert(1)</script>'
  const tail = Buffer.from(`${script}PK\x03\x04%PDF-1.7`, 'latin1')
  const url = await dress(person, Buffer.concat([png, tail]))
  for (const side of [512, 128]) {
    const bytes = Buffer.from(
      await (await fetch(url.replace('512.webp', `${side}.webp`))).arrayBuffer(),
    )
    expect((await sharp(bytes).metadata()).format).toBe('webp')
    for (const part of [script, 'PK\x03\x04', '%PDF'])
      expect(bytes.includes(Buffer.from(part, 'latin1'))).toBe(false)
  }
})

test('an avatar is shown in every organisation of its person, also in one joined later, and none is left once removed', async () => {
  const person = await newcomer(admin)
  const url = await dress(person, png)
  const shown = async (by: Person, id: string) =>
    (await by.ask(`query ($id: ID!) { organisation { member(id: $id) { avatarUrl } } }`, { id }))
      .organisation.member.avatarUrl
  expect(await shown(admin, person.memberId)).toBe(url)
  const elsewhere = await organisation(server)
  const { member } = await elsewhere.add({ email: person.email })
  expect(await shown(elsewhere, member.id)).toBe(url)

  const next = await dress(person, await picture(40, 40).png().toBuffer())
  expect(next).not.toBe(url)
  expect((await fetch(url)).status).toBe(404)
  const { removeAvatar } = await person.ask(`mutation { removeAvatar { user { avatarUrl } } }`)
  expect(removeAvatar.user.avatarUrl).toBeNull()
  expect((await fetch(next)).status).toBe(404)
  expect(await shown(elsewhere, member.id)).toBeNull()
})

describe('what is refused', () => {
  test.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
    ['HTML behind a PNG’s first bytes', '\x89PNG\r\n\x1a\n<html><script>alert(1)</script>'],
    ['a GIF', 'GIF89a\x01\x00\x01\x00\x00\x00\x00;'],
    ['nothing', ''],
  ])('%s', async (_what, text) => {
    const person = await newcomer(admin)
    const bytes = Buffer.from(text, 'latin1')
    const target = await announce(person, Math.max(1, bytes.length))
    const answer = await send(target, bytes)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      errors: [{ extensions: { reason: 'FILE_NOT_ACCEPTED' } }],
    })
    await expect(use(person, target.id)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  })

  test('an image that would unfold beyond measure', async () => {
    const person = await newcomer(admin)
    const bomb = await sharp({
      create: { width: 12_000, height: 12_000, channels: 3, background: '#fff' },
    })
      .png({ compressionLevel: 9 })
      .toBuffer()
    const target = await announce(person, bomb.length)
    expect((await send(target, bomb)).status).toBe(400)
  })

  test('another kind or size than was announced', async () => {
    const person = await newcomer(admin)
    const jpeg = await picture().jpeg().toBuffer()
    expect((await send(await announce(person, jpeg.length), jpeg)).status).toBe(400)
    expect((await send(await announce(person, png.length + 1), png)).status).toBe(400)
    const typed = await announce(person, png.length)
    expect((await send(typed, png, { 'content-type': 'image/svg+xml' })).status).toBe(415)
    expect((await send(typed, Buffer.alloc(5_000_001))).status).toBe(413)
  })

  test.each([
    [{ contentType: 'image/svg+xml', size: 10 }, 'FILE_NOT_ACCEPTED'],
    [{ contentType: 'image/png', size: 0 }, 'OUT_OF_RANGE'],
    [{ contentType: 'image/png', size: 5_000_001 }, 'OUT_OF_RANGE'],
  ])('to announce %j', async (input, reason) => {
    const person = await newcomer(admin)
    await expect(person.ask(CREATE, { input })).rejects.toBeRefused('BAD_USER_INPUT', reason)
  })

  test('an address that was not signed, is too old, was used or replaced', async () => {
    const person = await newcomer(admin)
    const target = await announce(person, png.length)
    const changed = target.url.replace(/signature=.{4}/, 'signature=AAAA')
    expect((await send({ ...target, url: changed }, png)).status).toBe(404)
    const later = await announce(person, png.length)
    expect((await send(target, png)).status).toBe(404)
    expect((await send(later, png)).status).toBe(204)
    expect((await send(later, png)).status).toBe(404)
    await use(person, later.id)
    await expect(use(person, later.id)).rejects.toBeRefused('NOT_FOUND')

    const old = await announce(person, png.length)
    server.clock.advance({ minutes: 11 })
    expect((await send(old, png)).status).toBe(404)
  })

  test('somebody else’s upload', async () => {
    const person = await newcomer(admin)
    const target = await announce(person, png.length)
    await send(target, png)
    await expect(use(await newcomer(admin), target.id)).rejects.toBeRefused('NOT_FOUND')
  })

  test('all but one of twenty who send to one address at once', async () => {
    const person = await newcomer(admin)
    const target = await announce(person, png.length)
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(target, png)))
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(19)
    const key = (await use(person, target.id)).split('/').at(-2)
    const kept = await server.database.owner(
      `select count(*)::int as count from avatar_image where key not in (
        select avatar_key from user_account where avatar_key is not null
        union select avatar_key from avatar_upload where avatar_key is not null and spent_at is null)`,
    )
    expect(key).toHaveLength(43)
    expect(kept[0]!.count).toBe(0)
  })
})
