import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digest } from '../../src/shared/tokens.ts'
import { MOST_ADDITIONS_AN_HOUR } from '../../src/flows/members/additions.ts'
import { ask } from '../support/client.ts'
import { mailsTo } from '../support/mailbox.ts'
import {
  accept,
  freshEmail,
  mailedToken,
  newcomer,
  operator,
  organisation,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { act, createProject, holder } from '../tenancy/verbs.ts'

let server: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

const INVITE = `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { id userId status email name externalId role { name }
  projectAccess { nodes { project { id } } } invitation { id status message expiresAt inviter { id } } } } }`
const invite = async (input: Record<string, unknown> = {}, by = admin) =>
  (await by.ask(INVITE, { input: { email: freshEmail('guest'), ...input } })).inviteMember.member
const ACCEPT = `mutation ($t: String!) { acceptInvitation(input: { token: $t }) { member { id status } } }`

test('a person is asked by address alone, and nothing is granted until they accept', async () => {
  const project = await createProject(admin)
  const { Viewer } = await admin.roles()
  const email = freshEmail('guest')
  const member = await invite({
    email,
    message: 'Welcome aboard.\nSee you on Monday & <b>bring cake</b>.',
    externalId: 'HR-9',
    projectAccess: [{ projectId: project.id, roleId: Viewer }],
  })
  expect(member).toMatchObject({
    userId: null,
    status: 'INVITED',
    name: email.split('@')[0],
    externalId: 'HR-9',
    role: { name: 'Member' },
    projectAccess: { nodes: [{ project: { id: project.id } }] },
    invitation: {
      status: 'SENT',
      message: 'Welcome aboard.\nSee you on Monday & <b>bring cake</b>.',
      inviter: { id: admin.memberId },
    },
  })
  const [mail] = await mailsTo(server, email)
  expect(mail!.text).toContain('“Welcome aboard.')
  expect(mail!.text).toContain('See you on Monday & <b>bring cake</b>.”')
  expect(mail!.html).toContain('See you on Monday &amp; &lt;b&gt;bring cake&lt;/b&gt;.')
  const person = await accept(server, await mailedToken(server, email))
  expect(person.memberId).toBe(member.id)

  // sent again, it carries the same words
  const second = await invite({ message: 'Please come.' })
  await act(admin, 'resendInvitation', second.invitation.id)
  expect((await mailsTo(server, second.email, 2))[0]!.text).toContain('“Please come.”')
})

test('somebody whose account is proven is asked too, instead of joining at once', async () => {
  const person = await newcomer(neighbour)
  const member = await invite({ email: person.email, firstName: 'Typed' })
  expect(member).toMatchObject({ status: 'INVITED', userId: null, name: 'Typed' })
  await expect(person.switchTo(admin.organisationId)).rejects.toBeRefused('NOT_FOUND')
  const token = await mailedToken(server, person.email)
  await expect(ask(server.url, ACCEPT, { t: token })).rejects.toBeRefused('UNAUTHENTICATED')
  const { acceptInvitation } = await person.ask(ACCEPT, { t: token })
  expect(acceptInvitation.member).toEqual({ id: member.id, status: 'ACTIVE' })
  await person.switchTo(admin.organisationId)
})

test('what is no message, expiry, address or role is refused by field', async () => {
  const inHours = (hours: number) =>
    new Date(server.clock.now().getTime() + hours * 3_600_000).toISOString()
  const faults: [string, unknown, string][] = [
    ['message', 'x'.repeat(1_001), 'OUT_OF_RANGE'],
    ['message', 'a\u0000b', 'INVALID_FORMAT'],
    ['message', 'a\u202eb', 'INVALID_FORMAT'],
    ['message', 'Claim at https://evil.example', 'INVALID_FORMAT'],
    ['message', 'Claim at www.evil.example', 'INVALID_FORMAT'],
    ['expiresAt', inHours(0.9), 'OUT_OF_RANGE'],
    ['expiresAt', inHours(-5), 'OUT_OF_RANGE'],
    ['expiresAt', inHours(24 * 90 + 1), 'OUT_OF_RANGE'],
    ['firstName', 'a\nb', 'INVALID_FORMAT'],
    ['externalId', 'a\nb', 'INVALID_FORMAT'],
    ['roleId', (await admin.roles()).Viewer, 'ROLE_LEVEL_MISMATCH'],
  ]
  for (const [field, value, reason] of faults)
    await expect(invite({ [field]: value }), `${field} ${String(value)}`).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      reason,
      extensions: { fields: [{ path: ['input', field] }] },
    })
  const expiresAt = inHours(2)
  const { email, invitation } = await invite({ expiresAt })
  expect(invitation.expiresAt).toBe(expiresAt)
  await expect(invite({ email })).rejects.toBeRefused('CONFLICT', 'ALREADY_EXISTS')
  await expect(invite({ email: admin.email })).rejects.toBeRefused('CONFLICT', 'ALREADY_EXISTS')
})

