import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { enrol, signInWith } from '../support/authenticator.ts'
import { ask } from '../support/client.ts'
import { guess } from '../support/guesses.ts'
import { mailsTo } from '../support/mailbox.ts'
import {
  accept,
  freshEmail,
  mailedToken,
  operator,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { OPERATOR, startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
let away: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
  away = await organisation(server)
})
afterEach(async () => {
  await server.database.owner(
    `update platform_settings set mfa_required = false, mfa_enabled = true`,
  )
  await server.database.owner(
    `update organisation set mfa_required = false, sign_in_methods = '{PASSWORD,MAGIC_LINK}'`,
  )
})
afterAll(() => server.stop())

const POLICY = ['FORBIDDEN', 'POLICY_FORBIDS'] as const
const WHERE = `{ viewer { operator organisation { id } project { id } permissions { name } session { tasks member { id } } } }`
const MEMBERS = `{ organisation { members { totalCount } } }`
const SWITCH = `mutation ($id: ID!) { switchOrganisation(id: $id) { accessToken session { tasks member { organisation { id } } } } }`

const insist = (person: Person, mfaRequired = true) =>
  server.database.owner(`update organisation set mfa_required = $2 where id = $1`, [
    person.organisationId,
    mfaRequired,
  ])
const onPlatform = (settings: string) =>
  server.database.owner(`update platform_settings set ${settings}`)
const whereIs = async (person: Person) => (await person.ask(WHERE)).viewer

