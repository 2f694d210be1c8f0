import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { mailedLink, openProject, signUp, verify } from '../support/links.ts'
import { linkIn, mailsSoFar, mailsTo, tokenIn } from '../support/mailbox.ts'
import {
  freshEmail,
  invite,
  newcomer,
  operator,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { RANDOM_ID } from '../tenancy/verbs.ts'

let server: TestServer
let beside: TestServer
let admin: Person
let projectId: string

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  beside = await startServer({ beside: server, settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
  projectId = await openProject(admin)
})
afterAll(async () => {
  await beside.stop()
  await server.stop()
})

const JOIN = `mutation ($id: ID!) { joinProject(id: $id) { projectAccess { project { id } role { name } principal { id } } } }`
const join = (person: Person, id: string) => person.ask(JOIN, { id })

const setProject = (id: string, registration: Record<string, unknown>) =>
  admin.ask(
    `mutation ($id: ID!, $registration: RegistrationPolicyInput!) {
      updateProject(id: $id, input: { registration: $registration }) { project { id } } }`,
    { id, registration },
  )

const count = async (question: string, values: unknown[]) =>
  (await server.database.owner(`select count(*)::int as count from ${question}`, values))[0]!.count

describe('a new address', () => {
  test('gets an account that belongs nowhere before its proof, and the given roles after it', async () => {
    const email = freshEmail()
    const link = await mailedLink(server, email, () => signUp(server, { projectId, email }))
    expect(await count('principal where email = $1', [email])).toBe(0)
    await verify(server, tokenIn(link), PASSWORD)
    const person = await signIn(server, email)
    const { viewer } = await person.ask(
      `{ viewer { permissions { name } principal { ... on Member { role { name } projectAccess(first: 5) { nodes { project { id } role { name } } } } } } }`,
    )
    expect(viewer.principal.role.name).toBe('Member')
    expect(viewer.permissions).toEqual([{ name: 'viewUser' }])
    expect(viewer.principal.projectAccess.nodes).toEqual([
      { project: { id: projectId }, role: { name: 'Viewer' } },
    ])
  })

  test('of many sign-ups at once, on two nodes, becomes one account', async () => {
    const email = freshEmail()
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        signUp(
          index % 2 ? server : beside,
          { projectId, email },
          {
            'x-forwarded-for': `198.51.100.${index}`,
          },
        ).catch(error => error.code),
      ),
    )
    expect(await count('user_account where email = $1', [email])).toBe(1)
    const taken = answers.filter(answer => typeof answer === 'object')
    expect(taken).toHaveLength(10)
    for (const answer of taken) expect(answer).toEqual({ signUp: { email } })
    expect(answers.filter(answer => answer === 'RATE_LIMITED')).toHaveLength(10)
  })

  test('is one account, however it is spelled', async () => {
    const name = freshEmail('queen').split('@')[0]!
    const wide = [...name].map(letter => (letter === 'q' ? 'Ｑ' : letter)).join('')
    const email = `${name}@xn--bcher-kva.example`
    const spellings = [
      `${wide}@bücher.example`,
      `${name.toUpperCase()}@BÜCHER.EXAMPLE`,
      `${name}@bu\u0308cher.example`,
      `${name}＠bücher。example`,
      ` ${email} `,
    ]
    for (const spelling of spellings)
      expect(await signUp(server, { projectId, email: spelling })).toEqual({ signUp: { email } })
    expect(await count('user_account where email = $1', [email])).toBe(1)
    expect(await count('user_account where email ilike $1', [`%${name}%`])).toBe(1)
    const mails = await mailsTo(server, email, spellings.length)
    await verify(server, tokenIn(linkIn(mails[0]!)), PASSWORD)
    for (const spelling of spellings) expect((await signIn(server, spelling)).email).toBe(email)
  })

  test('may leave the password out where a mailed link is good enough', async () => {
    await signUp(server, { projectId, email: freshEmail(), password: null })
    const strict = await organisation(server)
    await server.database.owner(
      `update organisation set sign_in_methods = '{PASSWORD}' where id = $1`,
      [strict.organisationId],
    )
    const id = await openProject(strict)
    await expect(
      signUp(server, { projectId: id, email: freshEmail(), password: null }),
    ).rejects.toBeRefused('BAD_USER_INPUT', 'REQUIRED')
  })

  test('obeys the password policy of the organisation, which knows its own name', async () => {
    const { organisation: own } = await admin.ask('{ organisation { name } }')
    await expect(
      signUp(server, { projectId, email: freshEmail(), password: `${own.name} ${own.name}` }),
    ).rejects.toBeRefused('BAD_USER_INPUT', 'PASSWORD_TOO_COMMON')
    await expect(
      signUp(server, { projectId, email: freshEmail(), password: 'short' }),
    ).rejects.toBeRefused('BAD_USER_INPUT', 'PASSWORD_TOO_SHORT')
  })

  test('of another mail domain is refused, by the project or by the organisation', async () => {
    const narrow = await openProject(admin, { allowedEmailDomains: ['acme.example'] })
    await expect(signUp(server, { projectId: narrow, email: freshEmail() })).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
    await signUp(server, { projectId: narrow, email: `ann@acme.example` })
    const strict = await organisation(server)
    const id = await openProject(strict)
    await server.database.owner(
      `update organisation set allowed_email_domains = '{acme.example}' where id = $1`,
      [strict.organisationId],
    )
    await expect(signUp(server, { projectId: id, email: freshEmail() })).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
  })
})

