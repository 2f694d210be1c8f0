import { afterAll, beforeAll, expect, test } from 'vitest'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let person: Person
let away: Person

beforeAll(async () => {
  server = await startServer()
  person = await organisation(server)
  away = await organisation(server)
  await away.add({ email: person.email })
})
afterAll(() => server.stop())

const ofMemberships = (fields: string) =>
  person.ask(`{ me { memberships { nodes { organisation { id } ${fields} } } } }`)

test('a person sees where else they belong, as what, and what their role grants there', async () => {
  const { me } = await ofMemberships(
    'role { name } permissions { name } status projectAccess { totalCount }',
  )
  expect(me.memberships.nodes).toMatchObject([
    { organisation: { id: person.organisationId }, role: { name: 'Administrator' } },
    {
      organisation: { id: away.organisationId },
      role: { name: 'Member' },
      permissions: [{ name: 'viewUser' }],
    },
  ])
})

test.each([
  'members { totalCount }',
  'roles { totalCount }',
  'projects { totalCount }',
  'invitations { totalCount }',
  'sessions { totalCount }',
  'settings { mfaRequired }',
])('their other organisation does not answer `%s` with what is here', async fields => {
  await expect(ofMemberships(`other: organisation { id ${fields} }`)).rejects.toBeRefused(
    'FORBIDDEN',
    'ORGANISATION_NOT_ACTIVE',
  )
})

test('the invitation by which they came elsewhere is no fault of ours', async () => {
  const refusal = await ofMemberships('invitation { status }').then(
    () => null,
    error => error as { code: string },
  )
  expect(refusal?.code).not.toBe('INTERNAL_SERVER_ERROR')
})

test.each([
  [
    'an external id with a NUL',
    `{ organisation { members(filter: { externalIds: ["a\\u0000"] }) { totalCount } } }`,
  ],
  [
    'a description with a NUL',
    `mutation { createProject(input: { name: "Nul", description: "a\\u0000" }) { project { id } } }`,
  ],
])('%s is no fault of ours', async (_what, document) => {
  const refusal = await person.ask(document).then(
    () => null,
    error => error as { code: string },
  )
  expect(refusal?.code).not.toBe('INTERNAL_SERVER_ERROR')
})
