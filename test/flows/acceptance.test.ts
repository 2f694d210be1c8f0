import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { mailedLink, openProject, signUp } from '../support/links.ts'
import { tokenIn } from '../support/mailbox.ts'
import {
  accept,
  freshEmail,
  invite,
  mailedToken,
  operator,
  organisation,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

const RESEND = `mutation ($id: ID!, $sendMail: Boolean! = true) { resendInvitation(id: $id, sendMail: $sendMail) { invitation { id inviter { id } } invitationUrl } }`
const REVOKE = `mutation ($id: ID!) { revokeInvitation(id: $id) { invitation { status } } }`
const ACCEPT = `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { member { id } signIn { accessToken } } }`
const UPDATE = `mutation ($id: ID!, $roleId: ID!) { updateMember(id: $id, input: { roleId: $roleId }) { member { id } } }`
const act = (name: string, answer = 'member { id }') =>
  `mutation ($id: ID!) { ${name}(id: $id) { ${answer} } }`

describe('accounts', () => {
  test('that are proven accept when signed in to, and keep their password', async () => {
    const { email, token } = await invite(admin)
    const elsewhere = await invite(neighbour, { email })
    const owner = await accept(server, elsewhere.token)
    const preview = `query ($t: String!) { invitationPreview(token: $t) { signInRequired } }`
    expect((await ask(server.url, preview, { t: token })).invitationPreview.signInRequired).toBe(
      true,
    )

    const newAccount = {
      firstName: 'Mal',
      lastName: 'Lory',
      password: 'the password of an intruder',
    }
    const input = { token, newAccount }
    await expect(ask(server.url, ACCEPT, { input })).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    await expect(admin.ask(ACCEPT, { input })).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    const { acceptInvitation } = await owner.ask(ACCEPT, { input })
    expect(acceptInvitation.signIn).toBeNull()
    await expect(signIn(server, email, newAccount.password)).rejects.toBeRefused('UNAUTHENTICATED')
    const { me } = await (
      await signIn(server, email)
    ).ask(`{ me { name memberships { totalCount } } }`)
    expect(me).toEqual({ name: 'Ann Lee', memberships: { totalCount: 2 } })
  })

  test('that were never proven are set up anew by a mailed link, and never taken over by another', async () => {
    const email = freshEmail()
    const squatter = await accept(
      server,
      tokenIn((await neighbour.add({ email, sendInvitation: false })).invitationUrl),
    )
    const { member, invitationUrl } = await admin.add({ email, sendInvitation: false })
    expect(member.status).toBe('INVITED')
    const newAccount = {
      firstName: 'Own',
      lastName: 'Er',
      password: 'the choice of the real owner',
    }
    const attempt = (token: string) => ask(server.url, ACCEPT, { input: { token, newAccount } })
    await expect(attempt(tokenIn(invitationUrl))).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    await squatter.ask(`{ me { id } }`)
    // without any credential they are a member somewhere all the same, whom a copied link must not replace
    await server.database.owner(`update user_account set password_hash = null where id = $1`, [
      squatter.userId,
    ])
    await expect(attempt(tokenIn(invitationUrl))).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )

    await admin.ask(RESEND, { id: member.invitation.id })
    await attempt(await mailedToken(server, email))
    await expect(squatter.ask(`{ me { id } }`)).rejects.toBeRefused('UNAUTHENTICATED')
    await expect(signIn(server, email)).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    const owner = await signIn(server, email, newAccount.password)
    expect((await owner.ask(`{ me { id name emailVerifiedAt } }`)).me).toMatchObject({
      id: squatter.userId,
      name: 'Own Er',
      emailVerifiedAt: expect.any(String),
    })
  })

  test('keep to the policy of where they were before, too', async () => {
    const strict = await organisation(server)
    const email = freshEmail()
    await accept(
      server,
      tokenIn((await strict.add({ email, sendInvitation: false })).invitationUrl),
    )
    await server.database.owner('update organisation set password_min_length = 40 where id = $1', [
      strict.organisationId,
    ])
    await admin.add({ email })
    const token = await mailedToken(server, email)
    const attempt = (password: string) =>
      ask(server.url, ACCEPT, {
        input: { token, newAccount: { firstName: 'Own', lastName: 'Er', password } },
      })
    await expect(attempt('the choice of the real owner')).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'PASSWORD_TOO_SHORT',
    )
    await attempt('the choice of the real owner, who is asked for more')
  })

  test('that somebody registered and never proved, and that belong nowhere yet, are left alone by a copied link', async () => {
    const email = freshEmail()
    const projectId = await openProject(admin)
    await mailedLink(server, email, () => signUp(server, { projectId, email }))
    const kept = () =>
      server.database.owner(
        `select id, password_hash, first_name, last_name from user_account where email = $1`,
        [email],
      )
    const before = await kept()
    const { member, invitationUrl } = await neighbour.add({ email, sendInvitation: false })
    const newAccount = { firstName: 'Mal', lastName: 'Lory', password: 'the choice of an intruder' }
    const attempt = (token: string) => ask(server.url, ACCEPT, { input: { token, newAccount } })
    await expect(attempt(tokenIn(invitationUrl))).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    expect(await kept()).toEqual(before)
    // nor by one that was copied after it had been mailed
    await neighbour.ask(RESEND, { id: member.invitation.id })
    const { resendInvitation } = await neighbour.ask(RESEND, {
      id: member.invitation.id,
      sendMail: false,
    })
    await expect(attempt(tokenIn(resendInvitation.invitationUrl))).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    expect(await kept()).toEqual(before)
  })
})

