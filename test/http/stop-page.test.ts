import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { choose, lock, lockAndUnlock, type Choice } from '../accounts/notices.ts'
import { mailsSoFar, mailsTo } from '../support/mailbox.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { get, read } from './pages.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const CLICK = 'List-Unsubscribe=One-Click'

/** Somebody who was mailed an optional notice, and what its header leads to. */
async function mailed(): Promise<{ person: Person; url: string }> {
  const person = await newcomer(admin)
  await lock(admin, person.memberId)
  const [mail] = await mailsTo(server, person.email)
  expect(mail!.headers['List-Unsubscribe-Post']).toBe(CLICK)
  const url = /^<(.*)>$/.exec(mail!.headers['List-Unsubscribe']!)![1]!
  expect(mail!.text).toContain(url)
  expect(mail!.html).toContain(`href="${url}"`)
  return { person, url }
}

const click = (url: string, body: RequestInit['body'] = new URLSearchParams(CLICK), headers = {}) =>
  fetch(url, { method: 'POST', body, headers, redirect: 'manual' })

const choicesOf = async (person: Person): Promise<Record<string, string>> => {
  const { me } = await person.ask(
    `{ me { notificationPreferences { category channel frequency } } }`,
  )
  return Object.fromEntries(
    (me.notificationPreferences as Choice[]).map(each => [
      `${each.category}.${each.channel}`,
      each.frequency,
    ]),
  )
}
const stored = () =>
  server.database.owner(`select * from notification_preference order by user_id, category, channel`)

test('one click of a mail program stops mails of that kind to that person, and nothing else', async () => {
  const { person, url } = await mailed()
  const before = await choicesOf(person)
  const response = await click(url)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await choicesOf(person)).toEqual({ ...before, 'MEMBERSHIP.EMAIL': 'NEVER' })
  expect(await stored()).toHaveLength(1)
  await admin.ask(`mutation ($id: ID!) { unlockMember(id: $id) { member { id } } }`, {
    id: person.memberId,
  })
  expect(await mailsSoFar(server, person.email)).toHaveLength(1)
  const [event] = await server.database.owner(
    `select changes from event where topic = 'user.notifications_changed' and target_id = $1`,
    [person.userId],
  )
  expect(event!.changes).toEqual([
    { field: 'MEMBERSHIP.EMAIL', before: 'IMMEDIATELY', after: 'NEVER' },
  ])
})

test('a form of several parts is taken as well', async () => {
  const { person, url } = await mailed()
  const form = new FormData()
  form.set('List-Unsubscribe', 'One-Click')
  expect((await click(url, form)).status).toBe(200)
  expect((await choicesOf(person))['MEMBERSHIP.EMAIL']).toBe('NEVER')
})

test('a second click, and one that comes after the person wanted mails again, do what they say', async () => {
  const { person, url } = await mailed()
  const answers = await Promise.all(Array.from({ length: 20 }, () => click(url)))
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
  await choose(person, { 'MEMBERSHIP.EMAIL': 'IMMEDIATELY' })
  await lockAndUnlock(admin, person)
  await click(url)
  expect((await choicesOf(person))['MEMBERSHIP.EMAIL']).toBe('NEVER')
})

describe('looking', () => {
  test.each([
    ['en', 'Unsubscribe', 'Joining and leaving organisations'],
    ['de', 'Mails abbestellen', 'Beitritt zu Organisationen'],
  ])('shows a button in %s, and changes nothing', async (language, title, kind) => {
    const { person, url } = await mailed()
    const before = await stored()
    const { response, html } = await read(await get(url, { 'accept-language': language }))
    expect(response.status).toBe(200)
    expect(html).toContain(`<h1>${title}</h1>`)
    expect(html).toContain(kind)
    // whoever was sent the link on learns no address
    expect(html).not.toContain(person.email)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect((await get(url, {}, 'HEAD')).status).toBe(200)
    expect(await stored()).toEqual(before)
  })

  test('leads to the same as the click, through the button', async () => {
    const { person, url } = await mailed()
    const html = await (await get(url)).text()
    const action = /<form method="post" action="([^"]*)"/.exec(html)![1]!
    const [, name, value] = /<input type="hidden" name="([^"]+)" value="([^"]*)">/.exec(html)!
    const body = new URLSearchParams({ [name!]: value! })
    const done = await click(`${server.url}${action}`, body, { 'accept-language': 'de' })
    expect(await done.text()).toContain('<h1>Sie haben die Mails abbestellt</h1>')
    expect((await choicesOf(person))['MEMBERSHIP.EMAIL']).toBe('NEVER')
  })
})

