import { digest } from '../../src/shared/tokens.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKey, createServiceAccount } from '../credentials/keys.ts'
import { ask } from '../support/client.ts'
import { requestReset, reset, resetToken, magicToken, mailedLink } from '../support/links.ts'
import { mailsSoFar, mailsTo, tokenIn } from '../support/mailbox.ts'
import {
  freshEmail,
  invite,
  newcomer,
  organisation,
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

const request = (person: Person, email: string) =>
  person.ask(`mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`, {
    email,
  })
const confirm = (person: Person, token: string) =>
  person.ask(`mutation ($token: String!) { confirmEmailChange(token: $token) { email } }`, {
    token,
  })
const cancel = (person: Person) =>
  person.ask(`mutation { cancelEmailChange { user { email pendingEmail } } }`)
const me = async (person: Person) =>
  (await person.ask(`{ me { email pendingEmail emailVerifiedAt } }`)).me
const emails = (userId: string) =>
  server.database.owner(`select email from principal where user_id = $1 order by id`, [userId])

/** Asks for a change and brings the token that was mailed to the new address. */
const changeToken = async (person: Person, email: string) =>
  tokenIn(await mailedLink(server, email, () => request(person, email)))

test('an account moves once the new address is confirmed in its session, and every membership follows', async () => {
  const person = await newcomer(admin)
  const other = await organisation(server)
  await other.add({ email: person.email })
  const elsewhere = await signIn(server, person.email)
  const before = person.email
  const email = freshEmail('moved')
  const pending = await resetToken(server, before)

  const token = await changeToken(person, email)
  expect(await me(person)).toMatchObject({ email: before, pendingEmail: email })
  expect(await confirm(person, token)).toEqual({ confirmEmailChange: { email } })

  expect(await me(person)).toMatchObject({
    email,
    pendingEmail: null,
    emailVerifiedAt: expect.any(String),
  })
  await elsewhere.ask('{ me { id } }')
  expect(await emails(person.userId)).toEqual([{ email }, { email }])
  const { organisation: found } = await other.ask(
    `query ($search: String) { organisation { members(search: $search) { nodes { email } } } }`,
    { search: 'moved' },
  )
  expect(found.members.nodes).toEqual([{ email }])
  await expect(signIn(server, before)).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
  await signIn(server, email)
  await expect(reset(server, pending)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  await expect(confirm(person, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  const notices = await mailsSoFar(server, before)
  expect(notices.map(({ subject }) => subject)).toEqual(
    expect.arrayContaining([
      'Your email address is to be changed',
      'Your email address was changed',
    ]),
  )
})

test('the link alone moves nothing: it takes a session of that very account, and not one of a single organisation', async () => {
  const person = await newcomer(admin)
  const token = await changeToken(person, freshEmail())
  await expect(confirm(await newcomer(admin), token)).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'TOKEN_INVALID',
  )
  const confined = await signIn(server, person.email)
  await server.database.owner('update session set confined_to_id = organisation_id where id = $1', [
    confined.sessionId,
  ])
  await expect(confirm(confined, token)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await expect(request(confined, freshEmail())).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await expect(cancel(confined)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await confirm(person, token)
})

test('asking takes a recent sign-in', async () => {
  const person = await newcomer(admin)
  await server.database.owner(
    `update session set authenticated_at = now() - interval '1 hour' where id = $1`,
    [person.sessionId],
  )
  await expect(request(person, freshEmail())).rejects.toBeRefused('STEP_UP_REQUIRED')
})

test('an address that was never proven is not left for another', async () => {
  const person = await newcomer(admin)
  await server.database.owner(
    'update user_account set email_verified_at = null, proven_at = null where id = $1',
    [person.userId],
  )
  // the organisation vouches for it, so the session owes nothing
  expect((await person.ask(`{ viewer { session { tasks } } }`)).viewer.session.tasks).toEqual([])
  const email = freshEmail()
  await expect(request(person, email)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  expect(await mailsSoFar(server, email)).toEqual([])
})

test('nobody has more mails sent to an address than strangers may', async () => {
  const person = await newcomer(admin)
  const email = freshEmail('pestered')
  for (let count = 0; count < 10; count += 1) await request(person, email)
  await expect(request(person, email)).rejects.toBeRefused('RATE_LIMITED')
  await expect(requestReset(server, email)).rejects.toBeRefused('RATE_LIMITED')
})

test('a taken address shows neither when asked for nor when confirmed; its owner is told', async () => {
  const person = await newcomer(admin)
  const owner = await newcomer(admin)
  expect(await request(person, owner.email)).toEqual({ requestEmailChange: { email: owner.email } })
  expect(await me(person)).toMatchObject({ pendingEmail: owner.email })
  const [notice] = await mailsTo(server, owner.email)
  expect(notice!.subject).toBe('You have an account already')
  expect(notice!.text).not.toContain('http')

  const email = freshEmail()
  const token = await changeToken(person, email)
  const late = await newcomer(admin, { email })
  await expect(confirm(person, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  expect(await me(late)).toMatchObject({ email })
})

test('two who confirm the same address at once: one account has it', async () => {
  const email = freshEmail()
  const movers = [
    await newcomer(admin),
    await newcomer(admin),
    await newcomer(await organisation(server)),
  ]
  const tokens: string[] = []
  for (const mover of movers) tokens.push(await changeToken(mover, email))
  const tries = await Promise.allSettled(
    movers.map((mover, index) => confirm(mover, tokens[index]!)),
  )
  expect(tries.filter(each => each.status === 'fulfilled')).toHaveLength(1)
  for (const each of tries)
    if (each.status === 'rejected')
      expect(each.reason).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'TOKEN_INVALID' })
})

test('the same link, brought many times at once, is taken once', async () => {
  const person = await newcomer(admin)
  const token = await changeToken(person, freshEmail())
  const tries = await Promise.allSettled(Array.from({ length: 20 }, () => confirm(person, token)))
  expect(tries.filter(each => each.status === 'fulfilled')).toHaveLength(1)
})

test('a change that was called off, or replaced, is not confirmed any more', async () => {
  const person = await newcomer(admin)
  const first = await changeToken(person, freshEmail())
  const second = await changeToken(person, freshEmail())
  await expect(confirm(person, first)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  const { cancelEmailChange } = await cancel(person)
  expect(cancelEmailChange.user).toEqual({ email: person.email, pendingEmail: null })
  await expect(confirm(person, second)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  await cancel(person)
})

test('a changed password calls a pending change off', async () => {
  const person = await newcomer(admin)
  const token = await changeToken(person, freshEmail())
  await reset(server, await resetToken(server, person.email))
  const again = await signIn(server, person.email, 'quite another kettle of herring')
  await expect(confirm(again, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  expect(await me(again)).toMatchObject({ pendingEmail: null })
})

test('an invitation of the new address, where the person is a member already, is turned down', async () => {
  const person = await newcomer(admin)
  const email = freshEmail()
  const invited = await invite(admin, { email })
  const [first] = await mailsSoFar(server, email)
  const token = await changeToken(person, email)
  expect(first).toBeDefined()
  await confirm(person, token)
  const { organisation: own } = await admin.ask(
    `query ($id: ID!) { organisation { member(id: $id) { email } invitations(first: 100) { nodes { id status } } } }`,
    { id: person.memberId },
  )
  expect(own.member.email).toBe(email)
  expect(own.invitations.nodes).toContainEqual({ id: invited.id, status: 'DECLINED' })
})

test("one's own address is no change", async () => {
  const person = await newcomer(admin)
  await expect(request(person, person.email.toUpperCase())).rejects.toBeRefused(
    'CONFLICT',
    'STATE_MISMATCH',
  )
})

describe('an administrator who changes a login', () => {
  const UPDATE = `mutation ($id: ID!, $input: UpdateMemberInput!) {
    updateMember(id: $id, input: $input) { member { email viewerCanChangeEmail role { name } } } }`
  const edit = (by: Person, id: string, email: string | null, more = {}) =>
    by.ask(UPDATE, { id, input: { email, ...more } })
  const can = async (by: Person, id: string) =>
    (
      await by.ask(
        `query ($id: ID!) { organisation { member(id: $id) { viewerCanChangeEmail } } }`,
        { id },
      )
    ).organisation.member.viewerCanChangeEmail

  test('changes it at once; the password works with it, both addresses are told, and earlier links die', async () => {
    const person = await newcomer(admin)
    const pending = await resetToken(server, person.email)
    const change = await changeToken(person, freshEmail())
    const email = freshEmail('edited')
    expect(await can(admin, person.memberId)).toBe(true)
    const { updateMember } = await edit(admin, person.memberId, email)
    expect(updateMember.member).toMatchObject({ email, viewerCanChangeEmail: true })

    expect(await me(await signIn(server, email))).toMatchObject({ email, emailVerifiedAt: null })
    await expect(signIn(server, person.email)).rejects.toBeRefused('UNAUTHENTICATED')
    await expect(reset(server, pending)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
    await expect(confirm(person, change)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
    expect((await mailsTo(server, person.email, 3))[0]!.subject).toBe(
      'An administrator changed your login',
    )
    expect((await mailsTo(server, email))[0]!.subject).toBe('Confirm your email address')
    const { organisation: found } = await admin.ask(
      `query { organisation { members(search: "edited") { nodes { email } } } }`,
    )
    expect(found.members.nodes).toContainEqual({ email })
  })

  test('gets no way in by it: no link opens the account before its owner has confirmed', async () => {
    const person = await newcomer(admin)
    const email = freshEmail('trap')
    await edit(admin, person.memberId, email)
    const [mail] = await mailsTo(server, email)
    const token = tokenIn(/https?:\/\/\S+/.exec(mail!.text)![0])
    const verify = (by?: Person) =>
      (by ?? admin).ask(
        `mutation ($token: String!) { verifyEmail(input: { token: $token, password: "a password of somebody else" }) { email } }`,
        { token },
      )
    await expect(verify()).rejects.toBeRefused('BAD_USER_INPUT', 'POLICY_FORBIDS')
    await expect(
      admin.ask(`mutation ($token: String!) { verifyEmail(input: { token: $token }) { email } }`, {
        token,
      }),
    ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    await requestReset(server, email)
    expect(await mailsSoFar(server, email)).toHaveLength(1)
    await person.ask(
      `mutation ($token: String!) { verifyEmail(input: { token: $token }) { email } }`,
      { token },
    )
    await magicToken(server, email)
  })

  test('gets none by an invitation from elsewhere either, nor where the account was never proven', async () => {
    const elsewhere = await organisation(server)
    for (const proven of [true, false]) {
      const person = await newcomer(admin)
      if (!proven)
        await server.database.owner(
          'update user_account set email_verified_at = null, proven_at = null where id = $1',
          [person.userId],
        )
      const email = freshEmail('trap')
      await edit(admin, person.memberId, email)
      const { token } = await invite(elsewhere, { email })
      await expect(
        admin.ask(
          `mutation ($token: String!) { acceptInvitation(input: { token: $token,
            newAccount: { firstName: "Eve", lastName: "", password: "a password of somebody else" } }) { signIn { accessToken } } }`,
          { token },
        ),
      ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
      await requestReset(server, email)
      expect(await mailsSoFar(server, email)).toHaveLength(2)
      await signIn(server, email)
    }
  })

  test('must leave shared accounts, operators, the invited and themselves alone', async () => {
    const shared = await newcomer(admin)
    await (await organisation(server)).add({ email: shared.email })
    const operator = await newcomer(admin)
    await server.database.owner('update user_account set operator = true where id = $1', [
      operator.userId,
    ])
    for (const { memberId } of [shared, operator]) {
      expect(await can(admin, memberId)).toBe(false)
      await expect(edit(admin, memberId, freshEmail())).rejects.toBeRefused(
        'FORBIDDEN',
        'SHARED_ACCOUNT',
      )
    }
    const { memberId } = await invite(admin)
    expect(await can(admin, memberId)).toBe(false)
    await expect(edit(admin, memberId, freshEmail())).rejects.toBeRefused(
      'CONFLICT',
      'STATE_MISMATCH',
    )
    expect(await can(admin, admin.memberId)).toBe(false)
    await expect(edit(admin, admin.memberId, freshEmail())).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
  })

  test('needs to manage people, and to be above the member', async () => {
    const person = await newcomer(admin)
    await expect(edit(await newcomer(admin), person.memberId, freshEmail())).rejects.toBeRefused(
      'FORBIDDEN',
      'PERMISSION_MISSING',
    )
    await expect(
      edit(await organisation(server), person.memberId, freshEmail()),
    ).rejects.toBeRefused('NOT_FOUND')
    await admin.role('Helpdesk', ['manageUser', 'viewUser'])
    const helper = await newcomer(admin, { roleId: (await admin.roles()).Helpdesk })
    const above = await newcomer(admin, { roleId: (await admin.roles()).Administrator })
    await expect(edit(helper, above.memberId, freshEmail())).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
    expect(await can(helper, above.memberId)).toBe(false)
  })

  test('needs a session: no key edits a login, alone or in bulk', async () => {
    const person = await newcomer(admin)
    const machine = await createServiceAccount(admin, ['manageUser', 'viewUser'])
    const { secret } = await createKey(admin, machine, ['manageUser', 'viewUser'])
    const byKey = (document: string, variables: Record<string, unknown>) =>
      ask(server.url, document, variables as never, { authorization: `Bearer ${secret}` })
    await byKey(UPDATE, { id: person.memberId, input: { firstName: 'Bo' } })
    const input = { email: freshEmail() }
    await expect(byKey(UPDATE, { id: person.memberId, input })).rejects.toBeRefused(
      'FORBIDDEN',
      'KEY_NOT_ALLOWED',
    )
    const { updateMembers } = await byKey(
      `mutation ($rows: [UpdateMemberRow!]!) { updateMembers(rows: $rows, onError: CONTINUE) { results { problem { code reason } } } }`,
      { rows: [{ id: person.memberId, input }] },
    )
    expect(updateMembers.results).toEqual([
      { problem: { code: 'FORBIDDEN', reason: 'KEY_NOT_ALLOWED' } },
    ])
    await signIn(server, person.email)
  })

  test('edits so many an hour, and no more', async () => {
    const host = await organisation(server)
    const person = await newcomer(host)
    await server.database.owner(
      `insert into attempt (key, count, forgotten_at) values ($1, 999, now() + interval '1 hour')`,
      [digest(`login edits of ${host.organisationId}`)],
    )
    await edit(host, person.memberId, freshEmail())
    await expect(edit(host, person.memberId, freshEmail())).rejects.toBeRefused('RATE_LIMITED')
    await host.ask(UPDATE, { id: person.memberId, input: { firstName: 'Bo' } })
  })

  test('cannot take an address that is in use, or of another mail domain, or none', async () => {
    const person = await newcomer(admin)
    const other = await newcomer(admin)
    const foreign = await organisation(server)
    for (const email of [other.email, foreign.email])
      await expect(edit(admin, person.memberId, email)).rejects.toBeRefused(
        'CONFLICT',
        'ALREADY_EXISTS',
      )
    await expect(edit(admin, person.memberId, null)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'REQUIRED',
    )
    const strict = await organisation(server)
    const member = await newcomer(strict)
    await server.database.owner(
      `update organisation set allowed_email_domains = '{acme.example}' where id = $1`,
      [strict.organisationId],
    )
    await expect(edit(strict, member.memberId, freshEmail())).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
  })

  test('may change the role with it, and many at once leave one login', async () => {
    const person = await newcomer(admin)
    const { Administrator } = await admin.roles()
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, () =>
        edit(admin, person.memberId, freshEmail('raced'), { roleId: Administrator }),
      ),
    )
    expect(tries.every(each => each.status === 'fulfilled')).toBe(true)
    const [account] = await server.database.owner('select email from user_account where id = $1', [
      person.userId,
    ])
    expect(await emails(person.userId)).toEqual([account])
  })

  test('may do so in bulk, each row as a whole or not at all', async () => {
    const [free, shared, clash] = [
      await newcomer(admin),
      await newcomer(admin),
      await newcomer(admin),
    ]
    await (await organisation(server)).add({ email: shared.email })
    await admin.add({ externalId: 'taken' })
    const [first, second, third] = [freshEmail('bulk'), freshEmail('bulk'), freshEmail('bulk')]
    const { updateMembers } = await admin.ask(
      `mutation ($rows: [UpdateMemberRow!]!) { updateMembers(rows: $rows, onError: CONTINUE) {
        succeeded failed results { member { email } problem { code reason path } } } }`,
      {
        rows: [
          { id: free.memberId, input: { email: first } },
          { id: shared.memberId, input: { email: second } },
          { id: clash.memberId, input: { email: third, externalId: 'taken' } },
        ],
      },
    )
    expect(updateMembers).toMatchObject({
      succeeded: 1,
      failed: 2,
      results: [
        { member: { email: first }, problem: null },
        { problem: { code: 'FORBIDDEN', reason: 'SHARED_ACCOUNT' } },
        { problem: { code: 'CONFLICT', reason: 'ALREADY_EXISTS' } },
      ],
    })
    await signIn(server, first)
    await signIn(server, clash.email)
    expect(await mailsSoFar(server, third)).toEqual([])
  })
})
