import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, Refusal } from '../support/client.ts'
import { mailsSoFar } from '../support/mailbox.ts'
import {
  accept,
  invite,
  mailedToken,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const PREVIEW = `query ($token: String!) { invitationPreview(token: $token) { organisationName inviterName email expiresAt signInRequired } }`
const DECLINE = `mutation ($token: String!) { declineInvitation(token: $token) { email } }`
const RESEND = `mutation ($id: ID!, $sendMail: Boolean! = true) { resendInvitation(id: $id, sendMail: $sendMail) {
  invitation { id status inviter { id } member { id } } invitationUrl } }`
const REVOKE = `mutation ($id: ID!) { revokeInvitation(id: $id) { invitation { status member { removedAt } } } }`
const ACCEPT = `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { member { id } signIn { accessToken } } }`

const preview = async (token: string) =>
  (await ask(server.url, PREVIEW, { token })).invitationPreview

/** Every way to use a link answers alike, and tells nothing but that it does not hold. */
async function expectDead(token: string) {
  const newAccount = { firstName: 'A', lastName: 'B', password: PASSWORD }
  const tries: [string, Record<string, unknown>][] = [
    [PREVIEW, { token }],
    [DECLINE, { token }],
    [ACCEPT, { input: { token, newAccount } }],
  ]
  for (const [document, variables] of tries) {
    const refusal = await ask(server.url, document, variables).catch(error => error)
    expect(refusal).toBeInstanceOf(Refusal)
    expect(refusal).toMatchObject({
      code: 'BAD_USER_INPUT',
      reason: 'TOKEN_INVALID',
      message:
        'BAD_USER_INPUT/TOKEN_INVALID: This link or token is wrong, spent, replaced or too old. Ask for a new one.',
    })
  }
}

describe('a link', () => {
  test('may be looked at as often as one likes', async () => {
    const { email, token } = await invite(admin)
    for (let look = 0; look < 5; look += 1)
      expect(await preview(token)).toMatchObject({
        email,
        inviterName: 'Ann Lee',
        signInRequired: false,
      })
    await fetch(`${server.url}/accept-invitation?token=${token}`)
    expect((await accept(server, token)).email).toBe(email)
  })

  test('lets one of twenty in who come at once', async () => {
    const { email, token } = await invite(admin)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => accept(server, token)),
    )
    const refused = outcomes.flatMap(outcome =>
      outcome.status === 'rejected' ? [outcome.reason] : [],
    )
    expect(refused).toHaveLength(19)
    for (const refusal of refused)
      expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'TOKEN_INVALID' })
    const [sessions] = await server.database.owner(
      `select count(*)::int as count from session s join user_account u on u.id = s.user_id where u.email = $1`,
      [email],
    )
    expect(sessions!.count).toBe(1)
  })

  test('that is spent, declined, revoked, replaced, too old or made up is refused in the same words', async () => {
    const spent = await invite(admin)
    await accept(server, spent.token)
    const declined = await invite(admin)
    expect(await ask(server.url, DECLINE, { token: declined.token })).toEqual({
      declineInvitation: { email: declined.email },
    })
    const revoked = await invite(admin)
    await admin.ask(REVOKE, { id: revoked.id })
    const removed = await invite(admin)
    await admin.ask(`mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`, {
      id: removed.memberId,
    })
    const replaced = await invite(admin)
    await admin.ask(RESEND, { id: replaced.id })
    for (const { token } of [spent, declined, revoked, removed, replaced]) await expectDead(token)
    const live = await mailedToken(server, replaced.email, 2)
    for (const token of [
      '',
      'x',
      '\u0000',
      `${live}x`,
      live.slice(1),
      live.toLowerCase(),
      'a'.repeat(50_000),
      admin.refreshToken,
    ])
      await expectDead(token)
    expect((await accept(server, live)).memberId).toBe(replaced.memberId)
  })

  test('runs out, is not mailed any more then, and revives by being sent again', async () => {
    const late = await organisation(server)
    const { email, id, token } = await invite(late)
    server.clock.advance({ days: 7, seconds: 1 })
    await expectDead(token)
    // the queue delivers late, as after an outage of the mail server
    const [job] = await server.database.owner(
      `update pgboss.job set state = 'retry', completed_on = null, start_after = now() where id = (
        select id from pgboss.job where name = 'mail' order by created_on desc, id desc limit 1) returning id`,
    )
    expect(job).toBeDefined()
    expect(await mailsSoFar(server, email)).toHaveLength(1)
    expect(
      server.log.some(
        line => line.includes('a mail was not sent') && line.includes(String(job!.id)),
      ),
    ).toBe(true)

    const again = await signIn(server, late.email)
    const { organisation: place } = await again.ask(
      `{ organisation { invitations(filter: { status: [EXPIRED] }) { totalCount nodes { id status } } } }`,
    )
    expect(place.invitations).toEqual({ totalCount: 1, nodes: [{ id, status: 'EXPIRED' }] })
    await again.ask(RESEND, { id })
    expect((await accept(server, await mailedToken(server, email, 2))).email).toBe(email)
    admin = await signIn(server, admin.email)
  })

  test('is not used up by a password or name that will not do', async () => {
    const { token } = await invite(admin)
    const attempt = (newAccount: unknown) =>
      ask(server.url, ACCEPT, { input: { token, newAccount } })
    const names = { firstName: 'Ann', lastName: 'Lee' }
    await expect(attempt(null)).rejects.toBeRefused('BAD_USER_INPUT', 'REQUIRED')
    await expect(attempt({ ...names, password: 'short' })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'PASSWORD_TOO_SHORT',
    )
    await expect(attempt({ ...names, password: 'x'.repeat(257) })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'OUT_OF_RANGE',
    )
    await expect(attempt({ ...names, firstName: 'a\nb', password: PASSWORD })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'INVALID_FORMAT',
    )
    await accept(server, token)
  })
})

