import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const UPDATE = `mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) {
  user { firstName lastName name phoneNumber locale timeZone } } }`
const update = async (by: Person, input: Record<string, unknown>) =>
  (await by.ask(UPDATE, { input })).updateProfile.user
const member = async (id: string) =>
  (await admin.ask(`query ($id: ID!) { organisation { member(id: $id) { name } } }`, { id }))
    .organisation.member.name
const found = async (search: string): Promise<string[]> =>
  (
    await admin.ask(
      `query ($search: String) { organisation { members(search: $search) { nodes { id } } } }`,
      { search },
    )
  ).organisation.members.nodes.map(({ id }: { id: string }) => id)

test('people change their own profile; what is left out stays, null clears', async () => {
  const person = await newcomer(admin)
  const changed = await update(person, {
    phoneNumber: '+41 44 668 18 00',
    locale: 'de-ch',
    timeZone: 'europe/zurich',
  })
  expect(changed).toMatchObject({
    name: 'Ann Lee',
    phoneNumber: '+41446681800',
    locale: 'de-CH',
    timeZone: 'Europe/Zurich',
  })
  expect(await update(person, { lastName: null, phoneNumber: null })).toMatchObject({
    name: 'Ann',
    phoneNumber: null,
    locale: 'de-CH',
  })
  expect(await update(person, { locale: null, timeZone: null })).toMatchObject({
    locale: 'en',
    timeZone: 'UTC',
  })
})

test('a new name is shown and found wherever the person has entered, unless the organisation gave another', async () => {
  const person = await newcomer(admin)
  await update(person, { firstName: 'Bérénice', lastName: 'Quist' })
  expect(await member(person.memberId)).toBe('Bérénice Quist')
  expect(await found('berenice')).toEqual([person.memberId])

  // shared with another organisation, so the name given here is this one's own
  const elsewhere = await organisation(server)
  await elsewhere.add({ email: person.email })
  await admin.ask(
    `mutation ($id: ID!) { updateMember(id: $id, input: { firstName: "Nora", lastName: "Kept" }) { member { id } } }`,
    { id: person.memberId },
  )
  await update(person, { firstName: 'Zelda' })
  expect(await member(person.memberId)).toBe('Nora Kept')
  expect(await found('zelda')).toEqual([])
})

test.each([
  ['firstName', { firstName: null }, 'REQUIRED'],
  ['firstName', { firstName: 'a\nb' }, 'INVALID_FORMAT'],
  ['lastName', { lastName: 'x'.repeat(101) }, 'OUT_OF_RANGE'],
  ['phoneNumber', { phoneNumber: '044 668 18 00' }, 'INVALID_FORMAT'],
  ['phoneNumber', { phoneNumber: '+41 44 668 18 00 ext 3' }, 'INVALID_FORMAT'],
  ['locale', { locale: 'no language' }, 'INVALID_FORMAT'],
  ['locale', { locale: '' }, 'INVALID_FORMAT'],
  ['timeZone', { timeZone: 'Mars/Base' }, 'INVALID_FORMAT'],
  ['timeZone', { timeZone: '+02:00' }, 'INVALID_FORMAT'],
])('%s refuses %j', async (field, input, reason) => {
  const person = await newcomer(admin)
  const refusal = await update(person, { phoneNumber: '+41446681800', ...input }).catch(
    error => error,
  )
  expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', reason })
  expect(refusal.extensions.fields[0].path).toEqual(['input', field])
  const { me } = await person.ask(`{ me { name phoneNumber } }`)
  expect(me).toEqual({ name: 'Ann Lee', phoneNumber: null })
})

test('nobody has a profile to change without a session', async () => {
  await expect(ask(server.url, UPDATE, { input: { firstName: 'Eve' } })).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
})