describe('an organisation that insists on a second factor', () => {
  test('holds everybody without one to enrolling, from the next request on', async () => {
    const person = await admin.bring('Administrator')
    expect((await whereIs(person)).organisation.id).toBe(admin.organisationId)
    await insist(admin)
    const state = await whereIs(person)
    expect(state).toEqual({
      operator: false,
      organisation: null,
      project: null,
      permissions: [],
      session: { tasks: ['ENROL_MFA'], member: null },
    })
    const { me: own } = await person.ask(`{ me { sessions { nodes { current tasks } } } }`)
    expect(own.sessions.nodes).toEqual([{ current: true, tasks: ['ENROL_MFA'] }])
    await expect(person.ask(MEMBERS)).rejects.toBeRefused('MFA_REQUIRED')
    await expect(
      person.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id: person.memberId }),
    ).rejects.toBeRefused('MFA_REQUIRED')
    await expect(
      person.ask(
        `mutation { updateOrganisation(input: { name: "Mine" }) { organisation { id } } }`,
      ),
    ).rejects.toBeRefused('MFA_REQUIRED')
    const { me } = await person.ask(
      `{ me { email mfa { required enabled } memberships { nodes { organisation { id } } } } }`,
    )
    expect(me.mfa).toEqual({ required: true, enabled: false })

    const signed = await signIn(server, person.email)
    const claims = decodeJwt(signed.accessToken)
    expect(Object.keys(claims).toSorted()).toEqual(
      ['acr', 'amr', 'aud', 'auth_time', 'exp', 'gen', 'iat', 'iss', 'sid', 'sub'].toSorted(),
    )
    const { app } = await enrol(signed)
    expect(await whereIs(signed)).toMatchObject({
      organisation: { id: admin.organisationId },
      session: { tasks: [] },
    })
    await signed.ask(MEMBERS)
    expect(
      (await (await signInWith(server, person.email, app)).ask(MEMBERS)).organisation,
    ).toBeTruthy()
  })

  test('holds them to it again once the last factor is gone', async () => {
    const person = await admin.bring('Administrator')
    const { app } = await enrol(person)
    await insist(admin)
    await person.ask(MEMBERS)
    await person.ask(
      `mutation ($id: ID!, $c: String!) { removeMfaFactor(id: $id, code: $c) { mfa { enabled } } }`,
      {
        id: app.id,
        c: app.fresh(),
      },
    )
    expect((await whereIs(person)).session.tasks).toEqual(['ENROL_MFA'])
    await expect(person.ask(MEMBERS)).rejects.toBeRefused('MFA_REQUIRED')
  })

  test('opens to a switch once a factor was proven in the session, and not before', async () => {
    const person = await admin.bring()
    await away.add({ email: person.email })
    await insist(away)
    const there = { id: away.organisationId }
    await expect(person.ask(SWITCH, there)).rejects.toBeRefused('MFA_REQUIRED')
    const { app } = await enrol(person)
    await server.database.owner(`update session set mfa_verified_at = null where id = $1`, [
      person.sessionId,
    ])
    await expect(person.ask(SWITCH, there)).rejects.toBeRefused('MFA_REQUIRED')
    const { reauthenticate } = await person.ask(
      `mutation ($code: String!) { reauthenticate(input: { code: $code }) { accessToken } }`,
      { code: app.fresh() },
    )
    person.accessToken = reauthenticate.accessToken
    const { switchOrganisation } = await person.ask(SWITCH, there)
    expect(switchOrganisation.session).toEqual({
      tasks: [],
      member: { organisation: { id: away.organisationId } },
    })
  })

  test('asks a session for the factor that its account has and it never proved', async () => {
    const person = await admin.bring('Administrator')
    const { app } = await enrol(person)
    await server.database.owner(`update session set mfa_verified_at = null where id = $1`, [
      person.sessionId,
    ])
    await person.ask(MEMBERS)
    // who knows the password alone neither adds a factor of their own nor takes new codes
    for (const document of [
      `startTotpEnrolment { id }`,
      `regenerateRecoveryCodes { recoveryCodes }`,
    ])
      await expect(person.ask(`mutation { ${document} }`)).rejects.toBeRefused('MFA_REQUIRED')
    await insist(admin)
    await expect(person.ask(MEMBERS)).rejects.toBeRefused('MFA_REQUIRED')
    expect((await whereIs(person)).organisation).toBeNull()
    const { reauthenticate } = await person.ask(
      `mutation ($code: String!) { reauthenticate(input: { code: $code }) { accessToken } }`,
      { code: app.fresh() },
    )
    person.accessToken = reauthenticate.accessToken
    await person.ask(MEMBERS)
  })

  test('lets go to a laxer one, or leave', async () => {
    const person = await admin.bring()
    await away.add({ email: person.email })
    await insist(admin)
    await expect(person.ask(MEMBERS)).rejects.toBeRefused('MFA_REQUIRED')
    const { switchOrganisation } = await person.ask(SWITCH, { id: away.organisationId })
    expect(switchOrganisation.session.tasks).toEqual([])
    const other = await signIn(server, person.email, PASSWORD, {
      organisationId: admin.organisationId,
    })
    await other.ask(`mutation ($id: ID!) { leaveOrganisation(id: $id) { deletedId } }`, {
      id: admin.organisationId,
    })
  })

  test('binds no API key, and no service account', async () => {
    await admin.ask(
      `mutation { updateOrganisationSettings(input: { apiKey: { selfService: true } }) { organisation { id } } }`,
    )
    const { createApiKey } = await admin.ask(
      `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }`,
      { input: { ownerId: admin.memberId, name: 'Key', scopes: ['viewUser'] } },
    )
    await insist(admin)
    const answer = await ask(
      server.url,
      MEMBERS,
      {},
      { authorization: `Bearer ${createApiKey.secret}` },
    )
    expect(answer.organisation.members.totalCount).toBeGreaterThan(0)
  })
})

describe('the platform', () => {
  test('insists on it of operators and of who belongs nowhere, and rests while factors are switched off', async () => {
    await server.database.owner(
      `insert into user_account select (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid(), 'email', $1::text))).*
       from user_account u where u.email = $2`,
      ['second-operator@example.com', OPERATOR.email],
    )
    const chief = await signIn(server, 'second-operator@example.com', OPERATOR.password)
    await chief.ask(`{ platform { settings { mfaRequired } } }`)
    await onPlatform('mfa_required = true')
    expect(await whereIs(chief)).toMatchObject({
      operator: false,
      session: { tasks: ['ENROL_MFA', 'CHOOSE_ORGANISATION'] },
    })
    for (const document of [
      `{ platform { settings { mfaRequired } } }`,
      `mutation { updatePlatformSettings(input: { mfaRequired: false }) { settings { mfaRequired } } }`,
      `mutation { createOrganisation(input: { name: "New" }) { organisation { id } } }`,
    ])
      await expect(chief.ask(document)).rejects.toBeRefused('MFA_REQUIRED')
    await onPlatform('mfa_enabled = false')
    await chief.ask(`{ platform { settings { mfaRequired } } }`)
    await onPlatform('mfa_enabled = true')
    await enrol(chief)
    await chief.ask(`{ platform { settings { mfaRequired } } }`)
  })
})

