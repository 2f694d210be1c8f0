import { afterAll, beforeAll, expect, test } from 'vitest'
import { lock } from '../accounts/notices.ts'
import { freshEmail, newcomer, operator, type Person } from '../support/people.ts'
import { Branch } from './branch.ts'

let branch: Branch

beforeAll(async () => {
  branch = await Branch.start()
})
afterAll(() => branch.stop())

const DELETE = `mutation { deleteAccount { deletedId } }`
const DELETE_USER = `mutation ($id: ID!) { deleteUser(id: $id) { deletedId } }`

/** Mails of any state that the queue still holds. */
const kept = async () =>
  (
    await branch.server.database.owner(
      `select count(distinct id)::int as count from pgboss.job where name in ('mail', 'mail-again')`,
    )
  )[0]!.count as number

/** Somebody for whom a notice and a mail with a link wait, for the mail server does not answer. */
async function awaited(): Promise<Person> {
  const person = await newcomer(branch.admin)
  await lock(branch.admin, person.memberId)
  await person.ask(`mutation { requestEmailChange(email: "${freshEmail('moved')}") { email } }`)
  return person
}

test('mails for an account that was deleted are gone with it, and those of others arrive', async () => {
  const other = await awaited()
  await branch.tried(1)
  const before = await kept()
  const [owner, user] = [await awaited(), await awaited()]
  await branch.tried(1)
  // one more, which no account is named by: an invitation to that very address
  const invited = await branch.admin.add({ email: freshEmail('left') })
  expect(await kept()).toBeGreaterThanOrEqual(before + 7)
  await owner.ask(DELETE)
  const chief = await operator(branch.server)
  await chief.ask(DELETE_USER, { id: user.userId })
  expect(await kept()).toBe(before + 1)

  await branch.office.open()
  await branch.office.lettersTo(other.email, 2, 60_000)
  await branch.office.lettersTo(invited.member.email, 1, 60_000)
  await branch.settled()
  const reached = branch.office.letters.flatMap(({ recipients }) => recipients)
  expect(reached).not.toContain(owner.email)
  expect(reached).not.toContain(user.email)
  // what was delivered is forgotten as well
  const done = await kept()
  await other.ask(DELETE)
  expect(await kept()).toBeLessThan(done)
}, 120_000)

test('nothing that was told or chosen is left of somebody, nor their name with others', async () => {
  const { server, admin } = branch
  const clerk = await newcomer(admin, { roleId: (await admin.roles()).Administrator })
  await clerk.ask(
    `mutation { updateProfile(input: { firstName: "Theodolinde", lastName: "Unverwechselbar" }) { user { id } } }`,
  )
  const other = await newcomer(admin)
  await clerk.ask(
    `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }`,
    { input: { ownerId: other.memberId, name: 'Key', scopes: [] } },
  )
  await lock(admin, clerk.memberId)
  await clerk.ask(
    `mutation { setNotificationPreferences(preferences: [{ category: ACCESS, channel: EMAIL, frequency: NEVER }]) { user { id } } }`,
  )
  const told = async () =>
    (await other.ask(`{ me { notifications { nodes { message } } } }`)).me.notifications.nodes[0]
      .message
  expect(await told()).toContain('Theodolinde Unverwechselbar has created')
  await clerk.ask(DELETE)
  expect(await told()).toContain('Deleted account has created')
  for (const table of ['notification', 'notification_preference', 'notification_digest'])
    expect(
      await server.database.owner(
        `select 1 from ${table} t where user_id = $1 or t::text ilike '%theodolinde%'`,
        [clerk.userId],
      ),
      table,
    ).toEqual([])
})