test('declining or revoking takes the waiting membership away and keeps the history', async () => {
  const { email, id } = await invite(admin)
  const { revokeInvitation } = await admin.ask(REVOKE, { id })
  expect(revokeInvitation.invitation).toMatchObject({
    status: 'REVOKED',
    member: { removedAt: expect.any(String) },
  })
  await expect(admin.ask(REVOKE, { id })).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  await expect(admin.ask(RESEND, { id })).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  await admin.add({ email })
  await ask(server.url, DECLINE, { token: await mailedToken(server, email, 2) })
  await admin.add({ email, sendInvitation: false })
  const { organisation: place } = await admin.ask(
    `query ($e: [EmailAddress!]) { organisation { invitations(filter: { emails: $e }) { nodes { status } } members(filter: { emails: $e }) { totalCount } } }`,
    { e: [email] },
  )
  expect(place.invitations.nodes.map((node: { status: string }) => node.status)).toEqual([
    'SENT',
    'DECLINED',
    'REVOKED',
  ])
  expect(place.members.totalCount).toBe(1)
  const many = Array.from({ length: 501 }, (_, index) => `a${index}@example.com`)
  const list = `query ($e: [EmailAddress!]) { organisation { invitations(filter: { emails: $e }) { totalCount } } }`
  await expect(admin.ask(list, { e: many })).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
})

test('previewing and accepting go together with reads in one document', async () => {
  const { token } = await invite(admin)
  const reads = `organisation { members { totalCount } }`
  await admin.ask(
    `query ($t: String!) { a: ${reads} b: invitationPreview(token: $t) { email } c: ${reads} d: invitationPreview(token: $t) { email } }`,
    { t: token },
  )
  const { b } = await admin.ask(
    `mutation ($t: String!) { a: updateOrganisation(input: {}) { ${reads} }
      b: acceptInvitation(input: { token: $t, newAccount: { firstName: "A", lastName: "B", password: "${PASSWORD}" } }) { member { status } } }`,
    { t: token },
  )
  expect(b.member.status).toBe('ACTIVE')
})
