import { afterAll, beforeAll, expect, test } from 'vitest'
import { askBy, createKey, renewKey } from '../credentials/keys.ts'
import { freshEmail, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import { act, updateMember } from '../tenancy/verbs.ts'
import { createWorkflow, ended, mail, quiet } from './passages.ts'
import { decide, itemOf, start } from './reviews.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

/** In which columns of the whole database a text stands, whatever their kind. */
async function placesOf(text: string): Promise<string[]> {
  const columns = (await server.database.owner(`
    select format('%I.%I', table_schema, table_name) as "table", quote_ident(column_name) as "column"
    from information_schema.columns join information_schema.tables using (table_schema, table_name)
    where table_type = 'BASE TABLE' and table_schema in ('public', 'pgboss')`)) as {
    table: string
    column: string
  }[]
  const places = columns.map(
    ({ table, column }) => `select '${table}.${column}' as place
      where exists (select from ${table} where ${column}::text ilike $1)`,
  )
  const found = await server.database.owner(places.join(' union all '), [`%${text}%`])
  return found.map(({ place }) => String(place))
}

test('of whoever deletes their account neither name nor address is left anywhere', async () => {
  const email = freshEmail('quastenflosser')
  const mailing = await createWorkflow(admin, [mail('Hello {{firstName}}')])
  const person = await admin.bring('Administrator', email)
  await person.ask(
    `mutation { updateProfile(input: { firstName: "Theodolinde", lastName: "Quastenflosser", phoneNumber: "+49 30 7654321" }) { user { id } } }`,
  )
  await updateMember(admin, person.memberId, { externalId: 'quastenflosser-7' })
  await ended(admin, mailing.id)

  // what they did, and what was done to them and said of them
  const { secret } = await renewKey(person, (await createKey(admin, person.memberId, [])).id)
  await askBy(person, secret, '{ viewer { organisation { id } } }')
  const other = await person.bring()
  await act(person, 'lockMember', other.memberId)
  const review = await start(admin)
  const item = await itemOf(admin, review.id, person.memberId)
  await decide(admin, [{ itemId: item.id, decision: 'KEEP', note: 'Quastenflosser is needed' }])
  await admin.ask(
    `mutation ($id: ID!) { suspendMember(id: $id, input: { reason: "Quastenflosser is away" }) { member { id } } }`,
    { id: person.memberId },
  )
  await act(admin, 'activateMember', person.memberId)
  await signIn(server, email, 'something that is not it').catch(() => undefined)
  const again = await signIn(server, email)
  await quiet(admin)
  expect(await placesOf('quastenflosser')).not.toEqual([])

  await again.ask(`mutation { deleteAccount { deletedId } }`)
  await until(async () => {
    const jobs = await server.database.owner(
      `select 1 from pgboss.job where name like 'event-erasure%' and state <> 'completed'`,
    )
    return jobs.length === 0
  })
  expect(await placesOf('quastenflosser')).toEqual([])
  expect(await placesOf('theodolinde')).toEqual([])
  expect(await placesOf('7654321')).toEqual([])
  expect(
    await server.database.owner(
      `select 1 from api_key where owner_id = $1 and last_used_ip_address is not null
        union all select 1 from session where user_id = $2 and (ip_address <> '' or user_agent is not null)`,
      [person.memberId, person.userId],
    ),
  ).toEqual([])
})
