import { afterAll, beforeAll, expect, test } from 'vitest'
import { Refusal } from '../support/client.ts'
import { newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  act,
  addMember,
  admit,
  assign,
  createRole,
  deleteRole,
  holder,
  RANDOM_ID,
  suspendMember,
  updateRole,
} from './verbs.ts'

let server: TestServer
let beside: TestServer
let admin: Person
let member: string

const LAST = ['CONFLICT', 'LAST_ADMINISTRATOR'] as const
const leave = (person: Person, id = person.organisationId) =>
  act(person, 'leaveOrganisation', id, 'deletedId organisation { id }')

beforeAll(async () => {
  server = await startServer()
  beside = await startServer({ beside: server })
  admin = await organisation(server)
  member = (await admin.roles()).Member!
})
afterAll(async () => {
  await beside.stop()
  await server.stop()
})

test('the last administrator cannot be demoted, barred, removed, nor leave', async () => {
  const id = admin.memberId
  for (const verb of ['lockMember', 'suspendMember', 'deactivateMember', 'removeMember'])
    await expect(act(admin, verb, id), verb).rejects.toBeRefused(...LAST)
  await expect(assign(admin, id, member)).rejects.toBeRefused(...LAST)
  await expect(leave(admin)).rejects.toBeRefused(...LAST)
  // nothing of it happened, and who is invited, locked or barred does not count
  const { Administrator } = await admin.roles()
  await addMember(admin, { roleId: Administrator })
  await expect(leave(admin)).rejects.toBeRefused(...LAST)
  const second = await newcomer(admin, { roleId: Administrator })
  for (const [bar, readmit] of [
    ['lockMember', 'unlockMember'],
    ['suspendMember', 'activateMember'],
    ['deactivateMember', 'activateMember'],
  ] as const) {
    await act(admin, bar, second.memberId)
    await expect(leave(admin)).rejects.toBeRefused(...LAST)
    await act(admin, readmit, second.memberId)
  }
  // nor does one whose account an operator has barred
  await server.database.owner(`update user_account set locked_at = now() where id = $1`, [
    second.userId,
  ])
  await expect(leave(admin)).rejects.toBeRefused(...LAST)
  await act(admin, 'removeMember', second.memberId)
  await expect(assign(admin, id, member)).rejects.toBeRefused(...LAST)
})

test('where operators have barred every administrator, others may still leave', async () => {
  const founder = await organisation(server)
  const person = await newcomer(founder)
  await server.database.owner(`update user_account set status = 'INACTIVE' where id = $1`, [
    founder.userId,
  ])
  await leave(person)
})

test('an administrator by a role of one’s own making counts, until the role is changed or replaced', async () => {
  const founder = await organisation(server)
  const { Member } = await founder.roles()
  const role = await createRole(founder, ['manageUser', 'manageRole'])
  const half = await createRole(founder, ['manageUser'])
  await assign(founder, founder.memberId, role.id)
  await expect(updateRole(founder, role.id, { permissions: ['manageUser'] })).rejects.toBeRefused(
    ...LAST,
  )
  await expect(deleteRole(founder, role.id, Member)).rejects.toBeRefused(...LAST)
  await expect(deleteRole(founder, role.id, half.id)).rejects.toBeRefused(...LAST)
  await updateRole(founder, role.id, { name: 'Keeper' })
  const twin = await createRole(founder, ['manageRole', 'manageUser'])
  await deleteRole(founder, role.id, twin.id)
})

/** Two administrators and what each does to the other, on two nodes at the same moment. */
async function duel(acts: (self: Person, rival: Person) => Promise<unknown>): Promise<void> {
  const { Administrator } = await admin.roles()
  const one = await newcomer(admin, { roleId: Administrator })
  const two = await newcomer(admin, { roleId: Administrator })
  // the two are alone with each other
  await assign(one, admin.memberId, member)
  const outcomes = await Promise.allSettled([acts(one, two), acts(two, one)])
  const left = await server.database.owner(
    `select m.id from principal m join role r on r.id = m.role_id where m.organisation_id = $1 and r.built_in
       and m.kind = 'MEMBER' and m.removed_at is null and m.locked_at is null and m.status = 'ACTIVE'`,
    [admin.organisationId],
  )
  expect(left).toHaveLength(1)
  expect(outcomes.filter(each => each.status === 'fulfilled')).toHaveLength(1)
  for (const outcome of outcomes)
    // refused as the last one, or barred before they could ask
    if (outcome.status === 'rejected') {
      expect(outcome.reason).toBeInstanceOf(Refusal)
      expect(['LAST_ADMINISTRATOR', 'SESSION_ENDED', 'PERMISSION_MISSING']).toContain(
        outcome.reason.reason,
      )
    }
  await server.database.owner(`update principal set role_id = $1 where id = $2`, [
    Administrator,
    admin.memberId,
  ])
  await server.database.owner(
    `update principal set removed_at = now() where organisation_id = $1 and id <> $2 and removed_at is null`,
    [admin.organisationId, admin.memberId],
  )
}

