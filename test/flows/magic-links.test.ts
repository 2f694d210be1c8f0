import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  mailedLink,
  magicSignIn,
  magicToken,
  openProject,
  requestMagicLink,
  reset,
  resetToken,
  signUp,
  verify,
} from '../support/links.ts'
import { mailsSoFar, tokenIn } from '../support/mailbox.ts'
import { enrol } from '../support/authenticator.ts'
import { ask } from '../support/client.ts'
import {
  freshEmail,
  newcomer,
  organisation,
  PASSWORD,
  Person,
  SESSION,
  signIn,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

const PAGE = 'https://shop.example/enter?from=mail#top'
let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const pageFor = (by: Person) => openProject(by, {}, { signInUrl: PAGE })

/** A member who can enter a project. */
async function memberOf(by: Person, projectId: string): Promise<Person> {
  return newcomer(by, { projectAccess: [{ projectId, roleId: (await by.roles()).Viewer }] })
}

test('a mailed link signs in', async () => {
  const { email } = await newcomer(admin)
  const link = await mailedLink(server, email, () => requestMagicLink(server, email))
  expect(link.startsWith(`${server.app.node.server.config.PUBLIC_URL}/magic-link?token=`)).toBe(
    true,
  )
  const person = await magicSignIn(server, tokenIn(link))
  expect(person.organisationId).toBe(admin.organisationId)
  const { me } = await person.ask(`{ me { email sessions { nodes { method current } } } }`)
  expect(me.sessions.nodes.filter((each: { current: boolean }) => each.current)).toEqual([
    { method: 'MAGIC_LINK', current: true },
  ])
})

test('a link works once, of many at once, and the newest replaces the others', async () => {
  const { email } = await newcomer(admin)
  const old = await magicToken(server, email)
  const token = await magicToken(server, email)
  await expect(magicSignIn(server, old)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, () => magicSignIn(server, token)),
  )
  expect(tries.filter(each => each.status === 'fulfilled')).toHaveLength(1)
  await expect(magicSignIn(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
})

test('a link runs out after ten minutes', async () => {
  const { email } = await newcomer(admin)
  const token = await magicToken(server, email)
  const [row] = await server.database.owner(
    `select extract(epoch from expires_at - created_at)::int as seconds from link where email = $1`,
    [email],
  )
  expect(row).toEqual({ seconds: 600 })
  await server.database.owner(`update link set expires_at = now() where email = $1`, [email])
  await expect(magicSignIn(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
})

test('a sign-in link neither resets a password nor confirms an address', async () => {
  const token = await magicToken(server, (await newcomer(admin)).email)
  await expect(reset(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  await expect(verify(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
})

test.each([
  ['a stranger', async () => freshEmail('stranger')],
  [
    'a locked account',
    async () => {
      const { email, userId } = await newcomer(admin)
      await server.database.owner('update user_account set locked_at = now() where id = $1', [
        userId,
      ])
      return email
    },
  ],
  [
    'an edited login that was not confirmed',
    async () => {
      const { email, userId } = await newcomer(admin)
      await server.database.owner(
        'update user_account set email_verified_at = null where id = $1',
        [userId],
      )
      return email
    },
  ],
])('%s gets the same answer and no link', async (_who, make) => {
  const email = await make()
  expect(await requestMagicLink(server, email)).toEqual({ requestMagicLink: { email } })
  expect(await mailsSoFar(server, email)).toEqual([])
})

test('who was barred since the link was mailed does not come in by it', async () => {
  const { email, userId } = await newcomer(admin)
  const token = await magicToken(server, email)
  await server.database.owner(`update user_account set status = 'INACTIVE' where id = $1`, [userId])
  await expect(magicSignIn(server, token)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
})

test.each([
  ['has left the address since', `email = 'elsewhere-' || email`, true],
  ['waits for its owner to confirm the address', 'email_verified_at = null', false],
])('a link opens no account that %s', async (_what, change, moved) => {
  const { email, userId } = await newcomer(admin)
  const token = await magicToken(server, email)
  const link = await resetToken(server, email)
  // as if the links had been made in the moment in which the others ended
  await server.database.owner(`update user_account set ${change} where id = $1`, [userId])
  await expect(magicSignIn(server, token)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
  if (moved)
    await expect(reset(server, link)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
})

test('the first link to a mailbox that was never proven voids what was set up before', async () => {
  const projectId = await openProject(admin)
  const email = freshEmail()
  await mailedLink(server, email, () => signUp(server, { projectId, email }))
  const person = await magicSignIn(server, await magicToken(server, email))
  await expect(signIn(server, email)).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
  const { me } = await person.ask('{ me { emailVerifiedAt } }')
  expect(me.emailVerifiedAt).not.toBeNull()
})

describe("a project's own page", () => {
  test('gets the link of somebody who can enter the project, for a session in its organisation only', async () => {
    const projectId = await pageFor(admin)
    const person = await memberOf(admin, projectId)
    const elsewhere = await organisation(server)
    await elsewhere.add({ email: person.email })
    const link = await mailedLink(server, person.email, () =>
      requestMagicLink(server, person.email, projectId),
    )
    const { origin, pathname, searchParams, hash } = new URL(link)
    expect({ origin, pathname, hash, from: searchParams.get('from') }).toEqual({
      origin: 'https://shop.example',
      pathname: '/enter',
      hash: '#top',
      from: 'mail',
    })
    const visitor = await magicSignIn(server, tokenIn(link))
    expect(visitor.organisationId).toBe(admin.organisationId)
    const [row] = await server.database.owner('select confined_to_id from session where id = $1', [
      visitor.sessionId,
    ])
    expect(row).toEqual({ confined_to_id: admin.organisationId })
  })

  test('gets no link of people who cannot enter the project', async () => {
    const projectId = await pageFor(admin)
    const neighbour = await organisation(server)
    for (const stranger of [await newcomer(admin), await newcomer(neighbour)]) {
      const link = await mailedLink(server, stranger.email, () =>
        requestMagicLink(server, stranger.email, projectId),
      )
      expect(new URL(link).origin).toBe(server.app.node.server.config.PUBLIC_URL)
    }
  })

  test('gets no link of a member who is barred there', async () => {
    const projectId = await pageFor(admin)
    for (const change of [`locked_at = now()`, `status = 'SUSPENDED'`, `status = 'INACTIVE'`]) {
      const person = await memberOf(admin, projectId)
      await server.database.owner(`update principal set ${change} where id = $1`, [person.memberId])
      const link = await mailedLink(server, person.email, () =>
        requestMagicLink(server, person.email, projectId),
      )
      expect(new URL(link).origin).toBe(server.app.node.server.config.PUBLIC_URL)
    }
  })

  test('gets no link of whoever may not enter it before their address is proven', async () => {
    const free = await openProject(admin, { emailVerificationRequired: false })
    const projectId = await pageFor(admin)
    const email = freshEmail()
    await mailedLink(server, email, () => signUp(server, { projectId: free, email }))
    const { memberId } = await signIn(server, email)
    await admin.ask(
      `mutation ($input: GrantProjectAccessInput!) { grantProjectAccess(input: $input) { __typename } }`,
      { input: { projectId, principalId: memberId, roleId: (await admin.roles()).Viewer } },
    )
    const link = await mailedLink(server, email, () => requestMagicLink(server, email, projectId))
    expect(new URL(link).origin).toBe(server.app.node.server.config.PUBLIC_URL)
    const person = await magicSignIn(server, tokenIn(link))
    const page = await mailedLink(server, email, () => requestMagicLink(server, email, projectId))
    expect(new URL(page).origin).toBe('https://shop.example')
    await person.ask('{ me { id } }')
  })

  test('gets no link while its organisation is suspended', async () => {
    const host = await organisation(server)
    const projectId = await pageFor(host)
    const person = await memberOf(host, projectId)
    await server.database.owner('update organisation set suspended_at = now() where id = $1', [
      host.organisationId,
    ])
    const link = await mailedLink(server, person.email, () =>
      requestMagicLink(server, person.email, projectId),
    )
    expect(new URL(link).origin).toBe(server.app.node.server.config.PUBLIC_URL)
  })

  test('gets no link any more once the project or its organisation is gone', async () => {
    const projectId = await pageFor(admin)
    const person = await memberOf(admin, projectId)
    await server.database.owner('update project set deleted_at = now() where id = $1', [projectId])
    const link = await mailedLink(server, person.email, () =>
      requestMagicLink(server, person.email, projectId),
    )
    expect(new URL(link).origin).toBe(server.app.node.server.config.PUBLIC_URL)
  })
})

describe("a session that a project's own page received", () => {
  test('begins in its organisation or not at all', async () => {
    const projectId = await pageFor(admin)
    const person = await memberOf(admin, projectId)
    const away = await organisation(server)
    await away.add({ email: person.email })
    const token = await magicToken(server, person.email, projectId)
    await expect(
      magicSignIn(server, token, { organisationId: away.organisationId }),
    ).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
    await server.database.owner('update principal set locked_at = now() where id = $1', [
      person.memberId,
    ])
    await expect(magicSignIn(server, token)).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    // nothing was used up by that
    await server.database.owner('update principal set locked_at = null where id = $1', [
      person.memberId,
    ])
    expect((await magicSignIn(server, token)).organisationId).toBe(admin.organisationId)
  })

  test('is for its organisation also where a second factor was proven first', async () => {
    const projectId = await pageFor(admin)
    const person = await memberOf(admin, projectId)
    const away = await organisation(server)
    await away.add({ email: person.email })
    const { app } = await enrol(person)
    const token = await magicToken(server, person.email, projectId)
    const { signInWithMagicLink } = await ask(
      server.url,
      `mutation ($token: String!) { signInWithMagicLink(input: { token: $token }) { ... on MfaChallenge { token } } }`,
      { token },
    )
    const { verifyMfa } = await ask(
      server.url,
      `mutation ($t: String!, $code: String!) { verifyMfa(input: { challenge: $t, method: TOTP, code: $code }) { ${SESSION} } }`,
      { t: signInWithMagicLink.token, code: app.fresh() },
    )
    const visitor = new Person(server, verifyMfa)
    expect(visitor.organisationId).toBe(admin.organisationId)
    await expect(visitor.switchTo(away.organisationId)).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
  })

  test('shows and ends nothing of its person elsewhere', async () => {
    const projectId = await pageFor(admin)
    const person = await memberOf(admin, projectId)
    const away = await organisation(server)
    await away.add({ email: person.email })
    const elsewhere = await signIn(server, person.email, PASSWORD, {
      organisationId: away.organisationId,
    })
    await away.ask(
      `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }`,
      { input: { ownerId: elsewhere.memberId, name: 'Key', scopes: [] } },
    )
    const third = await organisation(server)
    const invited = await third.ask(
      `mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { member { invitation { id } } } }`,
      { input: { email: person.email } },
    )
    const token = await magicToken(server, person.email, projectId)
    const ALL = `sessions(first: 100) { nodes { id } totalCount } memberships { nodes { organisation { id } } totalCount }
      apiKeys { totalCount } invitations { totalCount }`
    const { signInWithMagicLink } = await ask(
      server.url,
      `mutation ($token: String!) { signInWithMagicLink(input: { token: $token }) {
        ... on Authenticated { ${SESSION} all: user { ${ALL} } } } }`,
      { token },
    )
    const visitor = new Person(server, signInWithMagicLink)
    const own = [person.sessionId, visitor.sessionId].toSorted()
    for (const shown of [signInWithMagicLink.all, (await visitor.ask(`{ me { ${ALL} } }`)).me]) {
      expect(shown.sessions.nodes.map((each: { id: string }) => each.id).toSorted()).toEqual(own)
      expect(shown.memberships.nodes).toEqual([{ organisation: { id: admin.organisationId } }])
      const counts = [shown.sessions, shown.memberships, shown.apiKeys, shown.invitations]
      expect(counts.map(each => each.totalCount)).toEqual([2, 1, 0, 0])
    }
    for (const document of [
      `mutation ($id: ID!) { revokeSession(id: $id) { session { id } } }`,
      `query ($id: ID!) { node(id: $id) { id } }`,
    ])
      await expect(
        visitor.ask(document, { id: elsewhere.sessionId }),
        document,
      ).rejects.toBeRefused('NOT_FOUND')
    const LEAVE = `mutation ($id: ID!) { leaveOrganisation(id: $id) { deletedId } }`
    for (const id of [away.organisationId, third.organisationId, projectId])
      await expect(visitor.ask(LEAVE, { id })).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    // a link that its page was given is not accepted in its person's name either
    const { resendInvitation } = await third.ask(
      `mutation ($id: ID!) { resendInvitation(id: $id, sendMail: false) { invitationUrl } }`,
      { id: invited.inviteMember.member.invitation.id },
    )
    const accept = `mutation ($token: String!) { acceptInvitation(input: { token: $token }) { member { id } } }`
    await expect(
      visitor.ask(accept, { token: tokenIn(resendInvitation.invitationUrl) }),
    ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    for (const document of [
      `updateProfile(input: { firstName: "Eve" }) { user { id } }`,
      `createAvatarUpload(input: { contentType: "image/png", size: 100 }) { __typename }`,
      `removeAvatar { user { id } }`,
    ])
      await expect(visitor.ask(`mutation { ${document} }`), document).rejects.toBeRefused(
        'FORBIDDEN',
        'POLICY_FORBIDS',
      )
    const { revokeOtherSessions } = await visitor.ask(`mutation { revokeOtherSessions { count } }`)
    expect(revokeOtherSessions.count).toBe(1)
    const { me } = await elsewhere.ask(`{ me { ${ALL} } }`)
    expect(me.sessions.totalCount).toBe(2)
    expect([me.memberships, me.apiKeys, me.invitations].map(each => each.totalCount)).toEqual([
      2, 1, 1,
    ])
    await visitor.ask(LEAVE, { id: admin.organisationId })
  })
})

describe('a link as proof that the person is still there', () => {
  const reauthenticate = (person: Person, token: string) =>
    person.ask(
      `mutation ($token: String) { reauthenticate(input: { magicLinkToken: $token }) { ${SESSION} } }`,
      { token },
    )
  const stale = (person: Person) =>
    server.database.owner(
      `update session set authenticated_at = now() - interval '1 hour' where id = $1`,
      [person.sessionId],
    )
  /** The account goes without a password from now on. */
  async function withoutPassword(person: Person): Promise<Person> {
    await server.database.owner('update user_account set password_hash = null where id = $1', [
      person.userId,
    ])
    return person
  }
  const CHANGE = `mutation ($email: EmailAddress!) { requestEmailChange(email: $email) { email } }`

  test('makes the session fresh, once', async () => {
    const person = await withoutPassword(await newcomer(admin))
    await stale(person)
    await expect(person.ask(CHANGE, { email: freshEmail() })).rejects.toBeRefused(
      'STEP_UP_REQUIRED',
    )
    const token = await magicToken(server, person.email)
    person.take((await reauthenticate(person, token)).reauthenticate)
    await person.ask(CHANGE, { email: freshEmail() })
    await expect(reauthenticate(person, token)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'TOKEN_INVALID',
    )
  })

  test('is for its own person, and never in place of a second factor', async () => {
    const person = await withoutPassword(await newcomer(admin))
    const other = await magicToken(server, (await newcomer(admin)).email)
    await expect(reauthenticate(person, other)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'TOKEN_INVALID',
    )
    await enrol(person)
    const token = await magicToken(server, person.email)
    await expect(reauthenticate(person, token)).rejects.toBeRefused('MFA_REQUIRED')
  })

  test("proves nothing elsewhere where it came through an organisation's page", async () => {
    const projectId = await pageFor(admin)
    const person = await withoutPassword(await memberOf(admin, projectId))
    const token = await magicToken(server, person.email, projectId)
    await expect(reauthenticate(person, token)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'TOKEN_INVALID',
    )
    const confined = await magicSignIn(server, token)
    await expect(confined.ask(CHANGE, { email: freshEmail() })).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
    const own = await magicToken(server, person.email, projectId)
    await reauthenticate(confined, own)
  })
})

test('a link is never a second factor: with one, a challenge stands before the session', async () => {
  const person = await newcomer(admin)
  await enrol(person)
  const token = await magicToken(server, person.email)
  const { signInWithMagicLink } = await ask(
    server.url,
    `mutation ($token: String!) { signInWithMagicLink(input: { token: $token }) { __typename } }`,
    { token },
  )
  expect(signInWithMagicLink).toEqual({ __typename: 'MfaChallenge' })
})

test('what a squatter set up, an authenticator included, does not survive the first link', async () => {
  const projectId = await openProject(admin, { emailVerificationRequired: false })
  const email = freshEmail()
  await signUp(server, { projectId, email })
  const squatter = await signIn(server, email)
  await enrol(squatter)
  const owner = await magicSignIn(server, await magicToken(server, email))
  expect(owner.userId).toBe(squatter.userId)
  await expect(squatter.ask('{ me { id } }')).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'SESSION_ENDED',
  )
  const { me } = await owner.ask('{ me { mfa { enabled } } }')
  expect(me.mfa.enabled).toBe(false)
})
