import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { openProject } from '../support/links.ts'
import { mailsTo } from '../support/mailbox.ts'
import { freshEmail, invite, organisation, PASSWORD, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { answer } from '../http/pages.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const GERMAN = { 'accept-language': 'de-CH, en;q=0.5' }
const localeOf = async (email: string) =>
  (await server.database.owner(`select locale from user_account where email = $1`, [email]))[0]
    ?.locale
const acceptance = (token: string) => ({
  input: { token, newAccount: { firstName: 'Ann', lastName: 'Lee', password: PASSWORD } },
})
const ACCEPT = `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { member { id } } }`

test('whoever registers gets mail in the language that they asked in', async () => {
  const projectId = await openProject(admin)
  const email = freshEmail()
  await ask(
    server.url,
    `mutation ($input: SignUpInput!) { signUp(input: $input) { email } }`,
    { input: { projectId, email, firstName: 'Ann', lastName: 'Lee', password: PASSWORD } },
    GERMAN,
  )
  expect(await localeOf(email)).toBe('de')
  expect((await mailsTo(server, email))[0]!.text).toContain('Guten Tag Ann,')
})

test('whoever accepts an invitation has the language of their browser from then on', async () => {
  const [asked, paged] = [await invite(admin), await invite(admin)]
  await ask(server.url, ACCEPT, acceptance(asked.token), GERMAN)
  expect(await localeOf(asked.email)).toBe('de')
  await answer(
    server,
    `${server.url}/accept-invitation?token=${paged.token}`,
    { answer: 'accept', firstName: 'Ann', lastName: 'Lee', password: PASSWORD },
    GERMAN,
  )
  expect(await localeOf(paged.email)).toBe('de')
})

test.each(['fr-FR', '*', "de'; drop table user_account; --", 'x'.repeat(2_000)])(
  'a header such as %j sets English',
  async header => {
    const { email, token } = await invite(admin)
    await ask(server.url, ACCEPT, acceptance(token), { 'accept-language': header })
    expect(await localeOf(email)).toBe('en')
  },
)

test('a language that the person has chosen stays, whatever they accept later', async () => {
  const person = await admin.bring()
  await person.ask(`mutation { updateProfile(input: { locale: "en-NZ" }) { user { id } } }`)
  const there = await organisation(server)
  const { token } = await there
    .ask(
      `mutation ($email: EmailAddress!) { inviteMember(input: { email: $email }) { member { id } } }`,
      { email: person.email },
    )
    .then(async () => {
      const mails = await mailsTo(server, person.email, 2)
      return { token: /token=(\S+)/.exec(mails[0]!.text)![1]! }
    })
  await ask(
    server.url,
    `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { member { id } } }`,
    { input: { token } },
    { ...GERMAN, authorization: `Bearer ${person.accessToken}` },
  )
  expect(await localeOf(person.email)).toBe('en-NZ')
})