describe('the inviter', () => {
  /** Somebody who may invite, and whom they invited. */
  async function registrar() {
    const name = `Registrar ${freshEmail()}`
    await admin.role(name, ['manageUser'])
    const inviter = await admin.bring(name)
    return { inviter, guest: await invite(inviter) }
  }
  const accountOf = async (id: string) =>
    (await server.database.owner(`select user_id from principal where id = $1`, [id]))[0]!.user_id

  const REFUSED = ['FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS'] as const

  test.each([
    [
      'was demoted',
      async (id: string) => admin.ask(UPDATE, { id, roleId: (await admin.roles()).Member }),
    ],
    ['was locked', (id: string) => admin.ask(act('lockMember'), { id })],
    [
      'was locked by an operator',
      async (id: string) =>
        (await operator(server)).ask(act('lockUser', 'user { id }'), { id: await accountOf(id) }),
    ],
    [
      'was switched off by an operator',
      async (id: string) =>
        (await operator(server)).ask(act('deactivateUser', 'user { id }'), {
          id: await accountOf(id),
        }),
    ],
    ['was removed', (id: string) => admin.ask(act('removeMember', 'deletedId'), { id })],
    [
      'sees less than the guest would',
      async (id: string) =>
        admin.ask(UPDATE, {
          id,
          roleId: await admin.role(`Blinkered ${id}`, ['manageUser'], { visibility: 'SELF' }),
        }),
    ],
  ])(
    'who %s meanwhile lets nobody in, until somebody else sends the link again',
    async (_why, fall) => {
      const { inviter, guest } = await registrar()
      await fall(inviter.memberId)
      await expect(accept(server, guest.token)).rejects.toBeRefused(...REFUSED)
      const { resendInvitation } = await admin.ask(RESEND, { id: guest.id })
      expect(resendInvitation.invitation.inviter.id).toBe(admin.memberId)
      expect((await accept(server, await mailedToken(server, guest.email, 2))).memberId).toBe(
        guest.memberId,
      )
    },
  )

  test('who invited modestly lets nobody in with more than they hold', async () => {
    const { guest } = await registrar()
    await admin.ask(UPDATE, { id: guest.memberId, roleId: (await admin.roles()).Administrator })
    await expect(accept(server, guest.token)).rejects.toBeRefused(...REFUSED)
  })

  test('is whoever sends or copies a link again, within what they hold and see', async () => {
    const { inviter } = await registrar()
    const equal = await invite(admin, { roleId: (await admin.roles()).Administrator })
    const lesser = await invite(admin)
    for (const sendMail of [true, false])
      await expect(inviter.ask(RESEND, { id: equal.id, sendMail })).rejects.toBeRefused(...REFUSED)
    await expect(inviter.ask(REVOKE, { id: equal.id })).rejects.toBeRefused(...REFUSED)
    const { resendInvitation } = await inviter.ask(RESEND, { id: lesser.id, sendMail: false })
    expect(resendInvitation.invitation.inviter.id).toBe(inviter.memberId)
    await accept(server, tokenIn(resendInvitation.invitationUrl))
  })

  test('with a narrow view neither sees nor resends what reaches further', async () => {
    const { createProject } = await admin.ask(
      `mutation { createProject(input: { name: "Narrow" }) { project { id } } }`,
    )
    const projectAccess = [
      { projectId: createProject.project.id, roleId: (await admin.roles()).Viewer },
    ]
    const roleId = await admin.role('Team lead', ['manageUser'], { visibility: 'SHARED_PROJECTS' })
    const { token } = await invite(admin, { roleId, projectAccess })
    const lead = await accept(server, token)
    const mate = await invite(admin, { projectAccess })
    const other = await invite(admin)
    const { organisation: place } = await lead.ask(
      `{ organisation { invitations { totalCount nodes { id } } sessions { nodes { member { id } } } } }`,
    )
    expect(place.invitations.totalCount).toBe(2)
    expect(place.invitations.nodes[0]).toEqual({ id: mate.id })
    expect(place.sessions.nodes).toEqual([{ member: { id: lead.memberId } }])
    await expect(lead.ask(RESEND, { id: mate.id })).rejects.toBeRefused(...REFUSED)
    await expect(lead.ask(RESEND, { id: other.id })).rejects.toBeRefused('NOT_FOUND')
    await expect(lead.ask(REVOKE, { id: other.id })).rejects.toBeRefused('NOT_FOUND')
  })
})