describe('what an organisation knows of the second factors of its members', () => {
  test('is whether its policy is met, in rows and as a filter, also of who joins with one', async () => {
    const here = await organisation(server)
    const [plain, strong] = [await here.bring(), await here.bring()]
    await enrol(strong)
    const joined = await away.bring()
    await enrol(joined)
    await here.add({ email: joined.email })
    const list = async (meetsMfaPolicy?: boolean) => {
      const { organisation: own } = await here.ask(
        `query ($filter: MemberFilter) { organisation { members(filter: $filter) { totalCount nodes { email meetsMfaPolicy } } } }`,
        { filter: { meetsMfaPolicy } },
      )
      return Object.fromEntries(
        own.members.nodes.map((node: any) => [node.email, node.meetsMfaPolicy]),
      )
    }
    const everybody = {
      [here.email]: true,
      [plain.email]: true,
      [strong.email]: true,
      [joined.email]: true,
    }
    expect(await list()).toEqual(everybody)
    expect(await list(false)).toEqual({})
    await enrol(here)
    await insist(here)
    expect(await list(false)).toEqual({ [plain.email]: false })
    expect(await list(true)).toEqual({
      [here.email]: true,
      [strong.email]: true,
      [joined.email]: true,
    })
    await onPlatform('mfa_enabled = false')
    expect(await list()).toEqual(everybody)
  })

  test('an operator sees factors and not seeds, and finds accounts with or without', async () => {
    const [plain, strong] = [await admin.bring(), await admin.bring()]
    const { app } = await enrol(strong, 'Phone')
    const chief = await operator(server)
    const find = async (mfaEnabled: boolean) => {
      const { platform } = await chief.ask(
        `query ($filter: UserFilter) { platform { users(filter: $filter) { nodes { email mfa { enabled required recoveryCodesRemaining factors { id name method } } } } } }`,
        { filter: { mfaEnabled, emails: [plain.email, strong.email] } },
      )
      return platform.users.nodes
    }
    const mfa = {
      enabled: true,
      required: false,
      recoveryCodesRemaining: 10,
      factors: [{ id: app.id, name: 'Phone', method: 'TOTP' }],
    }
    expect(await find(true)).toEqual([{ email: strong.email, mfa }])
    expect(await find(false)).toMatchObject([{ email: plain.email, mfa: { enabled: false } }])
    const NODE = `query ($id: ID!) { node(id: $id) { __typename ... on MfaFactor { name lastUsedAt } } }`
    expect((await chief.ask(NODE, { id: app.id })).node.name).toBe('Phone')
    expect((await strong.ask(NODE, { id: app.id })).node.__typename).toBe('MfaFactor')
    await expect(admin.ask(NODE, { id: app.id })).rejects.toBeRefused('NOT_FOUND')
    await expect(plain.ask(NODE, { id: app.id })).rejects.toBeRefused('NOT_FOUND')
  })
})

