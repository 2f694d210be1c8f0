import { afterAll, beforeAll, expect, test } from 'vitest'
import { everything } from '../../src/access/permissions.ts'
import { buildOpenSchema } from '../../src/graphql/schema.ts'
import { argumentsOf, doors, operationOf, type Door } from '../house/fields.ts'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { askBy, createKey, createServiceAccount, renewKey } from './keys.ts'

const RANDOM = '0190aaaa-0000-7000-8000-000000000000'
/** The part of the contract called "getting in" that is there so far, with the caller's own account. */
const NAMED = new Set([
  'Query.me',
  'Mutation.signUp',
  'Mutation.signIn',
  'Mutation.requestMagicLink',
  'Mutation.signInWithMagicLink',
  'Mutation.verifyMfa',
  'Mutation.refreshSession',
  'Mutation.signOut',
  'Mutation.requestPasswordReset',
  'Mutation.resetPassword',
  'Mutation.requestEmailVerification',
  'Mutation.verifyEmail',
  'Mutation.acceptInvitation',
  'Mutation.declineInvitation',
])

const all = doors(await buildOpenSchema())
const isSessionsOnly = ({ name, field }: Door) =>
  NAMED.has(name) || /Sessions only/.test(field.description ?? '')
const sessionsOnly = all.filter(isSessionsOnly)

let server: TestServer
let admin: Person
let machineKey: string
let personalKey: string

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  const scopes = [...everything('ORGANISATION', []), ...everything('PROJECT', [])]
  const account = await createServiceAccount(admin, [])
  await admin.ask(
    `mutation ($id: ID!, $roleId: ID!) { updateServiceAccount(id: $id, input: { roleId: $roleId }) { serviceAccount { id } } }`,
    { id: account, roleId: (await admin.roles()).Administrator },
  )
  machineKey = (await createKey(admin, account, scopes)).secret!
  const own = await createKey(admin, admin.memberId, scopes)
  personalKey = own.secret ?? (await renewKey(admin, own.id)).secret!
})
afterAll(() => server.stop())

test('the contract marks what is for sessions only', () => {
  expect(sessionsOnly.length).toBeGreaterThan(25)
  expect(sessionsOnly.map(({ name }) => name)).toContain('Mutation.createApiKey')
})

test.each(sessionsOnly.map(each => [each.name, each] as const))(
  '%s refuses a key that holds every scope',
  async (_name, each) => {
    const values = argumentsOf(each, { id: () => RANDOM })
    for (const secret of [machineKey, personalKey])
      await expect(askBy(admin, secret, operationOf(each, values, {}), values)).rejects.toBeRefused(
        'FORBIDDEN',
        'KEY_NOT_ALLOWED',
      )
  },
)

test('the same key may do what is not for sessions only', async () => {
  for (const secret of [machineKey, personalKey])
    await expect(
      askBy(
        admin,
        secret,
        `mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }`,
        { name: secret.slice(0, 12) },
      ),
    ).resolves.toBeTruthy()
})

const add = (input: object, secret: string) =>
  askBy(
    admin,
    secret,
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { invitationUrl member { invitation { id } } } }`,
    { input: { firstName: 'Ann', lastName: 'Lee', ...input } },
  )

test('a key adds people by mail alone, and copies no link', async () => {
  for (const secret of [machineKey, personalKey]) {
    const email = `added-${secret.slice(3, 9)}@example.com`.toLowerCase()
    await expect(add({ email, sendInvitation: false }, secret)).rejects.toBeRefused(
      'FORBIDDEN',
      'KEY_NOT_ALLOWED',
    )
    const { addMember } = await add({ email }, secret)
    expect(addMember.invitationUrl).toBeNull()
    const { id } = addMember.member.invitation
    const resend = (sendMail: boolean) =>
      askBy(
        admin,
        secret,
        `mutation ($id: ID!, $sendMail: Boolean!) { resendInvitation(id: $id, sendMail: $sendMail) { invitationUrl } }`,
        { id, sendMail },
      )
    await expect(resend(false)).rejects.toBeRefused('FORBIDDEN', 'KEY_NOT_ALLOWED')
    expect((await resend(true)).resendInvitation.invitationUrl).toBeNull()
  }
})

test("a personal key reaches neither its owner's account nor their sessions", async () => {
  for (const id of [admin.userId])
    await expect(
      askBy(admin, personalKey, `query ($id: ID!) { node(id: $id) { id } }`, { id }),
    ).rejects.toBeRefused('NOT_FOUND')
  await expect(
    askBy(admin, personalKey, `query ($id: ID!) { node(id: $id) { id } }`, { id: admin.sessionId }),
  ).rejects.toBeRefused('NOT_FOUND')
})
