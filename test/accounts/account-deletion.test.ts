import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import { onPostgres } from '../support/database.ts'
import { requestReset } from '../support/links.ts'
import { mailsSoFar } from '../support/mailbox.ts'
import {
  newcomer,
  operator,
  organisation,
  PASSWORD,
  signIn,
  type Person,
} from '../support/people.ts'
import { OPERATOR, startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'

let server: TestServer
let op: Person
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  op = await operator(server)
  admin = await organisation(server)
})
afterAll(() => server.stop())

const DELETE = `mutation { deleteAccount { deletedId organisation { id } } }`
const DELETE_USER = `mutation ($id: ID!) { deleteUser(id: $id) { deletedId } }`
const members = async (): Promise<string[]> =>
  (
    await admin.ask(`{ organisation { members(first: 100) { nodes { id } } } }`)
  ).organisation.members.nodes.map(({ id }: { id: string }) => id)

/** Everything that the database still says of somebody. */
async function traces(words: string[]): Promise<string[]> {
  const tables = await server.database.owner(
    `select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
      and c.relname <> 'mikro_orm_migrations'`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const [row] = await server.database.owner(
      `select count(*)::int as count from ${name as string} t where t::text ilike any($1)`,
      [words.map(word => `%${word}%`)],
    )
    if (row!.count) found.push(name as string)
  }
  return found
}

test('whoever deletes their account is gone from every organisation, and nothing of them stays behind', async () => {
  const person = await newcomer(admin, { firstName: 'Theodolinde', lastName: 'Unverwechselbar' })
  expect(await traces([person.email, 'theodolinde'])).toContain('principal')
  expect((await person.ask(DELETE)).deleteAccount).toEqual({
    deletedId: person.userId,
    organisation: null,
  })
  // before anybody tries that login again, which the trail of failed sign-ins tells
  await until(async () => {
    const left = await traces([person.email, 'theodolinde', 'unverwechselbar'])
    return left.length === 0
  })
  await expect(person.ask(`{ me { id } }`)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  await expect(signIn(server, person.email)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  await expect(
    ask(
      server.url,
      `mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { accessToken } }`,
      { token: person.refreshToken },
    ),
  ).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  expect(await members()).not.toContain(person.memberId)
})

test('the address is free again, for an account that knows nothing of the one before', async () => {
  const person = await newcomer(admin)
  await person.ask(DELETE)
  const again = await newcomer(admin, { email: person.email })
  expect(again.userId).not.toBe(person.userId)
})

test('the last administrator of an organisation stays until somebody else is one', async () => {
  const alone = await organisation(server)
  await expect(alone.ask(DELETE)).rejects.toBeRefused('CONFLICT', 'LAST_ADMINISTRATOR')
  await alone.ask(`{ me { id } }`)
  await alone.bring('Administrator')
  await alone.ask(DELETE)
})

test('of two administrators who delete their accounts at once, one stays', async () => {
  const one = await organisation(server)
  const other = await one.bring('Administrator')
  const outcomes = await Promise.allSettled([one.ask(DELETE), other.ask(DELETE)])
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

// PGlite has one connection: there nothing can come in between
test.skipIf(!onPostgres())(
  'an organisation that the person came to rule a moment ago keeps its last administrator',
  async () => {
    const person = await newcomer(admin)
    const there = await organisation(server)
    const { Administrator } = await there.roles()
    const between = new Client({ connectionString: server.database.options.url })
    await between.connect()
    try {
      await between.query('set role gatehouse_system; begin')
      await between.query('select from user_account where id = $1 for update', [person.userId])
      const deletion = person.ask(DELETE).then(
        () => null,
        (error: unknown) => error,
      )
      // it knows the organisations by now, and waits for the account
      await until(async () => {
        const waiting = await server.database.owner(`select 1 from pg_locks where not granted`)
        return waiting.length > 0
      })
      await between.query(
        `insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name,
           last_name, name, sort_name, status)
         values (gen_random_uuid(), now(), now(), $1, 'MEMBER', $2, $3, $4, 'Ann', 'Lee', 'Ann Lee', 'ann lee', 'ACTIVE')`,
        [there.organisationId, person.userId, Administrator, person.email],
      )
      await between.query('update principal set removed_at = now() where id = $1', [there.memberId])
      await between.query('commit')
      const refused = await deletion
      await expect(Promise.reject(refused as Error)).rejects.toBeRefused('SERVICE_UNAVAILABLE')
    } finally {
      await between.end()
    }
    // asked again, it finds the organisation in time
    await expect(person.ask(DELETE)).rejects.toBeRefused('CONFLICT', 'LAST_ADMINISTRATOR')
    await person.ask(`{ me { id } }`)
  },
)

test.skipIf(!onPostgres())(
  'no link is mailed to whoever is gone before it could be made',
  async () => {
    const person = await newcomer(admin)
    const between = new Client({ connectionString: server.database.options.url })
    await between.connect()
    try {
      await between.query('set role gatehouse_system; begin')
      await between.query(
        `update user_account set deleted_at = now(), email = id || '@deleted.invalid' where id = $1`,
        [person.userId],
      )
      await requestReset(server, person.email)
      await until(async () => {
        const waiting = await server.database.owner(`select 1 from pg_locks where not granted`)
        return waiting.length > 0
      })
      await between.query('commit')
    } finally {
      await between.end()
    }
    expect(await mailsSoFar(server, person.email)).toEqual([])
    expect(
      await server.database.owner('select kind from link where user_id = $1', [person.userId]),
    ).toEqual([])
  },
)

test('an account is deleted only by who has just proven to be its owner', async () => {
  const person = await newcomer(admin)
  server.clock.advance({ minutes: 11 })
  await expect(person.ask(DELETE)).rejects.toBeRefused('STEP_UP_REQUIRED')
  await expect(ask(server.url, DELETE)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'CREDENTIALS_INVALID',
  )
  const { reauthenticate } = await person.ask(
    `mutation ($password: String!) { reauthenticate(input: { password: $password }) { accessToken } }`,
    { password: PASSWORD },
  )
  person.accessToken = reauthenticate.accessToken
  await person.ask(DELETE)
})

test('operators delete accounts, an organisation’s last administrator too; others do not', async () => {
  op = await operator(server)
  const alone = await organisation(server)
  admin = await signIn(server, admin.email)
  await expect(admin.ask(DELETE_USER, { id: alone.userId })).rejects.toBeRefused(
    'FORBIDDEN',
    'PERMISSION_MISSING',
  )
  expect((await op.ask(DELETE_USER, { id: alone.userId })).deleteUser.deletedId).toBe(alone.userId)
  await expect(alone.ask(`{ me { id } }`)).rejects.toBeRefused('UNAUTHENTICATED', 'SESSION_ENDED')
  await expect(op.ask(DELETE_USER, { id: alone.userId })).rejects.toBeRefused('NOT_FOUND')
  server.clock.advance({ minutes: 11 })
  await expect(op.ask(DELETE_USER, { id: admin.userId })).rejects.toBeRefused('STEP_UP_REQUIRED')
})

test('the platform’s last operator cannot be deleted, not even by themselves', async () => {
  op = await operator(server)
  expect(op.email).toBe(OPERATOR.email)
  await op.bring('Administrator')
  await expect(op.ask(DELETE)).rejects.toBeRefused('CONFLICT', 'LAST_ADMINISTRATOR')
  await expect(op.ask(DELETE_USER, { id: op.userId })).rejects.toBeRefused(
    'CONFLICT',
    'LAST_ADMINISTRATOR',
  )
})
