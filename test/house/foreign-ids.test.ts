import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildOpenSchema } from '../../src/graphql/schema.ts'
import { digest, newId, newToken } from '../../src/shared/tokens.ts'
import { post } from '../support/client.ts'
import { organisation, PASSWORD, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { argumentsOf, idPlaces, operationOf, type IdPlace, type Paths } from './fields.ts'
import { candidates, furnish, type Targets } from './world.ts'

const places = idPlaces(await buildOpenSchema())
/**
 * Lists narrowed by an id that nothing matches are empty; a sign-in lands where it would have; and what asks for a mail
 * is answered alike, whatever comes of it.
 */
const ANSWERED = new Set([
  'Mutation.signIn(input.organisationId)',
  'Mutation.signInWithMagicLink(input.organisationId)',
  'Mutation.requestMagicLink(input.projectId)',
  'Organisation.sessions(memberId)',
  // rows are refused one by one, as data
  'Mutation.addMembers(rows.roleId)',
  'Mutation.addMembers(rows.projectAccess.projectId)',
  'Mutation.addMembers(rows.projectAccess.roleId)',
  'Mutation.inviteMembers(rows.roleId)',
  'Mutation.inviteMembers(rows.projectAccess.projectId)',
  'Mutation.inviteMembers(rows.projectAccess.roleId)',
  'Mutation.updateMembers(rows.id)',
  'Mutation.updateMembers(rows.input.roleId)',
  'Mutation.applyMemberAction(ids)',
])

let server: TestServer
let admin: Person
let neighbour: Person
let own: Targets
let foreign: Targets
let paths: Paths

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
  own = await furnish(admin)
  foreign = await furnish(neighbour)
  paths = {
    Organisation: inner => `{ organisation { ${inner} } }`,
    Platform: inner => `{ platform { ${inner} } }`,
    Viewer: inner => `{ viewer { ${inner} } }`,
    Member: inner => `{ organisation { member(id: "${own.member}") { ${inner} } } }`,
    ServiceAccount: inner =>
      `{ organisation { serviceAccount(id: "${own.serviceAccount}") { ${inner} } } }`,
    AccessReview: inner =>
      `{ organisation { accessReview(id: "${own.accessReview}") { ${inner} } } }`,
  }
})
afterAll(() => server.stop())

/** Everything the neighbour has, row by row. */
async function neighboursRows(): Promise<Record<string, unknown>> {
  const tables = await server.database.owner(
    `select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'organisation_id'`,
  )
  const rows: Record<string, unknown> = {}
  for (const { name } of tables)
    rows[String(name)] = await server.database.owner(
      `select count(*)::int as count, md5(string_agg(t::text, '|' order by t::text)) as digest from "${String(name)}" t where organisation_id = $1`,
      [neighbour.organisationId],
    )
  rows.organisation = await server.database.owner(
    `select t::text from organisation t where id = $1`,
    [neighbour.organisationId],
  )
  rows.user_account = await server.database.owner(
    `select t::text from user_account t where id = any($1::uuid[]) order by id`,
    [[neighbour.userId, foreign.user]],
  )
  return rows
}

/** A sign-in link for the administrator that has not been used. */
async function magicLink(): Promise<string> {
  const token = newToken()
  // one asked for a moment ago may be made meanwhile
  await server.database.owner(
    `insert into link (id, created_at, user_id, kind, email, token_digest, expires_at)
     values (gen_random_uuid(), now(), $1, 'MAGIC_LINK', $2, $3, now() + interval '1 hour')
     on conflict (user_id, kind) where spent_at is null do update set token_digest = excluded.token_digest`,
    [admin.userId, admin.email, digest(token)],
  )
  return token
}

/** What comes back, without what differs from call to call. */
async function answer({ door, path, kind }: IdPlace, id: string) {
  const place = path.join('.')
  const isList = path.at(-1)!.endsWith('s')
  const values = argumentsOf(door, {
    id: (other, at) => (at === place ? (isList ? [id] : id) : candidates(own, other)[0]),
    also: path,
    given: {
      // signing in with a wrong password would say nothing of the organisation
      ...(door.name === 'Mutation.signIn' && {
        'input.email': admin.email,
        'input.password': PASSWORD,
      }),
      ...(door.name === 'Mutation.requestMagicLink' && { 'input.email': admin.email }),
      ...(door.name === 'Mutation.signInWithMagicLink' && { 'input.token': await magicLink() }),
    },
  })
  expect(JSON.stringify(values), `${door.name}(${place}) of kind ${kind}`).toContain(id)
  const { json } = await post(
    server.url,
    JSON.stringify({ query: operationOf(door, values, paths), variables: values }),
    {
      authorization: `Bearer ${admin.accessToken}`,
    },
  )
  return {
    data: json.data,
    errors: json.errors?.map(
      ({ message, path: at, extensions: { code, reason, fields } }: any) => ({
        message,
        at,
        code,
        reason,
        fields,
      }),
    ),
  }
}

test('the schema takes ids in many places, and each kind of them is known', () => {
  expect(places.length).toBeGreaterThan(60)
})

test.each(places.map(place => [`${place.door.name}(${place.path.join('.')})`, place] as const))(
  "%s answers the neighbour's ids like random ones and changes nothing there",
  async (name, place) => {
    const before = await neighboursRows()
    for (const id of candidates(foreign, place.kind)) {
      const [theirs, random] = [await answer(place, id), await answer(place, newId())]
      expect(theirs).toEqual(random)
      const refused = theirs.errors?.[0]
      const mustRefuse = name.startsWith('Mutation') && !ANSWERED.has(name)
      expect(mustRefuse ? refused?.code : 'NOT_FOUND').toMatch(/^(NOT_FOUND|FORBIDDEN)$/)
      expect(refused?.code === 'FORBIDDEN' ? refused.reason : 'PERMISSION_MISSING').toBe(
        'PERMISSION_MISSING',
      )
    }
    expect(await neighboursRows()).toEqual(before)
  },
)

test('only operators are refused for who they are instead of for the id', async () => {
  const forbidden: string[] = []
  for (const place of places) {
    const { errors } = await answer(place, newId())
    if (errors?.[0].code === 'FORBIDDEN') forbidden.push(place.door.name)
  }
  expect(
    forbidden.filter(
      name => !/User|Operator|Platform|Mutation\.(suspend|activate|delete)Organisation/.test(name),
    ),
  ).toEqual([])
})

test('ids of the own organisation are answered', async () => {
  // or the comparison above would show nothing
  const found: string[] = []
  for (const place of places.filter(each =>
    /^Organisation\.(member|role|project|serviceAccount)$/.test(each.door.name),
  ))
    found.push(String((await answer(place, candidates(own, place.kind)[0]!)).errors))
  expect(found).toEqual(Array.from({ length: 4 }, () => 'undefined'))
})
