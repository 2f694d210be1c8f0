import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  assign,
  createWorkflow,
  ended,
  hurry,
  quiet,
  runsOf,
  trailOf,
} from '../operations/passages.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import { createRole, updateMember } from '../tenancy/verbs.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
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

/** A workflow whose step breaks something in the database, and the member whom its first run is about. */
async function broken(): Promise<{ id: string; person: Person; role: string }> {
  const { id: role } = await createRole(admin, ['viewUser'])
  const { id } = await createWorkflow(admin, [assign(role)], { trigger: 'member.updated' })
  const person = await newcomer(admin)
  await asOwner(`create function break_role() returns trigger language plpgsql as $$ begin
    if new.role_id = '${role}' then raise exception 'not this time'; end if; return new; end $$`)
  await asOwner(
    `create trigger break_role before update on principal for each row execute function break_role()`,
  )
  await updateMember(admin, person.memberId, { lastName: 'Other' })
  return { id, person, role }
}

const mend = async () => {
  await asOwner('drop trigger break_role on principal')
  await asOwner('drop function break_role')
}
const tries = async (): Promise<number> => {
  const [row] = await server.database.owner(
    `select coalesce(max(retry_count), -1)::int as count from pgboss.job where name = 'workflow-step-again'
     and state in ('created', 'retry', 'active')`,
  )
  return row!.count as number
}

test('a step that breaks is tried again, and done once when it is mended', async () => {
  const { id, person, role } = await broken()
  await until(async () => (await tries()) >= 1)
  expect(await runsOf(admin, id)).toMatchObject([{ status: 'RUNNING', problem: null }])
  await mend()
  await hurry(admin)
  expect(await ended(admin, id)).toMatchObject([{ status: 'SUCCEEDED' }])
  const { organisation: own } = await admin.ask(
    `query ($id: ID!) { organisation { member(id: $id) { role { id } } } }`,
    { id: person.memberId },
  )
  expect(own.member.role.id).toBe(role)
  await admin.ask(`mutation ($id: ID!) { deleteWorkflow(id: $id) { deletedId } }`, { id })
})

test('one that breaks whatever is tried ends its run, with nothing done and no more said than that', async () => {
  const { id } = await broken()
  await until(async () => {
    await hurry(admin)
    return (await runsOf(admin, id))[0]?.status === 'FAILED'
  }, 60_000)
  await mend()
  const [run] = await runsOf(admin, id)
  expect(run.problem).toEqual({
    code: 'INTERNAL_SERVER_ERROR',
    reason: null,
    message: 'The server could not take this step.',
    path: ['steps', '0'],
  })
  await quiet(admin)
  expect((await trailOf(admin, 'workflow.run_failed'))[0]).toMatchObject({ requestId: run.id })
}, 90_000)
