import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshEmail, operator, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await operator(server)
})
afterAll(() => server.stop())

/** Changes tables, as their owner. */
async function asOwner(text: string): Promise<void> {
  const { url } = server.database.options
  if (!url) return void (await server.database.owner(text))
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}

const add = (email: string, more: object = {}) =>
  admin.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } invitationUrl } }`,
    { input: { email, firstName: 'Ann', lastName: 'Lee', ...more } },
  )

/** How much of everything that an act leaves behind there is. */
async function traces() {
  const [row] = await server.database.owner(`select
    (select count(*)::int from principal) as members,
    (select count(*)::int from invitation) as invitations,
    (select count(*)::int from event) as events,
    (select count(*)::int from pgboss.job where name = 'mail') as mails`)
  return row!
}

test('a mutation that fails as it is committed leaves no mail, no event and no row', async () => {
  await asOwner(
    `create function refuse_commit() returns trigger language plpgsql as $$ begin raise exception 'not this time'; end $$`,
  )
  await asOwner(
    `create constraint trigger refuse_commit after insert on invitation deferrable initially deferred
    for each row execute function refuse_commit()`,
  )
  const before = await traces()
  const email = freshEmail('never')
  await expect(add(email)).rejects.toBeRefused('INTERNAL_SERVER_ERROR')
  expect(await traces()).toEqual(before)

  await asOwner('drop trigger refuse_commit on invitation')
  await add(email)
  expect(await traces()).toEqual({
    members: (before.members as number) + 1,
    invitations: (before.invitations as number) + 1,
    events: (before.events as number) + 2,
    mails: (before.mails as number) + 1,
  })
  await until(() => server.app.mailbox!.list().some(mail => mail.to.address === email))
  expect(server.app.mailbox!.list()).toHaveLength(1)
})

test('a mutation that is refused half-way leaves the event that says so, and nothing else', async () => {
  const before = await traces()
  await expect(
    add(freshEmail('half'), {
      projectAccess: [{ projectId: admin.organisationId, roleId: (await admin.roles()).Member }],
    }),
  ).rejects.toBeRefused('NOT_FOUND')
  expect(await traces()).toEqual({ ...before, events: (before.events as number) + 1 })
  const { organisation: own } = await admin.ask(
    `{ organisation { auditEvents(first: 1) { nodes { topic { name } outcome reason actor { id } } } } }`,
  )
  expect(own.auditEvents.nodes).toEqual([
    {
      topic: { name: 'member.added' },
      outcome: 'DENIED',
      reason: 'NOT_FOUND',
      actor: { id: admin.memberId },
    },
  ])
})

test('of several that add one address at once, one leaves its traces and the others none', async () => {
  const before = await traces()
  const email = freshEmail('twice')
  const outcomes = await Promise.allSettled([add(email), add(email), add(email)])
  expect(outcomes.filter(outcome => outcome.status === 'fulfilled')).toHaveLength(1)
  for (const outcome of outcomes)
    if (outcome.status === 'rejected')
      expect(outcome.reason).toBeRefused('CONFLICT', 'ALREADY_EXISTS')
  expect(await traces()).toEqual({
    members: (before.members as number) + 1,
    invitations: (before.invitations as number) + 1,
    events: (before.events as number) + 2,
    mails: (before.mails as number) + 1,
  })
})