test('inviting is for those who manage people, within what they hold', async () => {
  const document = `mutation { inviteMember(input: { email: "a@example.com" }) { member { id } } }`
  await expect(ask(server.url, document)).rejects.toBeRefused('UNAUTHENTICATED')
  const plain = await newcomer(admin)
  await expect(plain.ask(document)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  const clerk = await holder(admin, ['manageUser'])
  const { Administrator } = await admin.roles()
  await expect(invite({ roleId: Administrator }, clerk)).rejects.toBeRefused(
    'FORBIDDEN',
    'EXCEEDS_OWN_PERMISSIONS',
  )
  await expect(invite({ roleId: (await neighbour.roles()).Member })).rejects.toBeRefused(
    'NOT_FOUND',
  )
})

test('twenty invitations of one address at once leave one', async () => {
  const email = freshEmail('twenty')
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => invite({ email })))
  expect(outcomes.filter(each => each.status === 'fulfilled')).toHaveLength(1)
  for (const outcome of outcomes)
    if (outcome.status === 'rejected')
      expect(outcome.reason).toBeRefused('CONFLICT', 'ALREADY_EXISTS')
  expect(await mailsTo(server, email)).toHaveLength(1)
})

describe('open invitations to oneself', () => {
  const MINE = `{ me { invitations { totalCount nodes { id email status message expiresAt organisation { id name } inviter { id }
    member { id status role { name } permissions { name } projectAccess { totalCount } } } } } }`
  const mine = async (by: Person) => (await by.ask(MINE)).me.invitations

  test('are listed while they are open, with the organisation and what is offered', async () => {
    const person = await newcomer(neighbour)
    expect((await mine(person)).nodes).toEqual([])
    const member = await invite({ email: person.email, message: 'Do come.' })
    await invite()
    const { nodes, totalCount } = await mine(person)
    expect(totalCount).toBe(1)
    expect(nodes[0]).toMatchObject({
      id: member.invitation.id,
      email: person.email,
      status: 'SENT',
      message: 'Do come.',
      organisation: { id: admin.organisationId },
      // who invited is a member there, whom they may not see yet
      inviter: null,
      member: { id: member.id, status: 'INVITED', role: { name: 'Member' } },
    })
    // an operator who looks at the person sees them too
    const op = await operator(server)
    const { platform } = await op.ask(
      `query ($id: ID!) { platform { user(id: $id) { invitations { nodes { id } } } } }`,
      { id: person.userId },
    )
    expect(platform.user.invitations.nodes).toEqual([{ id: member.invitation.id }])
    await act(admin, 'revokeInvitation', member.invitation.id)
    expect((await mine(person)).nodes).toEqual([])

    const short = new Date(server.clock.now().getTime() + 2 * 3_600_000)
    await invite({ email: person.email, expiresAt: short.toISOString() })
    expect((await mine(person)).totalCount).toBe(1)
    server.clock.advance({ hours: 2, seconds: 1 })
    expect((await mine(await signIn(server, person.email))).totalCount).toBe(0)
    admin = await signIn(server, admin.email)
    neighbour = await signIn(server, neighbour.email)
  })

  test('are hidden from an account that never proved the address', async () => {
    const email = freshEmail('squatter')
    const { addMember } = await neighbour.ask(
      `mutation ($input: AddMemberInput!) { addMember(input: $input) { invitationUrl } }`,
      { input: { email, firstName: 'A', lastName: 'B', sendInvitation: false } },
    )
    const token = new URL(addMember.invitationUrl).searchParams.get('token')!
    const squatter = await accept(server, token)
    await invite({ email })
    expect(await mine(squatter)).toEqual({ totalCount: 0, nodes: [] })
    await server.database.owner(
      `update user_account set email_verified_at = now(), proven_at = now() where id = $1`,
      [squatter.userId],
    )
    expect((await mine(squatter)).totalCount).toBe(1)
  })
})