describe('refused, with nothing changed, is', () => {
  const turned = (url: string, turn: (token: string) => string) => {
    const made = new URL(url)
    made.searchParams.set('stop', turn(made.searchParams.get('stop')!))
    return made.href
  }

  test('a token that was forged, cut, changed, or made for something else', async () => {
    const { url } = await mailed()
    const { keys } = server.app.node.server
    const reader = JSON.stringify({ userId: admin.userId, categories: ['MEMBERSHIP'] })
    const forged = [
      '',
      'x',
      reader,
      Buffer.from(reader).toString('base64url'),
      keys.seal('mail', reader),
    ]
    const before = await stored()
    for (const turn of [
      ...forged.map(token => () => token),
      (token: string) => token.slice(0, -2),
      // not the last one, part of which base64url does not read
      (token: string) => token.replace(/.(?=.{8}$)/, one => (one === 'A' ? 'B' : 'A')),
      (token: string) => `${token}A`,
      (token: string) => token.split('.').toReversed().join('.'),
    ]) {
      expect((await click(turned(url, turn))).status).toBe(410)
      expect((await get(turned(url, turn))).status).toBe(410)
    }
    const twice = `${url}&stop=x`
    expect((await click(twice)).status).toBe(410)
    expect(await stored()).toEqual(before)
  })

  test('a token put together from those of two people', async () => {
    const [one, two] = [await mailed(), await mailed()]
    const before = await stored()
    const parts = (url: string) => new URL(url).searchParams.get('stop')!.split('.')
    const [mine, theirs] = [parts(one.url), parts(two.url)]
    for (const index of [1, 2, 3]) {
      const swapped = mine.with(index, theirs[index]!).join('.')
      expect((await click(turned(one.url, () => swapped))).status).toBe(410)
    }
    expect(await stored()).toEqual(before)
  })

  test('whatever is not the click: another form, no form, too large a one', async () => {
    const { url } = await mailed()
    const before = await stored()
    for (const body of ['', 'List-Unsubscribe=No', '{"One-Click":true}'])
      expect((await click(url, body, { 'content-type': 'text/plain' })).status).toBe(400)
    expect((await click(url, 'x'.repeat(20_000))).status).toBe(413)
    for (const method of ['PUT', 'DELETE']) expect((await fetch(url, { method })).status).toBe(404)
    expect(await stored()).toEqual(before)
  })

  test('a link of an account that is gone: it answers, and leaves no trace', async () => {
    const { person, url } = await mailed()
    await person.ask(`mutation { deleteAccount { deletedId } }`)
    const before = await stored()
    expect((await click(url)).status).toBe(200)
    expect(await stored()).toEqual(before)
  })
})

test('mails that nobody may refuse, and those with links, have no such header', async () => {
  const person = await newcomer(admin)
  await person.ask(`mutation { requestEmailChange(email: "somewhere@example.com") { email } }`)
  const [notice] = await mailsTo(server, person.email)
  const [link] = await mailsTo(server, 'somewhere@example.com')
  for (const mail of [notice!, link!]) {
    expect(Object.keys(mail.headers)).toEqual(['Auto-Submitted'])
    expect(mail.text).not.toContain('unsubscribe')
  }
})

test('the development mailbox shows text, HTML and headers of each mail', async () => {
  const { person, url } = await mailed()
  const { html } = await read(await get(`${server.url}/dev/mailbox`))
  const article = html.split('<article>').find(each => each.includes(person.email))!
  for (const shown of [
    '<dt>Message-ID</dt><dd>&lt;',
    '<dt>From</dt><dd>Gatehouse',
    `<dt>To</dt><dd>${person.email}</dd>`,
    '<dt>Auto-Submitted</dt><dd>auto-generated</dd>',
    `<dt>List-Unsubscribe</dt><dd>&lt;${url}&gt;</dd>`,
    `<dt>List-Unsubscribe-Post</dt><dd>${CLICK}</dd>`,
    '<pre>Hello Ann,',
    '<iframe sandbox',
  ])
    expect(article).toContain(shown)
})
