import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildOpenSchema } from '../../src/graphql/schema.ts'
import { newId } from '../../src/shared/tokens.ts'
import { post } from '../support/client.ts'
import { operator, organisation, PASSWORD, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { argumentsOf, idPlaces, operationOf, type IdPlace, type Paths } from './fields.ts'
import { candidates, furnish, type Targets } from './world.ts'

// Every id argument of the whole schema, found from the schema itself.

const places = idPlaces(await buildOpenSchema())
const MALFORMED = ['', 'no id', "'", '{', '01920000-0000-7000-8000-00000000000', 'null', '../x']

let server: TestServer
let admin: Person
let op: Person
let own: Targets
let paths: Paths

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  op = await operator(server)
  own = await furnish(admin)
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

async function answer({ door, path }: IdPlace, id: string, by: Person) {
  const place = path.join('.')
  const isList = path.at(-1)!.endsWith('s')
  const values = argumentsOf(door, {
    id: (other, at) => (at === place ? (isList ? [newId(), id] : id) : candidates(own, other)[0]),
    also: path,
    given: {
      ...(door.name === 'Mutation.signIn' && {
        'input.email': admin.email,
        'input.password': PASSWORD,
      }),
    },
  })
  const query = operationOf(door, values, paths)
  const { json } = await post(server.url, JSON.stringify({ query, variables: values }), {
    authorization: `Bearer ${by.accessToken}`,
  })
  return json.errors[0].extensions
}

const ofOperators = ({ door: { name, type } }: IdPlace) =>
  type === 'Platform' ||
  /(User|UserSessions|UserMfa|Operator)$|(suspend|activate|delete)Organisation/.test(name)

test.each(places.map(place => [`${place.door.name}(${place.path.join('.')})`, place] as const))(
  '%s says of a malformed id where it stands',
  async (_name, place) => {
    for (const id of MALFORMED) {
      const { code, reason, fields } = await answer(place, id, ofOperators(place) ? op : admin)
      expect({ code, reason }, id).toEqual({ code: 'BAD_USER_INPUT', reason: 'INVALID_FORMAT' })
      // lists within have a number in between
      expect(fields[0].path.filter((step: unknown) => typeof step === 'string')).toEqual(place.path)
      if (place.path.at(-1)!.endsWith('s')) expect(fields[0].path.at(-1)).toBe(1)
    }
  },
)

test('an id that stands in the document itself, or under an alias, is looked at too', async () => {
  for (const query of [
    `{ organisation { member(id: "x") { id } } }`,
    `{ organisation { member(id: 5) { id } } }`,
    `{ organisation { first: member(id: "${admin.memberId}") { id } second: member(id: "y") { id } } }`,
    `query ($id: ID! = "z") { organisation { member(id: $id) { id } } }`,
    `{ organisation { members(filter: { roleIds: "w" }) { totalCount } } }`,
  ])
    await expect(admin.ask(query)).rejects.toBeRefused('BAD_USER_INPUT', 'INVALID_FORMAT')
})

test('doors come before the look at ids, and an id in capitals is the same id', async () => {
  const { json } = await post(
    server.url,
    JSON.stringify({ query: `mutation { lockMember(id: "x") { member { id } } }` }),
  )
  expect(json.errors[0].extensions.code).toBe('UNAUTHENTICATED')
  const { organisation: there } = await admin.ask(
    `query ($id: ID!) { organisation { member(id: $id) { id } } }`,
    { id: admin.memberId.toUpperCase() },
  )
  expect(there.member.id).toBe(admin.memberId)
})