describe('an operator who resets second factors', () => {
  const RESET = `mutation ($id: ID!, $reason: String!) { resetUserMfa(id: $id, reason: $reason) { user { mfa { enabled recoveryCodesRemaining } } } }`

  test('lets somebody who lost theirs in by password again, ends their sessions and tells them', async () => {
    const person = await admin.bring()
    const { app } = await enrol(person)
    const chief = await operator(server)
    await expect(chief.ask(RESET, { id: person.userId, reason: '  ' })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'REQUIRED',
    )
    for (const other of [admin, person])
      await expect(other.ask(RESET, { id: person.userId, reason: 'x' })).rejects.toBeRefused(
        'FORBIDDEN',
        'PERMISSION_MISSING',
      )
    const { resetUserMfa } = await chief.ask(RESET, { id: person.userId, reason: 'ticket 4711' })
    expect(resetUserMfa.user.mfa).toEqual({ enabled: false, recoveryCodesRemaining: 0 })
    await expect(person.ask(WHERE)).rejects.toMatchObject({ status: 401 })
    const again = await signIn(server, person.email)
    expect((await whereIs(again)).organisation.id).toBe(admin.organisationId)
    const [mail] = await mailsTo(server, person.email, 3)
    expect(mail!.subject).toBe('Two-step sign-in was reset')
    const [event] = await server.database.owner(
      `select reason, actor_kind, target_id from event join event_person using (id) where topic = 'mfa.reset' order by id desc limit 1`,
    )
    expect(event).toEqual({
      reason: 'ticket 4711',
      actor_kind: 'OPERATOR',
      target_id: person.userId,
    })
    await expect(
      again.ask(
        `mutation ($input: ConfirmTotpEnrolmentInput!) { confirmTotpEnrolment(input: $input) { recoveryCodes } }`,
        {
          input: { enrolmentId: app.id, code: app.fresh() },
        },
      ),
    ).rejects.toBeRefused('NOT_FOUND')
  })
})

describe('an address that was never proven', () => {
  const unprove = (person: Person) =>
    server.database.owner(
      `update user_account set email_verified_at = null, proven_at = null where id = $1`,
      [person.userId],
    )

  test('is all that its session may prove, be it new or live', async () => {
    const person = await admin.bring('Administrator')
    await unprove(person)
    expect((await whereIs(person)).session.tasks).toEqual(['VERIFY_EMAIL'])
    await expect(person.ask(MEMBERS)).rejects.toBeRefused(...POLICY)
    for (const organisationId of [undefined, admin.organisationId]) {
      const { signIn: signed } = await guess(server, person.email, { organisationId })
      expect(signed.session).toMatchObject({
        tasks: ['VERIFY_EMAIL', 'CHOOSE_ORGANISATION'],
        member: null,
      })
      person.take(signed)
    }
    expect(Object.keys(decodeJwt(person.accessToken))).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(org|prj|role|permissions)$/)]),
    )
    await expect(person.ask(SWITCH, { id: admin.organisationId })).rejects.toBeRefused(...POLICY)
    await expect(
      person.ask(`mutation { createOrganisation(input: { name: "New" }) { organisation { id } } }`),
    ).rejects.toBeRefused(...POLICY)
    expect((await person.ask(`{ me { email } }`)).me.email).toBe(person.email)
  })

  test('does not matter where it was proven once, and its login was edited since', async () => {
    const person = await admin.bring('Administrator')
    await server.database.owner(`update user_account set email_verified_at = null where id = $1`, [
      person.userId,
    ])
    await person.ask(MEMBERS)
    expect((await guess(server, person.email)).signIn.session.tasks).toEqual([])
  })

  test('opens the one project that takes it so, and nothing else', async () => {
    const roles = await admin.roles()
    const [one, other] = await Promise.all(
      ['One', 'Other'].map(async name => {
        const { createProject } = await admin.ask(
          `mutation ($name: String!) { createProject(input: { name: $name }) { project { id } } }`,
          { name },
        )
        return createProject.project.id as string
      }),
    )
    const email = freshEmail()
    await admin.add({
      email,
      roleId: roles.Administrator,
      projectAccess: [one, other].map(projectId => ({ projectId, roleId: roles.Viewer })),
    })
    const person = await accept(server, await mailedToken(server, email))
    await unprove(person)
    await server.database.owner(`update principal set unproven_project_id = $2 where id = $1`, [
      person.memberId,
      one,
    ])
    person.take((await guess(server, email)).signIn)
    expect(await whereIs(person)).toEqual({
      operator: false,
      organisation: { id: admin.organisationId },
      project: { id: one },
      permissions: [],
      session: { tasks: [], member: { id: person.memberId } },
    })
    const { organisation: own } = await person.ask(`{ organisation { projects { nodes { id } } } }`)
    expect(own.projects.nodes).toEqual([{ id: one }])
    await expect(person.ask(MEMBERS)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
    const GO = `mutation ($id: ID) { switchProject(id: $id) { accessToken } }`
    await expect(person.ask(GO, { id: other })).rejects.toBeRefused(...POLICY)
    await expect(person.ask(GO, { id: null })).rejects.toBeRefused(...POLICY)
    person.accessToken = (await person.ask(GO, { id: one })).switchProject.accessToken
    const { switchOrganisation } = await person.ask(
      `mutation ($id: ID!) { switchOrganisation(id: $id) { accessToken session { project { id } } } }`,
      { id: admin.organisationId },
    )
    person.accessToken = switchOrganisation.accessToken
    expect(switchOrganisation.session.project.id).toBe(one)
    await server.database.owner(`update session set project_id = null where id = $1`, [
      person.sessionId,
    ])
    expect((await whereIs(person)).session.tasks).toEqual(['VERIFY_EMAIL'])
    await server.database.owner(`update project set deleted_at = now() where id = $1`, [one])
    expect((await guess(server, email)).signIn.session.tasks).toEqual([
      'VERIFY_EMAIL',
      'CHOOSE_ORGANISATION',
    ])
  })
})