describe('a taken address', () => {
  test('gets the same answer; nothing changes, and its owner is told', async () => {
    const owner = await newcomer(admin)
    const before = await server.database.owner('select * from user_account where email = $1', [
      owner.email,
    ])
    const accounts = await count('user_account where $1', [true])
    expect(await signUp(server, { projectId, email: owner.email, firstName: 'Eve' })).toEqual({
      signUp: { email: owner.email },
    })
    const [notice] = await mailsTo(server, owner.email)
    expect(notice!.subject).toBe('You have an account already')
    expect(notice!.text).not.toContain('Eve')
    expect(
      await server.database.owner('select * from user_account where email = $1', [owner.email]),
    ).toEqual(before)
    expect(await count('user_account where $1', [true])).toBe(accounts)
    expect(await count('link where user_id = $1', [owner.userId])).toBe(0)
    expect(
      await count(`event_person where target_name like '%nobody.invalid%' and $1`, [true]),
    ).toBe(0)
  })

  test('that was never proven gets a fresh confirmation for what it was asked for last', async () => {
    const other = await organisation(server)
    const theirs = await openProject(other)
    const email = freshEmail()
    await mailedLink(server, email, () => signUp(server, { projectId, email, firstName: 'Eve' }))
    const link = await mailedLink(server, email, () => signUp(server, { projectId: theirs, email }))
    await verify(server, tokenIn(link), PASSWORD)
    expect((await signIn(server, email)).organisationId).toBe(other.organisationId)
  })
})

test.each([
  ['unknown', async () => RANDOM_ID],
  ['closed', async () => openProject(admin, { enabled: false })],
  ['open, but without a role to give', async () => openProject(admin, { defaultRoleId: null })],
  [
    'of a suspended organisation',
    async () => {
      const other = await organisation(server)
      const id = await openProject(other)
      await server.database.owner('update organisation set suspended_at = now() where id = $1', [
        other.organisationId,
      ])
      return id
    },
  ],
  [
    'deleted',
    async () => {
      const id = await openProject(admin)
      await admin.ask(`mutation ($id: ID!) { deleteProject(id: $id) { deletedId } }`, { id })
      return id
    },
  ],
])('a project that is %s takes no one in and tells nothing', async (_what, make) => {
  const id = await make()
  const person = await newcomer(admin)
  await expect(signUp(server, { projectId: id, email: freshEmail() })).rejects.toBeRefused(
    'NOT_FOUND',
  )
  await expect(join(person, id)).rejects.toBeRefused('NOT_FOUND')
  const { signInOptions } = await ask(
    server.url,
    `query ($id: ID) { signInOptions(projectId: $id) { methods signUpOpen password { minLength } } }`,
    { id },
  )
  expect(signInOptions).toEqual({
    methods: ['PASSWORD', 'MAGIC_LINK'],
    signUpOpen: false,
    password: { minLength: 15 },
  })
})

