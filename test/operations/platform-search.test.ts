import { afterAll, beforeAll, expect, test } from 'vitest'
import { mailedLink } from '../support/links.ts'
import { tokenIn } from '../support/mailbox.ts'
import { freshEmail, newcomer, operator, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { updateMember } from '../tenancy/verbs.ts'

// Whatever changes a name, a login or an organisation's short name, operators find it by the new words and no longer
// by the old ones.

let server: TestServer
let op: Person
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  op = await operator(server)
  admin = await organisation(server)
})
afterAll(() => server.stop())

const search = async (field: 'users' | 'organisations', text: string): Promise<string[]> => {
  const { platform } = await op.ask(
    `query ($text: String) { platform { ${field}(search: $text) { nodes { id } totalCount } } }`,
    { text },
  )
  expect(platform[field].totalCount).toBe(platform[field].nodes.length)
  return platform[field].nodes.map((node: { id: string }) => node.id)
}
const users = (text: string) => search('users', text)

const rename = (person: Person, input: Record<string, string>) =>
  person.ask(
    `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { user { id } } }`,
    { input },
  )
const named = async (firstName: string, lastName: string): Promise<Person> => {
  const person = await newcomer(admin)
  await rename(person, { firstName, lastName })
  return person
}

test('accounts are found by beginnings of the words of name and login, whatever case and accents', async () => {
  const person = await named('Ångela', 'van der Straße')
  for (const text of ['angela', 'ÅNG', 'straß', 'der ang', 'straße ångela', person.email])
    expect(await users(text), text).toEqual(
      text === person.email ? expect.arrayContaining([person.userId]) : [person.userId],
    )
  for (const text of ['ngela', 'angela bertha', '%', '_', '   ', "'"])
    expect(await users(text), text).toEqual([])
})

test('a name changed by its owner, or by the only organisation, is the one they are found by', async () => {
  const person = await named('Quendolin', 'Alt')
  await rename(person, { firstName: 'Zephyrine' })
  expect(await users('quendolin')).toEqual([])
  expect(await users('zephyr')).toEqual([person.userId])
  await updateMember(admin, person.memberId, { firstName: 'Ottokar' })
  expect(await users('zephyrine')).toEqual([])
  expect(await users('ottokar alt')).toEqual([person.userId])
})

test('an address changed by its owner, or by the only organisation, is the one they are found by', async () => {
  const person = await newcomer(admin)
  const first = freshEmail('kolibri')
  const link = await mailedLink(server, first, () =>
    person.ask(`mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`, {
      email: first,
    }),
  )
  await person.ask(`mutation ($token: String!) { confirmEmailChange(token: $token) { email } }`, {
    token: tokenIn(link),
  })
  expect(await users('kolib')).toEqual([person.userId])
  await updateMember(admin, person.memberId, { email: freshEmail('nachtigall') })
  expect(await users('kolibri')).toEqual([])
  expect(await users('nachtigall')).toEqual([person.userId])
})

test('a deleted account is found by nothing, and an invited address only once it has accepted', async () => {
  const person = await named('Theodolinde', 'Lee')
  expect(await users('theodolinde')).toEqual([person.userId])
  await person.ask(`mutation { deleteAccount { deletedId } }`)
  expect(await users('theodolinde')).toEqual([])
  await admin.add({ firstName: 'Walpurga' })
  expect(await users('walpurga')).toEqual([])
})

test('organisations are found by the words of their name and short name as they now are', async () => {
  const here = await organisation(server)
  const call = (input: Record<string, string>) =>
    here.ask(
      `mutation ($input: UpdateOrganisationInput!) { updateOrganisation(input: $input) { organisation { id } } }`,
      { input },
    )
  await call({ name: 'Zürcher Käserei', slug: 'emmentaler' })
  for (const text of ['zurch', 'KÄSE', 'kaserei zurcher', 'emment'])
    expect(await search('organisations', text), text).toEqual([here.organisationId])
  await call({ name: 'Molkerei' })
  expect(await search('organisations', 'zurcher')).toEqual([])
  expect(await search('organisations', 'molk emment')).toEqual([here.organisationId])
})