describe('people added in an hour', () => {
  const used = (count: number, by: Person) =>
    server.database.owner(
      `insert into attempt (key, count, forgotten_at) values ($1, $2, $3)
       on conflict (key) do update set count = excluded.count, forgotten_at = excluded.forgotten_at`,
      [
        digest(`additions to ${by.organisationId}`),
        count,
        new Date(server.clock.now().getTime() + 1_800_000),
      ],
    )

  test('are limited for each organisation, and only those who were added count', async () => {
    const here = await organisation(server)
    await used(MOST_ADDITIONS_AN_HOUR - 2, here)
    await expect(invite({ email: here.email }, here)).rejects.toBeRefused('CONFLICT')
    await invite({}, here)
    await here.add()
    for (const again of [() => invite({}, here), () => here.add()]) {
      const refusal = await again().catch(error => error)
      expect(refusal).toBeRefused('RATE_LIMITED')
      expect(refusal.extensions.retryAfter).toBeGreaterThan(1_700)
      expect(refusal.extensions.retryAfter).toBeLessThanOrEqual(1_800)
    }
    await invite({}, admin)
    server.clock.advance({ minutes: 31 })
    await invite({}, await signIn(server, here.email))
  })

  test('are counted right when they are added at once', async () => {
    const here = await organisation(server)
    await used(MOST_ADDITIONS_AN_HOUR - 5, here)
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => invite({}, here)))
    expect(outcomes.filter(each => each.status === 'fulfilled')).toHaveLength(5)
  })
})

test('an invitation lasts as long as the organisation says, and so does one that is sent again', async () => {
  const there = await organisation(server)
  const last = (invitationLifetimeHours: number) =>
    there.ask(
      `mutation ($input: UpdateOrganisationSettingsInput!) { updateOrganisationSettings(input: $input) { __typename } }`,
      { input: { invitationLifetimeHours } },
    )
  const hours = (invitation: { expiresAt: string }) =>
    (Date.parse(invitation.expiresAt) - server.clock.now().getTime()) / 3_600_000
  for (const outside of [0, 2_161])
    await expect(last(outside)).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
  const { invitation } = await invite({}, there)
  expect(hours(invitation)).toBeCloseTo(168, 1)

  await last(1)
  const email = freshEmail('brief')
  expect(hours((await invite({ email }, there)).invitation)).toBeCloseTo(1, 1)
  const RESEND = `mutation ($id: ID!) { resendInvitation(id: $id) { invitation { expiresAt } } }`
  const { resendInvitation } = await there.ask(RESEND, { id: invitation.id })
  expect(hours(resendInvitation.invitation)).toBeCloseTo(1, 1)
  const row = { email: freshEmail('brief'), firstName: 'A', lastName: 'B' }
  const added = await there.ask(
    `mutation ($rows: [AddMemberInput!]!) { addMembers(rows: $rows) { results { member { invitation { expiresAt } } } } }`,
    { rows: [row] },
  )
  expect(hours(added.addMembers.results[0].member.invitation)).toBeCloseTo(1, 1)

  const token = await mailedToken(server, email)
  server.clock.advance({ minutes: 61 })
  await expect(ask(server.url, ACCEPT, { t: token })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'TOKEN_INVALID',
  )
})
