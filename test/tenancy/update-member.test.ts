import { afterAll, beforeAll, expect, test } from 'vitest'
import { organisation, signIn, type Person } from '../support/people.ts'
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

const UPDATE = `mutation ($id: ID!, $input: UpdateMemberInput!) { updateMember(id: $id, input: $input) {
  member { id name firstName lastName externalId role { name } } } }`
const update = async (id: string, input: Record<string, unknown>, by = admin) =>
  (await by.ask(UPDATE, { id, input })).updateMember.member

test('role, name and external id change at once, and null clears', async () => {
  const person = await admin.bring()
  const { Administrator } = await admin.roles()
  const input = { roleId: Administrator, firstName: ' Zoë ', lastName: 'Smith', externalId: 'HR-7' }
  const changed = await update(person.memberId, input)
  expect(changed).toMatchObject({
    name: 'Zoë Smith',
    externalId: 'HR-7',
    role: { name: 'Administrator' },
  })
  expect((await person.ask(`{ viewer { permissions { name } } }`)).viewer.permissions).toHaveLength(
    9,
  )
  expect(await update(person.memberId, {})).toEqual(changed)
  expect(await update(person.memberId, { lastName: null, externalId: null })).toMatchObject({
    name: 'Zoë',
    externalId: null,
  })
  const [event] = await server.database.owner(
    `select e.changes, p.changes as personal from event e join event_person p using (id)
     where topic = 'member.updated' and target_id = $1 order by e.id limit 1`,
    [person.memberId],
  )
  expect(event!.changes).toContainEqual({ field: 'firstName', personal: true })
  expect(event!.personal).toContainEqual({ field: 'firstName', before: 'Ann', after: 'Zoë' })
})

test('what is no name, role or external id is refused by field', async () => {
  const person = await admin.bring()
  for (const input of [{ firstName: null }, { firstName: ' ' }, { roleId: null }])
    await expect(update(person.memberId, input)).rejects.toBeRefused('BAD_USER_INPUT', 'REQUIRED')
  for (const text of ['a\r\nb', 'a\u202eb', 'a\u0000b'])
    for (const field of ['firstName', 'lastName', 'externalId'])
      await expect(update(person.memberId, { [field]: text })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        reason: 'INVALID_FORMAT',
        extensions: { fields: [{ path: ['input', field] }] },
      })
  await expect(update(person.memberId, { firstName: 'x'.repeat(101) })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'OUT_OF_RANGE',
  )
  await expect(update(person.memberId, { externalId: 'x'.repeat(201) })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'OUT_OF_RANGE',
  )
  await update(admin.memberId, { externalId: 'HR-1' })
  await expect(update(person.memberId, { externalId: 'HR-1' })).rejects.toBeRefused(
    'CONFLICT',
    'ALREADY_EXISTS',
  )
  await update(neighbour.memberId, { externalId: 'HR-1' }, neighbour)
})

test('an account that belongs here alone is renamed; a shared one keeps its name elsewhere', async () => {
  const alone = await admin.bring()
  await update(alone.memberId, { firstName: 'Sole' })
  expect((await alone.ask(`{ me { name } }`)).me.name).toBe('Sole Lee')

  const person = await admin.bring()
  await neighbour.add({ email: person.email, firstName: 'Annie', lastName: 'Typed' })
  await update(person.memberId, { firstName: 'Here' })
  // the other organisation sees the name it typed, until the person has entered
  const { me } = await person.ask(`{ me { name memberships { nodes { name } } } }`)
  expect(me).toEqual({
    name: 'Ann Lee',
    memberships: { nodes: [{ name: 'Here Lee' }, { name: 'Annie Typed' }] },
  })
  await person.switchTo(neighbour.organisationId)
  const entered = await person.ask(`{ me { memberships { nodes { name } } } }`)
  expect(entered.me.memberships.nodes).toEqual([{ name: 'Here Lee' }, { name: 'Ann Lee' }])
  // the name given here survives a sign-in
  await signIn(server, person.email, undefined, { organisationId: admin.organisationId })
  expect((await person.ask(`{ me { memberships { nodes { name } } } }`)).me).toEqual(entered.me)
})

test("an operator's account is never renamed by an organisation", async () => {
  const email = 'operator@localhost.test'
  const { member } = await neighbour.add({ email, firstName: 'Op', lastName: 'Erator' })
  await server.database.owner(
    `update principal set removed_at = now() where user_id = (select id from user_account where operator) and id <> $1`,
    [member.id],
  )
  await update(member.id, { firstName: 'Owned' }, neighbour)
  const [account] = await server.database.owner(
    `select first_name from user_account where email = $1`,
    [email],
  )
  expect(account!.first_name).toBe('First')
})

const ACTS = {
  lock: (by: Person, id: string) =>
    by.ask(`mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, { id }),
  remove: (by: Person, id: string) =>
    by.ask(`mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`, { id }),
  demote: async (by: Person, id: string, roleId: string) => update(id, { roleId }, by),
}

test.each(Object.entries(ACTS))(
  'the last administrator cannot %s themselves',
  async (_name, act) => {
    const founder = await organisation(server)
    const { Administrator, Member } = await founder.roles()
    const attempt = () => act(founder, founder.memberId, Member!)
    await expect(attempt()).rejects.toBeRefused('CONFLICT', 'LAST_ADMINISTRATOR')
    // somebody who was only invited does not count, nor does one who is locked
    await founder.add({ roleId: Administrator, sendInvitation: false })
    await expect(attempt()).rejects.toBeRefused('CONFLICT', 'LAST_ADMINISTRATOR')
    const second = await founder.bring('Administrator')
    await ACTS.lock(founder, second.memberId)
    await expect(attempt()).rejects.toBeRefused('CONFLICT', 'LAST_ADMINISTRATOR')
    await founder.bring('Administrator')
    await attempt()
  },
)

test.each(Object.entries(ACTS))(
  'two administrators who %s each other at once leave one',
  async (_name, act) => {
    for (let round = 0; round < 3; round += 1) {
      const one = await organisation(server)
      const other = await one.bring('Administrator')
      const { Member } = await one.roles()
      const outcomes = await Promise.allSettled([
        act(one, other.memberId, Member!),
        act(other, one.memberId, Member!),
      ])
      expect(outcomes.map(outcome => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected'])
      const [left] = await server.database.owner(
        `select count(*)::int as count from principal m join role r on r.id = m.role_id where m.organisation_id = $1
        and r.built_in and m.removed_at is null and m.locked_at is null`,
        [one.organisationId],
      )
      expect(left!.count).toBe(1)
    }
  },
)