test('a sign-in page learns what an open project offers', async () => {
  const strict = await organisation(server)
  const id = await openProject(strict)
  await server.database.owner(
    `update organisation set sign_in_methods = '{MAGIC_LINK}', password_min_length = 20 where id = $1`,
    [strict.organisationId],
  )
  const { signInOptions } = await ask(
    server.url,
    `query ($id: ID) { signInOptions(projectId: $id) { methods signUpOpen password { minLength } } }`,
    { id },
  )
  expect(signInOptions).toEqual({
    methods: ['MAGIC_LINK'],
    signUpOpen: true,
    password: { minLength: 20 },
  })
})

describe('joining a further project', () => {
  test('makes a member of an account from elsewhere', async () => {
    const stranger = await newcomer(await organisation(server))
    const { joinProject } = await join(stranger, projectId)
    expect(joinProject.projectAccess).toMatchObject({
      project: { id: projectId },
      role: { name: 'Viewer' },
    })
    // the trail names them as they call themselves
    const { organisation: there } = await admin.ask(
      `query ($ids: [ID!]!) { organisation { auditEvents(first: 5, filter: { targetIds: $ids, topics: ["member.joined"] }) {
        nodes { actor { name } target { name } } } } }`,
      { ids: [joinProject.projectAccess.principal.id] },
    )
    const [joined] = there.auditEvents.nodes
    expect(joined.target.name).toBe(joined.actor.name)
    expect(joined.target.name).not.toContain('@')
    await stranger.switchTo(admin.organisationId)
    await expect(join(stranger, projectId)).rejects.toBeRefused('CONFLICT', 'ALREADY_EXISTS')
    const second = await openProject(admin)
    await join(stranger, second)
    expect(
      await count('principal where user_id = $1 and organisation_id = $2', [
        stranger.userId,
        admin.organisationId,
      ]),
    ).toBe(1)
  })

  test('at once, many times, makes one membership', async () => {
    const stranger = await newcomer(await organisation(server))
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        stranger.ask(JOIN, { id: projectId }, (index % 2 ? server : beside).url),
      ),
    )
    expect(tries.filter(each => each.status === 'fulfilled')).toHaveLength(1)
    for (const each of tries)
      if (each.status === 'rejected') expect(each.reason.code).toBe('CONFLICT')
    expect(
      await count('principal where user_id = $1 and organisation_id = $2', [
        stranger.userId,
        admin.organisationId,
      ]),
    ).toBe(1)
  })

  test('is refused to who was removed, and stays refused whatever they try', async () => {
    const person = await newcomer(await organisation(server))
    const { joinProject } = await join(person, projectId)
    await admin.ask(`mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`, {
      id: joinProject.projectAccess.principal.id,
    })
    await expect(join(person, projectId)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    await signUp(server, { projectId, email: person.email })
    const there = [person.userId, admin.organisationId]
    expect(
      await count(
        'principal where user_id = $1 and organisation_id = $2 and removed_at is null',
        there,
      ),
    ).toBe(0)
  })

  test.each([
    ['locked', 'locked_at = now()'],
    ['suspended', `status = 'SUSPENDED'`],
    ['switched off', `status = 'INACTIVE'`],
  ])('is refused to who is %s there', async (_what, change) => {
    const elsewhere = await organisation(server)
    const person = await newcomer(elsewhere)
    await join(person, projectId)
    await server.database.owner(
      `update principal set ${change} where user_id = $1 and organisation_id = $2`,
      [person.userId, admin.organisationId],
    )
    await expect(join(person, await openProject(admin))).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
  })

  test('waits for the invitation that the organisation has sent', async () => {
    const person = await newcomer(await organisation(server))
    await server.database.owner(
      'update user_account set email_verified_at = null, proven_at = null where id = $1',
      [person.userId],
    )
    await invite(admin, { email: person.email })
    await server.database.owner(
      'update user_account set email_verified_at = now(), proven_at = now() where id = $1',
      [person.userId],
    )
    await expect(join(person, projectId)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  })

  test('is refused to other mail domains, to unconfirmed addresses and to sessions of one organisation', async () => {
    const narrow = await openProject(admin, { allowedEmailDomains: ['acme.example'] })
    const person = await newcomer(await organisation(server))
    await expect(join(person, narrow)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    await server.database.owner(
      'update session set confined_to_id = organisation_id where id = $1',
      [person.sessionId],
    )
    await expect(join(person, projectId)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    const edited = await newcomer(await organisation(server))
    await server.database.owner('update user_account set email_verified_at = null where id = $1', [
      edited.userId,
    ])
    await expect(join(edited, projectId)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  })
})

test('no administrative role is given away, even where it became one behind the settings', async () => {
  const id = await openProject(admin)
  const role = await admin.role('Harmless', [], { level: 'PROJECT' })
  await setProject(id, { defaultRoleId: role })
  await server.database.owner(
    `update role set permissions = '{manageProjectAccess}' where id = $1`,
    [role],
  )
  await expect(signUp(server, { projectId: id, email: freshEmail() })).rejects.toBeRefused(
    'NOT_FOUND',
  )
  // nor that of the organisation that every newcomer gets
  const host = await organisation(server)
  const open = await openProject(host)
  await signUp(server, { projectId: open, email: freshEmail() })
  await server.database.owner(
    `update organisation set default_role_id = (select id from role where organisation_id = $1 and built_in) where id = $1`,
    [host.organisationId],
  )
  await expect(signUp(server, { projectId: open, email: freshEmail() })).rejects.toBeRefused(
    'NOT_FOUND',
  )
})

test('the answer and the statements are alike for known and unknown addresses', async () => {
  const known = (await operator(server)).email
  const stranger = freshEmail('stranger')
  const answers = [
    await signUp(server, { projectId, email: known }),
    await signUp(server, { projectId, email: stranger }),
  ]
  expect(answers.map(answer => Object.keys(answer.signUp))).toEqual([['email'], ['email']])
  expect(await mailsSoFar(server, stranger)).toHaveLength(1)
  expect(await mailsSoFar(server, known)).toHaveLength(1)
})

describe('a project that asks for no proof', () => {
  /** Somebody who has registered there and proven nothing. */
  async function unproven(): Promise<{ person: Person; id: string }> {
    const id = await openProject(admin, { emailVerificationRequired: false })
    const email = freshEmail()
    await signUp(server, { projectId: id, email })
    return { person: await signIn(server, email), id }
  }

  test('lets an unproven address into that project, and no further', async () => {
    const { person, id } = await unproven()
    const { viewer } = await person.ask(
      `{ viewer { project { id } permissions { name } } me { emailVerifiedAt } }`,
    )
    expect(viewer).toEqual({ project: { id }, permissions: [] })
    const further = await openProject(admin, { emailVerificationRequired: false })
    await expect(join(person, further)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    const reach = await person
      .ask(`{ organisation { members(first: 5) { nodes { id } } } }`)
      .then(({ organisation: own }) => own.members.nodes)
      .catch(error => error.code)
    expect(reach === 'FORBIDDEN' || reach.length <= 1).toBe(true)
  })

  test('founds nothing, owns no key, and sees no invitations', async () => {
    const { person } = await unproven()
    await invite(await organisation(server), { email: person.email })
    const { me } = await person.ask(`{ me { invitations { totalCount nodes { id } } } }`)
    expect(me.invitations).toEqual({ totalCount: 0, nodes: [] })
    await admin.ask(
      `mutation { updateOrganisationSettings(input: { apiKey: { selfService: true } }) { organisation { id } } }`,
    )
    const KEY = `mutation ($ownerId: ID!) { createApiKey(input: { ownerId: $ownerId, name: "Key", scopes: [] }) { apiKey { id } } }`
    for (const by of [person, admin])
      await expect(by.ask(KEY, { ownerId: person.memberId })).rejects.toBeRefused('FORBIDDEN')
    await expect(
      person.ask(
        `mutation { createOrganisation(input: { name: "Mine" }) { organisation { id } } }`,
      ),
    ).rejects.toBeRefused('FORBIDDEN')
  })

  test('is linked nowhere: elsewhere it gets an invitation like a newcomer', async () => {
    const { person } = await unproven()
    const elsewhere = await organisation(server)
    const { member } = await elsewhere.add({ email: person.email })
    expect(member).toMatchObject({ status: 'INVITED', userId: null })
  })

  test('counts in full once the address is proven', async () => {
    const { person } = await unproven()
    const [mail] = await mailsTo(server, person.email)
    await verify(server, tokenIn(/https?:\/\/\S+/.exec(mail!.text)![0]), PASSWORD)
    await expect(person.ask('{ me { id } }')).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'SESSION_ENDED',
    )
    const proven = await signIn(server, person.email)
    const { viewer } = await proven.ask(`{ viewer { permissions { name } } }`)
    expect(viewer.permissions).toEqual([{ name: 'viewUser' }])
  })
})
