import { afterAll, beforeAll, expect, test } from 'vitest'
import { escapeHtml } from '../../src/shared/html.ts'
import { choose, noticesOf } from '../accounts/notices.ts'
import { createKey } from '../credentials/keys.ts'
import { doChore } from '../support/chores.ts'
import { freshEmail, newcomer, operator, type Person } from '../support/people.ts'
import { Branch } from './branch.ts'
import { only, type Letter } from './letter.ts'

// Whatever people and organisations call themselves, and whatever they write to each other, is words and nothing more.

let branch: Branch
let owner: Person

beforeAll(async () => {
  branch = await Branch.start()
  await branch.office.open()
  owner = await newcomer(branch.admin)
})
afterAll(() => branch.stop())

const rename = (name: string) =>
  branch.admin.ask(
    `mutation ($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) { organisation { id } } }`,
    { input: { name } },
  )
const ask = (email: string, firstName: string, message: string) =>
  branch.admin.ask(
    `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { id } } }`,
    { input: { email, firstName, lastName: firstName, message } },
  )

const HEADERS = [
  'auto-submitted',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'subject',
  'to',
]
const OPTIONAL = [...HEADERS, 'list-unsubscribe', 'list-unsubscribe-post'].toSorted()

/** The elements that our own mails are made of. */
const OURS = new Set(['html', 'head', 'meta', 'title', 'body', 'div', 'p', 'a'])

