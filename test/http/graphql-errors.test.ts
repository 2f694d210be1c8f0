import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { post } from '../support/client.ts'
import { invite, organisation, PASSWORD, SESSION, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { LOG_LEVEL: 'trace' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const SECRET = 'hunter2-is-my-secret-password'
const VIEWER = '{ viewer { operator } }'
const send = (
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) => post(server.url, JSON.stringify({ query, variables }), headers)
const asAdmin = () => ({ authorization: `Bearer ${admin.accessToken}` })

type Answer = Awaited<ReturnType<typeof post>>

/** Refused with this status and code, naming the request, and without executing anything. */
function expectRefused(answer: Answer, status: number, code: string) {
  expect(answer.json, answer.text).toMatchObject({ errors: [{ extensions: { code } }] })
  expect(answer.status).toBe(status)
  expect(answer.json.data).toBeUndefined()
  for (const error of answer.json.errors)
    expect(error.extensions.requestId).toBe(answer.headers.get('x-request-id'))
}

describe('an error never repeats what was sent', () => {
  const typed = 'mutation ($i: SignInInput!) { signIn(input: $i) { __typename } }'
  const login = { email: 'a@example.com', password: SECRET }
  const literal = (input: string) => `mutation { signIn(input: ${input}) { __typename } }`

  test.each<[string, string, Record<string, unknown>, unknown[]]>([
    ['an unknown field', typed, { i: { ...login, extra: 1 } }, ['i', 'extra']],
    [
      'an unknown field much like another',
      typed,
      { i: { ...login, passwort: SECRET } },
      ['i', 'passwort'],
    ],
    ['a number for a password', typed, { i: { ...login, password: 4711 } }, ['i', 'password']],
    ['a list for a password', typed, { i: { ...login, password: [SECRET] } }, ['i', 'password']],
    ['a password for an address', typed, { i: { ...login, email: SECRET } }, ['i', 'email']],
    ['a password for an enum', typed, { i: { ...login, delivery: SECRET } }, ['i', 'delivery']],
    ['a password for the whole', typed, { i: SECRET }, ['i']],
    ['a missing field', typed, { i: { password: SECRET } }, ['i', 'email']],
  ])('for %s in a variable, and says where it is', async (_what, query, variables, path) => {
    const answer = await send(query, variables)
    expectRefused(answer, 400, 'BAD_USER_INPUT')
    expect(answer.json.errors[0].extensions.fields[0].path).toEqual(path)
    expect(answer.text).not.toContain(SECRET)
    expect(answer.text).not.toContain('4711')
  })

  test.each([
    literal(`{ email: "a@example.com", password: 4711 }`),
    literal(`{ email: "${SECRET}", password: "x" }`),
    literal(`{ email: "a@example.com", password: ["${SECRET}"] }`),
    literal(`{ email: "a@example.com", password: "${SECRET}", extra: "${SECRET}" }`),
    literal(`{ email: "a@example.com", password: "${SECRET}", delivery: "${SECRET}" }`),
    literal(`{ email: "a@example.com", password: "${SECRET}", delivery: hunter2 }`),
    literal(`"${SECRET}"`),
  ])('for the literal %s', async query => {
    const answer = await send(query)
    expectRefused(answer, 400, 'GRAPHQL_VALIDATION_FAILED')
    expect(answer.text).not.toMatch(/hunter2|4711/)
  })

  test.each([
    `mutation { signIn(input: { email: "a@example.com", password: "${SECRET}) { __typename } }`,
    `mutation { signIn(input: { email: "a@example.com", password: "${SECRET}\\q" }) { __typename } }`,
    `"${SECRET}" "${SECRET}"`,
  ])('for the syntax of %s', async query => {
    const answer = await send(query)
    expect(answer.text).not.toContain('hunter2')
    expectRefused(answer, 400, 'GRAPHQL_PARSE_FAILED')
  })
})

describe('a fault of the input says where it is', () => {
  const ROWS = `mutation ($rows: [AddMemberInput!]!) { addMembers(rows: $rows, dryRun: true) { applied } }`
  const row = (email: string) => ({ email, firstName: 'Ann', lastName: 'Lee' })

  test('within a list that is a variable of its own', async () => {
    const rows = [row('a@example.com'), row('nobody'), { ...row('b@example.com'), lastName: null }]
    const answer = await send(ROWS, { rows }, asAdmin())
    expect(answer.status).toBe(400)
    expect(answer.json.errors.map((error: any) => error.extensions.fields[0])).toEqual([
      { path: ['rows', 1, 'email'], reason: 'INVALID_FORMAT' },
      { path: ['rows', 2, 'lastName'], reason: 'REQUIRED' },
    ])
    expect(answer.json.errors[0].message).toBe(
      'The input at `rows.1.email` is not accepted. Expected one email address.',
    )
  })

  test('however many there are, and none counts as a fault of ours', async () => {
    const answer = await send(ROWS, { rows: Array(80).fill(row('nobody')) }, asAdmin())
    expect(answer.status).toBe(400)
    for (const { extensions } of answer.json.errors) expect(extensions.code).toBe('BAD_USER_INPUT')
    expect(answer.json.errors.at(-1).message).toBe(
      'There are more faults in this input. Correct those told here first.',
    )
  })

  test.each([
    ['is null', { id: null }],
    ['is left out', {}],
  ])('where a variable %s', async (_how, variables) => {
    const lock = 'mutation ($id: ID!) { lockMember(id: $id) { member { id } } }'
    const answer = await send(lock, variables, asAdmin())
    expectRefused(answer, 400, 'BAD_USER_INPUT')
    expect(answer.json.errors[0]).toMatchObject({
      message: 'The input at `id` is not accepted. It is needed.',
      extensions: { reason: 'REQUIRED', fields: [{ path: ['id'], reason: 'REQUIRED' }] },
    })
  })

  test('where it clashes with what is there, or names what is not', async () => {
    const { Administrator, Member, Viewer } = await admin.roles()
    const nobody = admin.memberId
    const faults = async (call: string) => {
      const { json } = await send(`mutation { ${call} { __typename } }`, {}, asAdmin())
      const [{ extensions }] = json.errors
      return [extensions.code, ...extensions.fields.map((fault: any) => fault.path.join('.'))]
    }
    const add = (rest: string) =>
      faults(`inviteMember(input: { email: "clash@example.com", ${rest} })`)
    await send(
      'mutation { createProject(input: { name: "Gate" }) { project { id } } }',
      {},
      asAdmin(),
    )
    const role = (name: string, permissions: string) =>
      faults(
        `createRole(input: { name: "${name}", level: ORGANISATION, permissions: ${permissions} })`,
      )

    expect(await faults(`inviteMember(input: { email: "${admin.email}" })`)).toEqual([
      'CONFLICT',
      'input.email',
    ])
    expect(await add(`roleId: "${nobody}"`)).toEqual(['NOT_FOUND', 'input.roleId'])
    expect(await add(`projectAccess: [{ projectId: "${nobody}", roleId: "${Viewer}" }]`)).toEqual([
      'NOT_FOUND',
      'input.projectAccess.0.projectId',
    ])
    expect(await faults('createProject(input: { name: "Other", slug: "gate" })')).toEqual([
      'CONFLICT',
      'input.slug',
    ])
    expect(await role('member', '[]')).toEqual(['CONFLICT', 'input.name'])
    expect(await role('Other', '["viewUser", "viewUser", "nothing"]')).toEqual([
      'BAD_USER_INPUT',
      'input.permissions.2',
    ])
    expect(await faults(`updateRole(id: "${Member}", input: { name: "ADMINISTRATOR" })`)).toEqual([
      'CONFLICT',
      'input.name',
    ])
    expect(
      await faults(`updateOrganisationSettings(input: { defaultRoleId: "${Administrator}" })`),
    ).toEqual(['FORBIDDEN', 'input.defaultRoleId'])
    const key = (scopes: string) =>
      faults(`createApiKey(input: { ownerId: "${admin.memberId}", name: "K", scopes: ${scopes} })`)
    expect(await key('["viewUser", "viewUser", "nothing"]')).toEqual([
      'BAD_USER_INPUT',
      'input.scopes.2',
    ])
  })

  const members = (args: string) => `{ organisation { members(${args}) { nodes { id } } } }`
  test.each([
    ['"nobody"', 'filter: { emails: [_] }', 'Expected one email address.'],
    ['NOPE', 'orderBy: { field: _ }', 'It does not fit its type, `MemberOrderField`.'],
    ['"x"', 'first: _', 'It does not fit its type, `Int`.'],
    ['null', 'orderBy: _', 'It is needed.'],
  ])('where %s stands in the document, as %s', async (value, args, why) => {
    const query = members(args.replace('_', value))
    const answer = await send(query, {}, asAdmin())
    expectRefused(answer, 400, 'GRAPHQL_VALIDATION_FAILED')
    expect(answer.json.errors[0]).toMatchObject({
      message: `The input is not accepted. ${why}`,
      locations: [{ line: 1, column: query.indexOf(value) + 1 }],
    })
    expect(answer.json.errors[0].extensions.reason).toBeDefined()
  })
})

test.each([
  'subscription { viewer { operator } }',
  'subscription S { nothing }',
  `query A { viewer { operator } } subscription B { viewer { operator } }`,
])('%s is refused as no operation of this server', async query => {
  expectRefused(await send(query), 400, 'GRAPHQL_VALIDATION_FAILED')
})

describe('an instant', () => {
  const SUSPEND = `mutation ($id: ID!, $at: DateTime) { suspendMember(id: $id, input: { until: $at }) { member { id } } }`
  const suspend = (at: string) => send(SUSPEND, { id: admin.memberId, at }, asAdmin())

  test.each([
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '2026-02-30T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T09:61:00Z',
    '2026-01-31',
    '2026-01-31T09:30:00',
  ])('%s is on no calendar that is kept here', async at => {
    const answer = await suspend(at)
    expectRefused(answer, 400, 'BAD_USER_INPUT')
    expect(answer.json.errors[0].extensions).toMatchObject({
      reason: 'INVALID_FORMAT',
      fields: [{ path: ['at'], reason: 'INVALID_FORMAT' }],
    })
  })

  test.each([
    '0001-01-01T00:00:00Z',
    '2024-02-29T23:59:59.999999999+14:00',
    '0099-03-01T00:00:00z',
  ])('%s is one, if a past one', async at => {
    expect((await suspend(at)).json.errors[0].extensions.reason).toBe('OUT_OF_RANGE')
  })
})

test('a URL that carries a name or a password is refused', async () => {
  const create = `mutation ($url: URL) { createProject(input: { name: "Door", signInUrl: $url }) { project { id signInUrl } } }`
  for (const url of [
    'https://ann:secret@example.com',
    'https://ann@example.com',
    'https://:secret@example.com',
  ]) {
    const answer = await send(create, { url }, asAdmin())
    expectRefused(answer, 400, 'BAD_USER_INPUT')
    expect(answer.text).not.toContain('secret')
  }
  const { json } = await send(create, { url: 'https://example.com/a@b' }, asAdmin())
  expect(json.data.createProject.project.signInUrl).toBe('https://example.com/a@b')
})

describe('text that no database keeps', () => {
  test.each([
    'members(filter: { externalIds: ["a\\u0000"] })',
    'members(search: "\\u0000")',
    'projects(search: "\\u0000")',
    'serviceAccounts(search: "a\\u0000")',
  ])('finds nobody: %s', async list => {
    const { json } = await send(
      `{ organisation { list: ${list} { nodes { id } totalCount } } }`,
      {},
      asAdmin(),
    )
    expect(json).toEqual({ data: { organisation: { list: { nodes: [], totalCount: 0 } } } })
  })

  test.each([
    ['a NUL', 'a\u0000b'],
    ['half of a character', 'a\ud800b'],
    ['a character that turns text around', 'a\u202eb'],
  ])('is refused in a description where it holds %s', async (_what, description) => {
    const open = `mutation ($description: String) {
      createProject(input: { name: "Lines", description: $description }) { project { id } } }`
    const answer = await send(open, { description }, asAdmin())
    expect(answer.json.errors[0].extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      reason: 'INVALID_FORMAT',
      fields: [{ path: ['input', 'description'] }],
    })
  })

  test('names no permission', async () => {
    const answer = await send(
      'mutation { deletePermission(name: "a\\u0000") { organisation { id } } }',
      {},
      asAdmin(),
    )
    expect(answer.json.errors[0].extensions).toMatchObject({
      code: 'NOT_FOUND',
      fields: [{ path: ['name'] }],
    })
  })
})

test('every refusal within GraphQL names the request', async () => {
  const refused = [
    await send(VIEWER),
    await send('{ organisation { member(id: "x") { id } } }', {}, asAdmin()),
    await send('{ nothing }'),
    await send(VIEWER, {}, { authorization: 'Bearer x' }),
    await post(`${server.url}/nowhere`, '{}'),
  ]
  const ids = refused.map(({ json, headers }) => [
    json.errors[0].extensions.requestId,
    headers.get('x-request-id'),
  ])
  for (const [inBody, inHeader] of ids) expect(inBody).toBe(inHeader)
  expect(new Set(ids.flat()).size).toBe(refused.length)
})

test('a batch is refused under the id of its request', async () => {
  expectRefused(await post(server.url, `[{"query":"${VIEWER}"}]`), 400, 'BAD_REQUEST')
})

test('the log holds neither passwords nor tokens, whatever is sent and at whatever level', async () => {
  const { token } = await invite(admin)
  const person = await signIn(server, admin.email)
  const cookie = `__Host-gatehouse-refresh=${person.refreshToken}`
  await fetch(`${server.url}/accept-invitation?token=${token}`)
  await send(
    `query ($t: String!) { invitationPreview(token: $t) { email } }`,
    { t: token },
    { ...asAdmin(), cookie },
  )
  await send(`mutation { refreshSession { ${SESSION} } }`, {}, { cookie })
  await send(
    `mutation ($p: String!) { signIn(input: { email: "${admin.email}", password: $p }) { __typename } }`,
    { p: SECRET },
  )
  await fetch(`${server.url}/graphql?token=${token}&password=${SECRET}`)
  await fetch(`${server.url}/${SECRET}?token=${token}`, {
    headers: { referer: `${server.url}/?token=${token}` },
  })
  const log = server.log.join('\n')
  expect(log).toContain('/accept-invitation')
  for (const secret of [
    PASSWORD,
    token,
    person.accessToken,
    person.refreshToken,
    admin.accessToken,
  ])
    expect(log).not.toContain(secret)
  expect(log.replaceAll(`/${SECRET}`, '')).not.toContain(SECRET)
})
