import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { accept, freshEmail } from '../support/people.ts'
import { startServer } from '../support/server.ts'
import { Branch } from './branch.ts'
import { linkOf, only, tokenOf } from './letter.ts'

let branch: Branch

beforeAll(async () => {
  branch = await Branch.start()
  await branch.office.open()
})
afterAll(() => branch.stop())

const rename = (name: string) =>
  branch.admin.ask(
    `mutation ($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) { organisation { id } } }`,
    { input: { name } },
  )

test('an invitation arrives as HTML and text, and its link lets the person in', async () => {
  const { office, server } = branch
  const email = freshEmail('new')
  await branch.invite(email, { firstName: 'Zoë', lastName: 'Łukasik' })

  const [letter] = await office.lettersTo(email)
  expect(letter!.recipients).toEqual([email])
  expect(only(letter!.headers, 'to')).toBe(email)
  expect(only(letter!.headers, 'from')).toBe('Gatehouse <post@gatehouse.test>')
  expect(only(letter!.headers, 'subject')).toBe('Join Gatehouse')
  expect(only(letter!.headers, 'message-id')).toMatch(/^<[0-9a-f-]{36}@localhost>$/)
  expect(only(letter!.headers, 'auto-submitted')).toBe('auto-generated')
  expect(only(letter!.headers, 'content-type')).toContain('multipart/alternative')
  expect(letter!.text).toContain('Hello Zoë,')
  expect(letter!.html).toContain('Hello Zoë,')
  const link = linkOf(letter!)
  expect(`${link.origin}${link.pathname}`).toBe(`${server.url}/accept-invitation`)
  expect(letter!.html).toContain(`href="${link.href}"`)

  const person = await accept(server, tokenOf(letter!))
  expect(person.email).toBe(email)
})

test('a link is built from the public address, whatever host the request named', async () => {
  const { office, server, admin } = branch
  const email = freshEmail('host')
  await ask(
    server.url,
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`,
    { input: { email, firstName: 'Ann', lastName: 'Lee' } },
    {
      authorization: `Bearer ${admin.accessToken}`,
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
    },
  )
  const [letter] = await office.lettersTo(email)
  expect(linkOf(letter!).origin).toBe(server.url)
  expect(letter!.raw).not.toContain('evil.example')
})

test('a mail that is sent again is the same mail: its Message-ID stays', async () => {
  const { office } = branch
  const email = freshEmail('again')
  let tries = 0
  office.onMail = () => ((tries += 1) <= 2 ? 'later' : 'take')
  await branch.invite(email)

  const [letter] = await office.lettersTo(email, 1, 20_000)
  const all = [...office.turnedAway.filter(each => each.recipients.includes(email)), letter!]
  expect(all).toHaveLength(3)
  expect(new Set(all.map(each => only(each.headers, 'message-id'))).size).toBe(1)
  expect(new Set(all.map(each => each.text)).size).toBe(1)
  await branch.settled()
  expect(await office.lettersTo(email)).toHaveLength(1)
}, 30_000)

test('two nodes deliver each mail once', async () => {
  const { office, server } = branch
  const second = await startServer({ beside: server, settings: { SMTP_URL: office.url } })
  try {
    const emails = Array.from({ length: 12 }, () => freshEmail('once'))
    await Promise.all(
      emails.map((email, index) => branch.invite(email, {}, index % 2 ? second.url : server.url)),
    )
    await branch.settled()
    for (const email of emails) expect(await office.lettersTo(email)).toHaveLength(1)
  } finally {
    await second.stop()
  }
})

describe('nobody can smuggle in a second recipient or a header', () => {
  test.each([
    'a@example.com,b@example.com',
    'a@example.com;b@example.com',
    'a@example.com b@example.com',
    'a@example.com\r\nBcc: b@example.com',
    'a@example.com\nTo: b@example.com',
    'a@example.com\u0000',
    'a@example.com>,<b@example.com',
    '"a,b"@example.com',
    'Ann <a@example.com>',
    'a@example.com，b@example.com',
    'a@example.com\u2028Bcc: b@example.com',
  ])('an address such as %j is no address', async email => {
    await expect(branch.invite(email)).rejects.toBeRefused('BAD_USER_INPUT')
    expect(await branch.waiting()).toEqual([])
  })

  test.each([
    'Ann\r\nBcc: b@example.com',
    'Ann\nX-Evil: 1',
    'Ann\u2028Bcc: b@example.com',
    'Ann\u0000',
  ])('a name such as %j is no name', async firstName => {
    await expect(branch.invite(freshEmail(), { firstName })).rejects.toBeRefused('BAD_USER_INPUT')
    expect(await branch.waiting()).toEqual([])
  })

  test('an organisation cannot be given a name with a line break', async () => {
    await expect(rename('Evil\r\nBcc: b@example.com')).rejects.toBeRefused('BAD_USER_INPUT')
  })

  test('whatever an organisation and its people are called, a mail goes to one address with the headers it had', async () => {
    const { office } = branch
    await rename('Evil, <b@localhost>; "Bcc: c@localhost" =?utf-8?Q?=0D=0ABcc:_d=40localhost?=')
    const email = freshEmail('plain')
    await branch.invite(email, {
      firstName: '<b>Ann, b@localhost</b>',
      lastName: 'Lee"><script>alert(1)</script>',
    })
    const [letter] = await office.lettersTo(email)
    expect(letter!.recipients).toEqual([email])
    expect([...letter!.headers.keys()].toSorted()).toEqual([
      'auto-submitted',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ])
    for (const [, values] of letter!.headers) expect(values).toHaveLength(1)
    expect(letter!.html).not.toContain('<b>Ann')
    expect(letter!.html).not.toContain('<script')
  })

  test('an address that looks encoded is taken as it stands', async () => {
    const email = '=?utf-8?q?a=40example.com=2c?=b@example.com'
    await branch.invite(email)
    const [letter] = await branch.office.lettersTo(email)
    expect(letter!.recipients).toEqual([email])
  })

  test('the mail server was never asked for any other recipient', async () => {
    await branch.settled()
    expect(branch.office.asked).not.toContain('a@example.com')
    expect(branch.office.asked).not.toContain('b@example.com')
    expect(branch.office.letters.every(letter => letter.recipients.length === 1)).toBe(true)
  })
})
