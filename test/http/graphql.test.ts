import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, post } from '../support/client.ts'
import { freshEmail, organisation, PASSWORD, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const VIEWER = '{ viewer { operator } }'
const send = (
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) => post(server.url, JSON.stringify({ query, variables }), headers)
const asAdmin = () => ({ authorization: `Bearer ${admin.accessToken}` })

type Answer = Awaited<ReturnType<typeof post>>
const codeOf = ({ json }: Answer): string => json.errors[0].extensions.code

describe('what is no GraphQL request', () => {
  test.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])('is answered 405 for %s', async method => {
    const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent(VIEWER)}`, {
      method,
      headers: asAdmin(),
    })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
    expect(await response.text()).not.toContain('operator":')
  })

  test.each([
    '',
    '{bad',
    '[',
    '{"query":"{viewer{operator}}","variables":{"__proto__":{"a":1}}}',
    '{"query":"{viewer{operator}}","variables":{"constructor":{"prototype":{"a":1}}}}',
  ])('is answered 400 for the body %j', async body =>
    expectRefused(await post(server.url, body), 400, 'BAD_REQUEST'),
  )

  test('is answered 400 for batches, for other JSON and for forms that another site could send', async () => {
    const signIn = JSON.stringify({
      query: `mutation { signIn(input: { email: "${admin.email}", password: "${PASSWORD}" }) { __typename } }`,
    })
    const answers = [
      await post(server.url, `[${signIn},${signIn}]`),
      await post(server.url, `[${signIn}]`),
      await post(server.url, signIn, { 'content-type': 'text/plain' }),
      await post(server.url, signIn, { 'content-type': 'text/plain; application/json' }),
      ...(await Promise.all(
        ['null', '1', '"x"', '{}', '{"query":1}', '{"query":null}'].map(body =>
          post(server.url, body),
        ),
      )),
      ...(await Promise.all(
        ['"x"', '[1]', '1'].map(variables =>
          post(server.url, `{"query":"${VIEWER}","variables":${variables}}`),
        ),
      )),
    ]
    for (const answer of answers) {
      expect([answer.status, codeOf(answer)], answer.text).toEqual([400, 'BAD_REQUEST'])
      expect(answer.json.data).toBeUndefined()
    }
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect(
        (await post(server.url, signIn, { 'content-type': type })).status,
      ).toBeGreaterThanOrEqual(400)
  })

  test('is answered with the usual codes for operations that cannot be chosen', async () => {
    expectRefused(
      await send('query A { viewer { operator } } query B { viewer { operator } }'),
      400,
      'OPERATION_RESOLUTION_FAILURE',
    )
    const hash = { persistedQuery: { version: 1, sha256Hash: 'x' } }
    expectRefused(
      await post(server.url, JSON.stringify({ extensions: hash })),
      200,
      'PERSISTED_QUERY_NOT_SUPPORTED',
    )
  })
})

describe('too much', () => {
  const withPassword = (length: number) =>
    [
      `mutation ($p: String!) { signIn(input: { email: "${freshEmail()}", password: $p }) { __typename } }`,
      { p: 'x'.repeat(length) },
    ] as const

  test('of a body is answered 413: 100 kB without a caller, 1 MB with one', async () => {
    expect(codeOf(await send(...withPassword(90_000)))).toBe('UNAUTHENTICATED')
    expectRefused(await send(...withPassword(100_000)), 413, 'BAD_REQUEST')
    expectRefused(await send(...withPassword(1_000_000)), 413, 'BAD_REQUEST')
    expect((await send(...withPassword(900_000), asAdmin())).status).toBe(200)
    expectRefused(await send(...withPassword(1_000_000), asAdmin()), 413, 'BAD_REQUEST')
  })

  test('of a body that does not say how long it is, is answered 413 too', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const chunked = request(
        `${server.url}/graphql`,
        { method: 'POST', headers: { 'content-type': 'application/json' } },
        response => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      chunked.on('error', reject)
      chunked.write(`{"query":"${VIEWER}","x":"`)
      chunked.write('x'.repeat(120_000))
      chunked.end('"}')
    })
    expect(status).toBe(413)
  })

  const nested = (first: string) => `members${first} { nodes { projectAccess${first} { nodes {
    id createdAt role { id name level permissions { name level description builtIn } } project { id name slug } } } } }`

  test.each<[string, string, Record<string, unknown>]>([
    [
      'depth',
      `{ me { memberships { nodes { organisation { members { nodes { organisation { members { nodes { id } } } } } } } } } }`,
      {},
    ],
    [
      'depth by fragments',
      `{ me { memberships { nodes { ...M } } } } fragment M on Member { organisation { members { nodes { ...N } } } }
      fragment N on Member { organisation { members { nodes { id } } } }`,
      {},
    ],
    [
      'aliases',
      `{ ${Array.from({ length: 16 }, (_, index) => `a${index}: viewer { operator }`).join(' ')} }`,
      {},
    ],
    ['cost by the default page', `{ organisation { ${nested('')} } }`, {}],
    ['cost by a literal', `{ organisation { ${nested('(first: 100)')} } }`, {}],
    [
      'cost by a variable',
      `query ($n: Int!) { organisation { ${nested('(first: $n)')} } }`,
      { n: 100 },
    ],
    [
      "cost by a variable's default",
      `query ($n: Int! = 100) { organisation { ${nested('(first: $n)')} } }`,
      {},
    ],
    [
      'cost by fragments',
      `{ organisation { ...O } } fragment O on Organisation { ${nested('(first: 100)')} }`,
      {},
    ],
    [
      'cost behind a condition',
      `query ($b: Boolean!) { organisation { ...O @include(if: $b) } } fragment O on Organisation { ${nested('(first: 100)')} }`,
      { b: true },
    ],
  ])('%s is refused before anything is executed', async (_what, query, variables) => {
    expectRefused(await send(query, variables, asAdmin()), 400, 'GRAPHQL_VALIDATION_FAILED')
  })

  test('of an answer keeps its mutation from being carried out', async () => {
    const answer = await send(
      `mutation { updateOrganisation(input: { name: "Changed" }) { organisation { ${nested('(first: 100)')} } } }`,
      {},
      asAdmin(),
    )
    expectRefused(answer, 400, 'GRAPHQL_VALIDATION_FAILED')
    const { json } = await send('{ organisation { name } }', {}, asAdmin())
    expect(json.data.organisation.name).not.toBe('Changed')
  })

  test('cost by a variable that is left out is refused like the default page', async () => {
    expectRefused(
      await send(`query ($n: Int) { organisation { ${nested('(first: $n)')} } }`, {}, asAdmin()),
      400,
      'GRAPHQL_VALIDATION_FAILED',
    )
  })

  test('of tokens is refused', async () => {
    const answer = await send(`{ viewer { ${'operator '.repeat(1_001)} } }`)
    expectRefused(answer, 400, 'GRAPHQL_PARSE_FAILED')
  })
})

test('answers are in the media type that was asked for, and kept by nobody', async () => {
  const { headers } = await send(VIEWER, {}, { accept: 'application/graphql-response+json' })
  expect(headers.get('content-type')).toContain('application/graphql-response+json')
  expect(headers.get('cache-control')).toBe('no-store')
})
