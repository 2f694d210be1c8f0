import { afterAll, beforeAll, expect, test } from 'vitest'
import { mailsTo, linkIn } from '../support/mailbox.ts'
import { freshEmail, operator, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

test('the first operator signs in and administers the first organisation', async () => {
  const first = await operator(server)
  const { viewer, me } = await first.ask(
    `{ viewer { operator principal { name role { name } } organisation { name } permissions { name } } me { email memberships { nodes { role { name } } } } }`,
  )
  expect(viewer.operator).toBe(true)
  expect(viewer.principal.role.name).toBe('Administrator')
  expect(viewer.permissions).toHaveLength(9)
  expect(me.email).toBe('operator@localhost.test')
})

test('a colleague is added, mailed, accepts, and cannot do what their role does not hold', async () => {
  const email = freshEmail('colleague')
  const { addMember } = await admin.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id userId status email role { name } invitation { status } } invitationUrl } }`,
    { input: { email: email.toUpperCase(), firstName: 'Ann', lastName: 'Lee' } },
  )
  expect(addMember.member).toMatchObject({
    userId: null,
    status: 'INVITED',
    email,
    role: { name: 'Member' },
    invitation: { status: 'SENT' },
  })
  expect(addMember.invitationUrl).toBeNull()
  const [mail] = await mailsTo(server, email)
  expect(mail!.subject).toContain('Organisation admin')
  expect(linkIn(mail!)).toMatch(new RegExp(`^${server.url}/accept-invitation\\?token=`))

  const colleague = await admin.bring('Member')
  const { me, viewer } = await colleague.ask(`{ me { name } viewer { permissions { name } } }`)
  expect(me.name).toBe('Ann Lee')
  expect(viewer.permissions).toEqual([{ name: 'viewUser' }])
  await expect(
    colleague.ask(`mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, {
      id: admin.memberId,
    }),
  ).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  const again = await signIn(server, colleague.email)
  expect(again.organisationId).toBe(admin.organisationId)
})
