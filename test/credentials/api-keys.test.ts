import { afterAll, beforeAll, expect, test } from 'vitest'
import { digest, newId } from '../../src/shared/tokens.ts'
import { mailsTo } from '../support/mailbox.ts'
import { organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  askBy,
  bringWith,
  createKey,
  createProject,
  createRole,
  createServiceAccount,
  grant,
  heldBy,
  readKey,
  renewKey,
  revokeKey,
  updateKey,
} from './keys.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const selfService = (on: boolean) =>
  admin.ask(
    `mutation ($on: Boolean!) { updateOrganisationSettings(input: { apiKey: { selfService: $on } }) { organisation { id } } }`,
    { on },
  )

test('a key acts as its service account: the viewer is the account, the key, and no session', async () => {
  const id = await createServiceAccount(admin, ['viewUser', 'viewAudit'])
  const key = await createKey(admin, id, ['viewUser'])
  const { viewer } = await askBy(
    admin,
    key.secret,
    `{ viewer { operator principal { __typename id } apiKey { id prefix } session { id } organisation { id } project { id } permissions { name } } }`,
  )
  expect(viewer).toEqual({
    operator: false,
    principal: { __typename: 'ServiceAccount', id },
    apiKey: { id: key.id, prefix: key.prefix },
    session: null,
    organisation: { id: admin.organisationId },
    project: null,
    permissions: [{ name: 'viewUser' }],
  })
  const { organisation: seen } = await askBy(
    admin,
    key.secret,
    `{ organisation { members { nodes { id } } } }`,
  )
  expect(seen.members.nodes.length).toBeGreaterThan(0)
})

test('what is beyond the scopes is told apart from what is beyond the role', async () => {
  const id = await createServiceAccount(admin, ['viewUser', 'manageRole'])
  const key = await createKey(admin, id, ['viewUser'])
  const role = `mutation { createRole(input: { name: "x", level: ORGANISATION, permissions: [] }) { role { id } } }`
  await expect(askBy(admin, key.secret, role)).rejects.toBeRefused('FORBIDDEN', 'SCOPE_MISSING')
  await expect(
    askBy(admin, key.secret, `{ organisation { serviceAccounts { nodes { id } } } }`),
  ).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
})

test('without scopes a key may ask who it is, and nothing else', async () => {
  const { Administrator } = await admin.roles()
  const id = await createServiceAccount(admin, [])
  await admin.ask(
    `mutation ($id: ID!, $roleId: ID!) { updateServiceAccount(id: $id, input: { roleId: $roleId }) { serviceAccount { id } } }`,
    { id, roleId: Administrator },
  )
  const key = await createKey(admin, id, [])
  expect(await heldBy(admin, key.secret)).toEqual([])
  for (const document of [
    `{ organisation { id } }`,
    `{ node(id: "${id}") { id } }`,
    `{ viewer { organisation { roles { nodes { id } } } } }`,
    `{ viewer { organisation { projects { nodes { id } } } } }`,
    `{ viewer { organisation { members { nodes { id } } } } }`,
    `mutation { createProject(input: { name: "x" }) { project { id } } }`,
  ])
    await expect(askBy(admin, key.secret, document), document).rejects.toBeRefused(
      'FORBIDDEN',
      'SCOPE_MISSING',
    )
})

test.each(['key', 'access token'])('one statement answers `viewer` by %s', async by => {
  const key = await createKey(admin, await createServiceAccount(admin, ['viewUser']), ['viewUser'])
  const { store } = server.app.node.database
  const rows = store.system.rows.bind(store.system)
  const begin = store.begin.bind(store)
  const person = await signIn(server, admin.email)
  const seen: string[] = []
  store.system.rows = query => (
    /pgboss|signing_key/.test(query.text) || seen.push(query.text),
    rows(query)
  )
  store.begin = script => (seen.push(script), begin.call(store, script))
  try {
    await askBy(
      admin,
      by === 'key' ? key.secret : person.accessToken,
      `{ viewer { principal { id name role { name } } apiKey { id scopes { name } } session { id tasks } organisation { name }
        project { name } permissions { name } } }`,
    )
  } finally {
    store.system.rows = rows
    store.begin = begin
  }
  expect(seen).toHaveLength(1)
})