test('resending and revoking are for those who manage people here', async () => {
  const guest = await invite(admin)
  const plain = await admin.bring()
  for (const document of [RESEND, REVOKE]) {
    await expect(ask(server.url, document, { id: guest.id })).rejects.toBeRefused('UNAUTHENTICATED')
    await expect(plain.ask(document, { id: guest.id })).rejects.toBeRefused(
      'FORBIDDEN',
      'PERMISSION_MISSING',
    )
    for (const id of [guest.id, '01920000-0000-7000-8000-000000000000'])
      await expect(neighbour.ask(document, { id })).rejects.toBeRefused('NOT_FOUND')
  }
  const list = `{ organisation { invitations { totalCount } } }`
  await expect(plain.ask(list)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  await accept(server, guest.token)
})

describe('an organisation founded for somebody else', () => {
  const VIEWER = `{ viewer { permissions { name } organisation { id } } }`

  async function found() {
    const founder = await operator(server)
    const email = freshEmail('successor')
    const { createOrganisation } = await founder.ask(
      `mutation ($input: CreateOrganisationInput!) { createOrganisation(input: $input) { organisation { id } } }`,
      { input: { name: email, administratorEmail: email } },
    )
    await founder.switchTo(createOrganisation.organisation.id)
    const { organisation: place } = await founder.ask(
      `{ organisation { invitations { nodes { id member { id } } } } }`,
    )
    const [invitation] = place.invitations.nodes
    return { founder, email, invitation, token: await mailedToken(server, email) }
  }

  test('stays with its founder until that person accepts, and then is theirs alone', async () => {
    const { founder, token, email } = await found()
    expect((await founder.ask(VIEWER)).viewer.permissions).toHaveLength(9)
    const successor = await accept(server, token)
    expect(successor.email).toBe(email)
    expect((await successor.ask(VIEWER)).viewer.permissions).toHaveLength(9)
    await expect(founder.ask(VIEWER)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
    const { organisation: place } = await successor.ask(
      `{ organisation { members { nodes { id } } } }`,
    )
    expect(place.members.nodes).toEqual([{ id: successor.memberId }])
  })

  test('is not left without an administrator when the successor was demoted meanwhile', async () => {
    const { founder, token, invitation } = await found()
    await founder.ask(UPDATE, { id: invitation.member.id, roleId: (await founder.roles()).Member })
    await accept(server, token)
    expect((await founder.ask(VIEWER)).viewer.permissions).toHaveLength(9)
  })

  test('is handed over by its founder, whoever sent the link again', async () => {
    const { founder, email, invitation } = await found()
    const colleague = await founder.bring('Administrator')
    const { resendInvitation } = await colleague.ask(RESEND, { id: invitation.id })
    expect(resendInvitation.invitation.inviter.id).toBe(colleague.memberId)
    await accept(server, await mailedToken(server, email, 2))
    expect((await colleague.ask(VIEWER)).viewer.permissions).toHaveLength(9)
    await expect(founder.ask(VIEWER)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
    const { organisation: place } = await colleague.ask(
      `{ organisation { members { nodes { email } } } }`,
    )
    expect(place.members.nodes.map((each: { email: string }) => each.email).toSorted()).toEqual(
      [colleague.email, email].toSorted(),
    )
  })

  test('goes at once to somebody whose account is proven', async () => {
    const person = await admin.bring()
    const founder = await operator(server)
    const { createOrganisation } = await founder.ask(
      `mutation ($e: EmailAddress!) { createOrganisation(input: { name: "Theirs", administratorEmail: $e }) { organisation { id } } }`,
      { e: person.email },
    )
    const { id } = createOrganisation.organisation
    await expect(founder.switchTo(id)).rejects.toBeRefused('NOT_FOUND')
    await person.switchTo(id)
    expect((await person.ask(VIEWER)).viewer.permissions).toHaveLength(9)
    await expect(
      person.ask(
        `mutation { createOrganisation(input: { name: "More", administratorEmail: "x@example.com" }) { organisation { id } } }`,
      ),
    ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  })
})
