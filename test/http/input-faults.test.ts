import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectRefused, post } from '../support/client.ts'
import { organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const send = (
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) => post(server.url, JSON.stringify({ query, variables }), headers)
const asAdmin = () => ({ authorization: `Bearer ${admin.accessToken}` })

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