const through = (url: string, person: Person): Person =>
  Object.assign(Object.create(person) as Person, {
    ask: (document: string, variables = {}) => person.ask(document, variables, url),
  })
let turn = 0
/** Every other act goes to the second node. */
const somewhere = (person: Person) => through((turn += 1) % 2 ? server.url : beside.url, person)

const DUELS: [string, (self: Person, rival: Person) => Promise<unknown>][] = [
  ['demote', (self, rival) => assign(somewhere(self), rival.memberId, member)],
  ['lock', (self, rival) => act(somewhere(self), 'lockMember', rival.memberId)],
  ['suspend', (self, rival) => suspendMember(somewhere(self), rival.memberId)],
  ['deactivate', (self, rival) => act(somewhere(self), 'deactivateMember', rival.memberId)],
  ['remove', (self, rival) => act(somewhere(self), 'removeMember', rival.memberId)],
]
for (const [name, acts] of DUELS)
  test(`of two administrators who ${name} each other at once, one remains`, async () => {
    for (let round = 0; round < 4; round += 1) await duel(acts)
  })

test('of two administrators who both leave, or demote themselves, at once, one remains', async () => {
  for (let round = 0; round < 4; round += 1) {
    await duel(self => leave(somewhere(self), admin.organisationId))
    await duel(self => assign(somewhere(self), self.memberId, member))
  }
})

test('of two roles that are weakened or replaced at once, one still administers', async () => {
  for (let round = 0; round < 4; round += 1) {
    const founder = await holder(admin, ['manageUser', 'manageRole', 'viewAudit'])
    const second = await holder(admin, ['manageUser', 'manageRole', 'viewAudit'])
    await server.database.owner(`update principal set role_id = $1 where id = $2`, [
      member,
      admin.memberId,
    ])
    const outcomes = await Promise.allSettled([
      updateRole(somewhere(founder), second.roleId, { permissions: ['viewAudit'] }),
      round % 2
        ? deleteRole(somewhere(second), founder.roleId, member)
        : updateRole(somewhere(second), founder.roleId, { permissions: [] }),
    ])
    expect(outcomes.filter(each => each.status === 'fulfilled')).toHaveLength(1)
    await server.database.owner(`update principal set role_id = $1 where id = $2`, [
      (await admin.roles()).Administrator,
      admin.memberId,
    ])
    for (const person of [founder, second]) await act(admin, 'removeMember', person.memberId)
  }
})

test('leaving ends the sessions that act there, and keeps the rest', async () => {
  const other = await organisation(server)
  const person = await newcomer(admin)
  const elsewhere = await signIn(server, person.email)
  await admit(other, person)
  await elsewhere.switchTo(other.organisationId)
  await expect(leave(person, RANDOM_ID)).rejects.toBeRefused('NOT_FOUND')
  await expect(leave(person, (await organisation(server)).organisationId)).rejects.toBeRefused(
    'NOT_FOUND',
  )

  expect(await leave(elsewhere, admin.organisationId)).toEqual({
    deletedId: person.memberId,
    organisation: null,
  })
  await expect(person.ask(`{ me { id } }`)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  const { me } = await elsewhere.ask(`{ me { memberships { nodes { organisation { id } } } } }`)
  expect(me.memberships.nodes).toEqual([{ organisation: { id: other.organisationId } }])
  await expect(leave(elsewhere, admin.organisationId)).rejects.toBeRefused('NOT_FOUND')
  await leave(elsewhere)
  await expect(elsewhere.ask(`{ me { id } }`)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'SESSION_ENDED',
  )
  expect((await signIn(server, person.email)).memberId).toBe('')
})

test('who leaves while barred or locked stays barred, who leaves in good standing does not', async () => {
  const other = await organisation(server)
  const barred = async (bar: string | null) => {
    const person = await newcomer(admin)
    const id = person.memberId
    await admit(other, person)
    await person.switchTo(other.organisationId)
    if (bar) await act(admin, bar, id)
    await leave(person, admin.organisationId)
    const [row] = await server.database.owner(`select return_barred from principal where id = $1`, [
      id,
    ])
    return row!.return_barred
  }
  expect(await barred(null)).toBe(false)
  for (const bar of ['suspendMember', 'deactivateMember', 'lockMember'])
    expect(await barred(bar), bar).toBe(true)
})
