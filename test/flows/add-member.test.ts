import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { linkIn, mailsSoFar, mailsTo, tokenIn } from '../support/mailbox.ts'
import {
  accept,
  freshEmail,
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

const count = async (table: string, email: string) =>
  (
    await server.database.owner(`select count(*)::int as count from ${table} where email = $1`, [
      email,
    ])
  )[0]!.count

test('a new login is invited: nothing counts, and no account exists, before it accepts', async () => {
  const email = freshEmail()
  const { member, invitationUrl } = await admin.add({ email })
  expect(member).toMatchObject({
    status: 'INVITED',
    userId: null,
    role: { name: 'Member' },
    invitation: { status: 'SENT' },
  })
  expect(invitationUrl).toBeNull()
  expect(await count('user_account', email)).toBe(0)
  const topics = await server.database.owner(
    `select topic from event where target_id in ($1, $2) order by id`,
    [member.id, member.invitation.id],
  )
  expect(topics.map(row => row.topic)).toEqual(['member.added', 'invitation.sent'])
  expect(await mailsTo(server, email)).toHaveLength(1)
})

test('a proven login elsewhere joins at once and is told by mail; no invitation, no power over the account', async () => {
  const person = await neighbour.bring()
  const { member, invitationUrl } = await admin.add({
    email: person.email,
    firstName: 'Annie',
    sendInvitation: false,
  })
  expect(member).toMatchObject({
    status: 'ACTIVE',
    userId: person.userId,
    name: 'Annie Lee',
    invitation: null,
  })
  expect(invitationUrl).toBeNull()
  const [notice] = await mailsTo(server, person.email, 2)
  expect(notice!.subject).toMatch(/^You were added to Organisation admin/)
  expect(notice!.text).not.toContain('token=')
  // their session goes on where it was; the password is theirs; they enter when they like
  expect((await person.ask(`{ viewer { organisation { id } } me { name } }`)).me.name).toBe(
    'Ann Lee',
  )
  expect((await person.switchTo(admin.organisationId)).memberId).toBe(member.id)
})

const openCreation = async (organisationCreationOpen: boolean) =>
  (await operator(server)).ask(
    `mutation ($input: UpdatePlatformSettingsInput!) { updatePlatformSettings(input: $input) { settings { organisationCreationOpen } } }`,
    { input: { organisationCreationOpen } },
  )

test('without a mail the link comes back once, and whoever accepts by it acts here and nowhere else', async () => {
  const email = freshEmail()
  const { member, invitationUrl } = await admin.add({ email, sendInvitation: false })
  expect(invitationUrl).toMatch(new RegExp(`^${server.url}/accept-invitation\\?token=[\\w-]{43}$`))
  const person = await accept(server, tokenIn(invitationUrl))
  expect(await mailsSoFar(server, email)).toEqual([])
  expect(person.memberId).toBe(member.id)
  const { me, viewer } = await person.ask(
    `{ me { emailVerifiedAt } viewer { permissions { name } } }`,
  )
  expect([me.emailVerifiedAt, viewer.permissions.length]).toEqual([null, 1])
  expect((await signIn(server, email)).memberId).toBe(member.id)

  // a membership elsewhere, such as one that a proven address would have
  await server.database.owner(
    `insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name, last_name, name, sort_name, status)
       values (gen_random_uuid(), now(), now(), $1, 'MEMBER', $2, $3, $4, 'A', 'B', 'A B', 'a b', 'ACTIVE')`,
    [neighbour.organisationId, person.userId, (await neighbour.roles()).Member, email],
  )
  await expect(person.switchTo(neighbour.organisationId)).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  // there they may do nothing until the address is proven
  const unproven = await signIn(server, email, undefined, {
    organisationId: neighbour.organisationId,
  })
  await expect(unproven.ask(`{ organisation { id } }`)).rejects.toBeRefused('FORBIDDEN')
  await openCreation(true)
  const found = `mutation { createOrganisation(input: { name: "Mine" }) { organisation { id } } }`
  await expect(person.ask(found)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  // what stops them is the address alone
  const proven = await admin.bring()
  await proven.ask(found)
  await expect(
    proven.ask(found.replace('name:', 'administratorEmail: "somebody@example.com", name:')),
  ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  await openCreation(false)
  await expect(proven.ask(found)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
})

test('strangers, members without `manageUser`, roles of neighbours and roles beyond own permissions are refused', async () => {
  const document = `mutation { addMember(input: { email: "a@example.com", firstName: "A", lastName: "" }) { member { id } } }`
  await expect(ask(server.url, document)).rejects.toBeRefused('UNAUTHENTICATED')
  const plain = await admin.bring()
  await expect(plain.ask(document)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  const { Administrator, Viewer } = await admin.roles()
  for (const roleId of [(await neighbour.roles()).Member])
    await expect(admin.add({ roleId })).rejects.toBeRefused('NOT_FOUND')
  await expect(admin.add({ roleId: Viewer })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'ROLE_LEVEL_MISMATCH',
  )
  await admin.role('Registrar', ['manageUser'])
  const registrar = await admin.bring('Registrar')
  await expect(registrar.add({ roleId: Administrator })).rejects.toBeRefused(
    'FORBIDDEN',
    'EXCEEDS_OWN_PERMISSIONS',
  )
  await registrar.add({ sendInvitation: false })
})

test('project access comes with the membership, under its own rules', async () => {
  const create = `mutation { createProject(input: { name: "Bridge" }) { project { id } } }`
  const projectId = (await admin.ask(create)).createProject.project.id
  const foreign = (await neighbour.ask(create)).createProject.project.id
  const roles = await admin.roles()
  const add = (by: Person, ...access: [string, string | undefined][]) =>
    by.add({
      sendInvitation: false,
      projectAccess: access.map(([project, role]) => ({ projectId: project, roleId: role })),
    })

  const { member } = await add(admin, [projectId, roles.Viewer])
  const { organisation: place } = await admin.ask(
    `query ($id: ID!) { organisation { member(id: $id) { projectAccess { nodes { project { id } role { name } } } } } }`,
    { id: member.id },
  )
  expect(place.member.projectAccess.nodes).toEqual([
    { project: { id: projectId }, role: { name: 'Viewer' } },
  ])
  await expect(add(admin, [foreign, roles.Viewer])).rejects.toBeRefused('NOT_FOUND')
  await expect(add(admin, [projectId, (await neighbour.roles()).Viewer])).rejects.toBeRefused(
    'NOT_FOUND',
  )
  await expect(add(admin, [projectId, roles.Member])).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'ROLE_LEVEL_MISMATCH',
  )
  await expect(
    add(admin, [projectId, roles.Viewer], [projectId, roles.Viewer]),
  ).rejects.toBeRefused('CONFLICT', 'ALREADY_EXISTS')
  await admin.role('Receptionist', ['manageUser'])
  const receptionist = await admin.bring('Receptionist')
  await expect(add(receptionist, [projectId, roles.Viewer])).rejects.toBeRefused('NOT_FOUND')
})

test('twenty at once in one organisation and twenty in another make one membership each, and one account', async () => {
  const email = freshEmail()
  const spelling = (index: number) => (index % 2 ? email : email.toUpperCase())
  const outcomes = await Promise.allSettled(
    [admin, neighbour].flatMap(by =>
      Array.from({ length: 20 }, (_, index) => by.add({ email: spelling(index) })),
    ),
  )
  const refused = outcomes.flatMap(outcome =>
    outcome.status === 'rejected' ? [outcome.reason] : [],
  )
  expect(refused).toHaveLength(38)
  for (const refusal of refused)
    expect(refusal).toMatchObject({ code: 'CONFLICT', reason: 'ALREADY_EXISTS' })
  expect(await count('principal', email)).toBe(2)
  expect(await count('invitation', email)).toBe(2)

  const tokens = (await mailsTo(server, email, 2)).map(mail => tokenIn(linkIn(mail)))
  const accepted = await Promise.allSettled(tokens.map(token => accept(server, token)))
  expect(accepted.map(outcome => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected'])
  expect(await count('user_account', email)).toBe(1)
  const open = tokens[accepted.findIndex(outcome => outcome.status === 'rejected')]!
  const person = await signIn(server, email)
  await person.ask(
    `mutation ($t: String!) { acceptInvitation(input: { token: $t }) { member { id } } }`,
    { t: open },
  )
  const { me } = await person.ask(`{ me { memberships { nodes { status } } } }`)
  expect(me.memberships.nodes).toEqual([{ status: 'ACTIVE' }, { status: 'ACTIVE' }])
})

test('names are inert in the mail, whatever they look like', async () => {
  const name = `<img src=x onerror=alert(1)>"'&amp;`
  const founder = await organisation(server)
  await founder.ask(
    `mutation ($name: String!) { updateOrganisation(input: { name: $name }) { organisation { id } } }`,
    {
      name: `<b>&lt;Bank</b>`,
    },
  )
  const email = freshEmail()
  await founder.add({ email, firstName: name })
  const [mail] = await mailsTo(server, email)
  expect(mail!.subject).toBe('Join <b>&lt;Bank</b>')
  expect(mail!.html).not.toMatch(/<(img|b)\b/)
  expect(mail!.html).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;amp;')
  expect(mail!.text).toContain(name)
  expect(await mailedToken(server, email)).toMatch(/^[\w-]{43}$/)
})