describe('the ways to sign in that an organisation takes', () => {
  const only = (person: Person, method: string) =>
    server.database.owner(`update organisation set sign_in_methods = array[$2] where id = $1`, [
      person.organisationId,
      method,
    ])

  test('bind landing, switching and the sessions that act there already', async () => {
    const person = await admin.bring('Administrator')
    await away.add({ email: person.email })
    await only(admin, 'MAGIC_LINK')
    expect((await whereIs(person)).session.tasks).toEqual(['CHOOSE_ORGANISATION'])
    await expect(person.ask(MEMBERS)).rejects.toBeRefused('FORBIDDEN', 'ORGANISATION_NOT_CHOSEN')
    await expect(person.ask(SWITCH, { id: admin.organisationId })).rejects.toBeRefused(...POLICY)
    await expect(
      person.ask(`mutation { switchProject(id: null) { accessToken } }`),
    ).rejects.toBeRefused('FORBIDDEN', 'ORGANISATION_NOT_CHOSEN')
    const landed = (await guess(server, person.email)).signIn
    expect(landed.session.member.organisation.id).toBe(away.organisationId)
    await expect(
      guess(server, person.email, { organisationId: admin.organisationId }),
    ).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
    await only(away, 'MAGIC_LINK')
    expect((await guess(server, person.email)).signIn.session.tasks).toEqual([
      'CHOOSE_ORGANISATION',
    ])
    await server.database.owner(`update session set method = 'MAGIC_LINK' where id = $1`, [
      person.sessionId,
    ])
    await person.ask(MEMBERS)
  })
})

test('a session that a project’s page received acts in that organisation alone, and never as an operator', async () => {
  const person = await admin.bring('Administrator')
  await away.add({ email: person.email })
  await server.database.owner(`update user_account set operator = true where id = $1`, [
    person.userId,
  ])
  await server.database.owner(`update session set confined_to_id = $2 where id = $1`, [
    person.sessionId,
    admin.organisationId,
  ])
  await person.ask(MEMBERS)
  await expect(person.ask(SWITCH, { id: away.organisationId })).rejects.toBeRefused(...POLICY)
  expect((await whereIs(person)).operator).toBe(false)
  await expect(person.ask(`{ platform { settings { mfaIssuer } } }`)).rejects.toBeRefused(
    'FORBIDDEN',
    'PERMISSION_MISSING',
  )
  await onPlatform('organisation_creation_open = true')
  for (const document of [
    `createOrganisation(input: { name: "New" }) { organisation { id } }`,
    `startTotpEnrolment { id }`,
    `regenerateRecoveryCodes { recoveryCodes }`,
    `deleteAccount { deletedId }`,
  ])
    await expect(person.ask(`mutation { ${document} }`), document).rejects.toBeRefused(...POLICY)
  await onPlatform('organisation_creation_open = false')
  await person.ask(SWITCH, { id: admin.organisationId })
  await server.database.owner(`update user_account set operator = false where id = $1`, [
    person.userId,
  ])
})