test('the secret is shown once, kept as a digest, and known by its prefix ever after', async () => {
  const id = await createServiceAccount(admin, ['viewUser'])
  const key = await createKey(admin, id, ['viewUser'])
  expect(key.secret).toMatch(/^gk_[0-9A-Za-z]{49}$/)
  expect(key.prefix).toBe(key.secret!.slice(0, 11))
  expect(await readKey(admin, key.id)).not.toHaveProperty('secret')
  const [row] = await server.database.owner(`select * from api_key where id = $1`, [key.id])
  expect(row!.digest).toBe(digest(key.secret!))
  const rest = key.secret!.slice(11, 40)
  expect(JSON.stringify(row)).not.toContain(rest)
  const [events] = await server.database.owner(
    `select string_agg(e::text || p::text, '') as all from event e join event_person p using (id)`,
  )
  expect(events!.all).toContain(key.id)
  expect(events!.all).not.toContain(rest)
  expect(server.log.join()).not.toContain(rest)
})

test('a key made for somebody else starts without a secret, and its owner alone takes one', async () => {
  const owner = await bringWith(admin, ['viewUser'])
  const key = await createKey(admin, owner.memberId, ['viewUser'])
  expect(key).toMatchObject({ status: 'PENDING', secret: null, prefix: null, issuedAt: null })
  const [row] = await server.database.owner(`select digest from api_key where id = $1`, [key.id])
  expect(row!.digest).toBeNull()
  await mailsTo(server, owner.email, 2)

  const renewed = await renewKey(owner, key.id)
  expect(renewed).toMatchObject({ id: key.id, status: 'ACTIVE' })
  expect(await heldBy(admin, renewed.secret)).toEqual(['viewUser'])
  const { viewer } = await askBy(admin, renewed.secret, `{ viewer { principal { id } } }`)
  expect(viewer.principal.id).toBe(owner.memberId)
})

test("an administrator's renewal of a personal key stops it and leaves it without a secret", async () => {
  const owner = await bringWith(admin, ['viewUser'])
  const { id } = await createKey(admin, owner.memberId, ['viewUser'])
  const { secret } = await renewKey(owner, id)
  const stopped = await renewKey(admin, id, { overlap: 60 })
  expect(stopped).toMatchObject({ status: 'PENDING', secret: null, prefix: null })
  expect(await heldBy(admin, secret)).toBeNull()
  expect(await heldBy(admin, (await renewKey(owner, id)).secret)).toEqual(['viewUser'])
})

test('members make keys for themselves only where the organisation lets them', async () => {
  const member = await bringWith(admin, ['viewUser'])
  await expect(createKey(member, member.memberId, [])).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  await selfService(true)
  const key = await createKey(member, member.memberId, ['viewUser'])
  await selfService(false)
  expect(await heldBy(admin, key.secret)).toEqual(['viewUser'])
  // what exists may be renewed, renamed and revoked by its owner
  expect((await updateKey(member, key.id, { name: 'Mine' })).name).toBe('Mine')
  const { secret } = await renewKey(member, key.id)
  expect(await heldBy(admin, key.secret)).toBeNull()
  expect((await revokeKey(member, key.id)).status).toBe('REVOKED')
  expect(await heldBy(admin, secret)).toBeNull()
})

test('a renewal stops the secret before it at once, unless given time to overlap', async () => {
  const key = await createKey(admin, await createServiceAccount(admin, ['viewUser']), ['viewUser'])
  const second = await renewKey(admin, key.id)
  expect(await heldBy(admin, key.secret)).toBeNull()
  const third = await renewKey(admin, key.id, { overlap: 10 })
  expect(await heldBy(admin, second.secret)).toEqual(['viewUser'])
  expect(await heldBy(admin, third.secret)).toEqual(['viewUser'])
  const fourth = await renewKey(admin, key.id, { overlap: 10 })
  expect(await heldBy(admin, second.secret)).toBeNull()
  expect(await heldBy(admin, third.secret)).toEqual(['viewUser'])
  await revokeKey(admin, key.id)
  for (const { secret } of [third, fourth]) expect(await heldBy(admin, secret)).toBeNull()
  for (const overlap of [-1, 10_081])
    await expect(renewKey(admin, key.id, { overlap })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'OUT_OF_RANGE',
    )
})