function expectWords(letter: Letter, email: string, word: string, headers = HEADERS): void {
  expect(letter.recipients).toEqual([email])
  expect(only(letter.headers, 'to')).toBe(email)
  expect([...letter.headers.keys()].toSorted()).toEqual(headers)
  for (const [name, values] of letter.headers) expect(values, name).toHaveLength(1)
  expect(letter.text).toContain(word)
  expect(letter.html).toContain(escapeHtml(word))
  const elements = [...letter.html.matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map(([, name]) => name!)
  expect(elements.filter(name => !OURS.has(name))).toEqual([])
  expect(letter.html).not.toMatch(/<[^>]*\son\w+=/i)
}

const WORDS = [
  '<b>Bold</b>',
  '"><img src=x onerror=alert(1)>',
  '</title></head><script>alert(1)</script>',
  '&lt;script&gt;',
  "{{constructor.constructor('return 1')()}}",
  '${7*7} #{7*7} <%= 7*7 %> {% raw %}',
  '%s %n %x $& $1',
  '=1+1',
  "=cmd|'/C calc'!A0",
  '@SUM(A1:A9)',
  '-2+3',
  '=?utf-8?Q?=0D=0ABcc:_d=40localhost?=',
  'Bcc: b@localhost, <c@localhost>;',
  'שלום العربية 名前 😀 Zoë',
]

test.each(WORDS)('%j stays words, in every mail and in the list', async word => {
  const { office, admin } = branch
  await rename(word)
  const email = freshEmail('words')
  await ask(email, word, word)
  const [invitation] = await office.lettersTo(email)
  expectWords(invitation!, email, word)
  expect(invitation!.text).toContain(`Hello ${word},`)
  expect(invitation!.text).toContain(`“${word}”`)

  const before = office.letters.filter(({ recipients }) => recipients[0] === owner.email).length
  await createKey(admin, owner.memberId, [], { name: word })
  const letters = await office.lettersTo(owner.email, before + 1)
  expectWords(letters.at(-1)!, owner.email, word, OPTIONAL)
  const [notice] = await noticesOf(owner)
  expect(notice!.message).toContain(`"${word}"`)
})

test('a digest of them is words too', async () => {
  const { office, admin, server } = branch
  const person = await newcomer(admin)
  await choose(person, { 'API_KEY.EMAIL': 'DAILY' })
  for (const word of WORDS) await createKey(admin, person.memberId, [], { name: word })
  server.clock.advance({ days: 1 })
  await doChore(server, 'digests')
  const [digest] = await office.lettersTo(person.email)
  for (const word of WORDS) expectWords(digest!, person.email, word, OPTIONAL)
  branch.admin = await operator(server)
  owner = await newcomer(branch.admin)
})

test('lines that look like the end of a mail do not end it', async () => {
  const { office } = branch
  const message = ['Hello', '.', 'MAIL FROM:<x@localhost>', 'RCPT TO:<b@localhost>', 'DATA', '..']
  for (const end of ['\n', '\r\n', '\r']) {
    const email = freshEmail('lines')
    await ask(email, 'Ann', message.join(end))
    const [letter] = await office.lettersTo(email)
    expectWords(letter!, email, 'RCPT TO:<b@localhost>')
    expect(letter!.text.split(/\r?\n/)).toContain('.')
  }
  await branch.settled()
  expect(office.asked).not.toContain('b@localhost')
})

/** What stands before the `@`, of addresses that are fit to be written to. */
const LOCAL_PARTS = [
  '{{7*7}}',
  '${7*7}#{7*7}',
  '{%raw%}',
  "=cmd|'/c'!a0",
  '=1+1',
  '+sum',
  '-2+3',
  "'or'1'='1'--",
  '&amp',
  '$&$1',
  '%s%n%0d%0a',
  '`id`',
  '!!',
]

test.each(LOCAL_PARTS)('an address that begins with %j is an address', async local => {
  const { office } = branch
  const domain = freshEmail().split('@')[0]!.replace('person', 'words')
  const email = `${local}@${domain}.example.com`
  await ask(email, 'Ann', 'Hello.')
  const [invitation] = await office.lettersTo(email)
  expectWords(invitation!, email, 'Hello.')

  const moved = email.replace('@', '@moved.')
  const person = await newcomer(branch.admin)
  await person.ask(
    `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`,
    { email: moved },
  )
  const [link] = await office.lettersTo(moved)
  expectWords(link!, moved, 'Confirm')
  // where the old address is told of it
  const [notice] = await office.lettersTo(person.email)
  expectWords(notice!, person.email, `to ${moved}.`)
})

test.each([
  'ann@example.com, b@localhost',
  'ann@example.com;b@localhost',
  'Ann <ann@example.com>',
  '<ann@example.com>',
  '"ann b"@example.com',
  '"ann\r\nBcc: b@localhost"@example.com',
  'ann@example.com\r\nBcc: b@localhost',
  'ann@example.com\nDATA',
  'ann@example.com> SIZE=1\r\nRCPT TO:<b@localhost',
  'ann\u0000@example.com',
  'ann\u200f@example.com',
  'ann\u202e@example.com',
  'ann@example\u200f.com',
  'ann@exa\u2028mple.com',
  '<script>@example.com',
  'ann@[127.0.0.1]',
  'ann@127.1',
])('%j is no address', async email => {
  const { admin, office } = branch
  const before = office.asked.length
  const person = await newcomer(admin)
  await expect(branch.invite(email)).rejects.toBeRefused('BAD_USER_INPUT')
  await expect(ask(email, 'Ann', '')).rejects.toBeRefused('BAD_USER_INPUT')
  await expect(
    person.ask(`mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`, {
      email,
    }),
  ).rejects.toBeRefused('BAD_USER_INPUT')
  await branch.settled()
  expect(office.asked.slice(before)).toEqual([])
})

const UNFIT = {
  'a line break': 'Ann\r\nBcc: b@example.com',
  'a line feed': 'Ann\nX-Evil: 1',
  'a separator of lines': 'Ann\u2028Bcc: b@example.com',
  'a null': 'Ann\u0000',
  'an escape': 'Ann\u001b[2J',
  'a mark that turns text around': 'Ann\u202egpj.exe',
  'a mark of direction': 'Ann\u200fLee',
  'an isolate that turns text around': 'Ann\u2067evil\u2069',
  'half a character': 'Ann\ud800',
}

test.each(Object.entries(UNFIT))('%s is in no name', async (_what, word) => {
  const { admin } = branch
  const email = freshEmail('unfit')
  await expect(rename(word)).rejects.toBeRefused('BAD_USER_INPUT')
  await expect(ask(email, word, '')).rejects.toBeRefused('BAD_USER_INPUT')
  await expect(createKey(admin, owner.memberId, [], { name: word })).rejects.toBeRefused(
    'BAD_USER_INPUT',
  )
  await expect(
    owner.ask(
      `mutation ($name: String!) { updateProfile(input: { firstName: $name }) { user { id } } }`,
      { name: word },
    ),
  ).rejects.toBeRefused('BAD_USER_INPUT')
  await expect(branch.invite(`${word}@example.com`)).rejects.toBeRefused('BAD_USER_INPUT')
})

// ends of lines are no harm within a message
test.each(Object.entries(UNFIT).filter(([, word]) => !/[\r\n]/.test(word)))(
  '%s is in no message',
  async (_what, word) => {
    await expect(ask(freshEmail('unfit'), 'Ann', word)).rejects.toBeRefused('BAD_USER_INPUT')
  },
)