test('a revoked key stays revoked: it is neither renewed nor changed', async () => {
  const key = await createKey(admin, await createServiceAccount(admin, ['viewUser']), ['viewUser'])
  const { revokedAt } = await revokeKey(admin, key.id)
  expect(revokedAt).not.toBeNull()
  expect((await revokeKey(admin, key.id)).revokedAt).toBe(revokedAt)
  await expect(renewKey(admin, key.id)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  await expect(updateKey(admin, key.id, { name: 'x' })).rejects.toBeRefused(
    'CONFLICT',
    'STATE_MISMATCH',
  )
})

test('a promotion of the owner never widens a key, and a demotion narrows it at once, on every node', async () => {
  const beside = await startServer({ beside: server })
  try {
    const owner = await bringWith(admin, ['viewUser', 'viewAudit'])
    const { id } = await createKey(admin, owner.memberId, ['viewUser', 'viewAudit'])
    const { secret } = await renewKey(owner, id)
    const move = async (permissions: string[]) => {
      const { id: roleId } = await createRole(admin, permissions)
      await admin.ask(
        `mutation ($id: ID!, $roleId: ID!) { updateMember(id: $id, input: { roleId: $roleId }) { member { id } } }`,
        { id: owner.memberId, roleId },
      )
    }
    expect(await heldBy(admin, secret, beside.url)).toEqual(['viewUser', 'viewAudit'])
    await move(['viewUser', 'viewAudit', 'manageUser', 'manageRole'])
    expect(await heldBy(admin, secret, beside.url)).toEqual(['viewUser', 'viewAudit'])
    await move(['viewAudit', 'manageRole'])
    expect(await heldBy(admin, secret, beside.url)).toEqual(['viewAudit'])
    const renewed = await renewKey(owner, id, {}, server.url)
    expect(await heldBy(admin, secret, beside.url)).toBeNull()
    expect(await heldBy(admin, renewed.secret, beside.url)).toEqual(['viewAudit'])
  } finally {
    await beside.stop()
  }
})

test('inside a project a key holds what its owner holds there, within its scopes', async () => {
  const roles = await admin.roles()
  const account = await createServiceAccount(admin, ['viewUser'])
  const projectId = await createProject(admin)
  await grant(admin, account, projectId, roles['Project administrator']!)
  const all = await createKey(admin, account, ['viewUser', 'manageProjectAccess'])
  const some = await createKey(admin, account, ['viewUser'])
  const inside = async (secret: string | null, id = projectId) =>
    (
      await askBy(
        admin,
        secret,
        `query ($id: ID!) { viewer { permissions(projectId: $id) { name } } }`,
        { id },
      )
    ).viewer.permissions.map((permission: { name: string }) => permission.name)
  expect(await inside(all.secret)).toEqual(['viewUser', 'manageProjectAccess'])
  // whoever manages projects says who enters them, in those that exist
  const manager = await createKey(admin, await createServiceAccount(admin, ['manageProject']), [
    'manageProject',
  ])
  expect(await inside(manager.secret)).toEqual(['manageProject', 'manageProjectAccess'])
  expect(await inside(manager.secret, newId())).toEqual(['manageProject'])
  expect(await inside(some.secret)).toEqual(['viewUser'])
})

test('the last use is written within the minute, off the path of the requests', async () => {
  const key = await createKey(admin, await createServiceAccount(admin, ['viewUser']), ['viewUser'])
  const beside = await startServer({ beside: server })
  await heldBy(admin, key.secret, beside.url)
  await heldBy(admin, key.secret, beside.url)
  await beside.stop() // what waits is written
  const query = `query ($id: ID!) { node(id: $id) { ... on ApiKey { lastUsedAt lastUsedIpAddress owner { ... on ServiceAccount { lastActiveAt } } } } }`
  const { node } = await admin.ask(query, { id: key.id })
  expect(Date.now() - Date.parse(node.lastUsedAt)).toBeLessThan(60_000)
  expect(node.lastUsedIpAddress).toContain('127.0.0.1')
  expect(node.owner.lastActiveAt).not.toBeNull()
})
