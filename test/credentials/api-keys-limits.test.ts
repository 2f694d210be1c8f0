import { afterAll, beforeAll, expect, test } from 'vitest'
import { organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  askBy,
  bringWith,
  createKey,
  createProject,
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
let account: string

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1', ACCESS_TOKEN_SECONDS: '3600' } })
  admin = await organisation(server)
  account = await createServiceAccount(admin, ['viewUser', 'viewAudit', 'manageProject'])
})
afterAll(() => server.stop())

/** Lets time pass and signs in again, as sessions and proofs grow old. */
async function later(by: Parameters<TestServer['clock']['advance']>[0]) {
  server.clock.advance(by)
  admin = await signIn(server, admin.email)
}

const inDays = (days: number) =>
  new Date(server.clock.now().getTime() + days * 86_400_000).toISOString()
const policy = (apiKey: object) =>
  admin.ask(
    `mutation ($input: UpdateOrganisationSettingsInput!) { updateOrganisationSettings(input: $input) { organisation { id } } }`,
    { input: { apiKey } },
  )
const from = (address: string, secret: string | null) =>
  askBy(admin, secret, `{ viewer { apiKey { id } } }`, {}, { 'x-forwarded-for': address })

test('network ranges bind a key to where it works from, in IPv4 and in IPv6', async () => {
  const { secret } = await createKey(admin, account, [], {
    allowedIpRanges: ['192.0.2.0/25', '198.51.100.7', '2001:db8:1::/48'],
  })
  for (const address of [
    '192.0.2.1',
    '192.0.2.127',
    '198.51.100.7',
    '2001:db8:1:ffff::1',
    '::ffff:192.0.2.9',
  ])
    await expect(from(address, secret), address).resolves.toBeTruthy()
  for (const address of ['192.0.2.128', '198.51.100.8', '2001:db8:2::1', '::1', '127.0.0.1'])
    await expect(from(address, secret), address).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'KEY_INVALID',
    )
  // one proxy is trusted: what the client itself wrote before it counts for nothing
  await expect(from('192.0.2.1, 203.0.113.5', secret)).rejects.toBeRefused(
    'UNAUTHENTICATED',
    'KEY_INVALID',
  )
})

test('without a trusted proxy a forwarded address is not believed', async () => {
  const direct = await startServer({ beside: server })
  try {
    const { secret } = await createKey(admin, account, [], { allowedIpRanges: ['192.0.2.0/24'] })
    await expect(from('192.0.2.1', secret)).resolves.toBeTruthy()
    await expect(
      askBy(
        admin,
        secret,
        `{ viewer { operator } }`,
        {},
        { 'x-forwarded-for': '192.0.2.1' },
        direct.url,
      ),
    ).rejects.toBeRefused('UNAUTHENTICATED', 'KEY_INVALID')
  } finally {
    await direct.stop()
  }
})

test('ranges that are none are refused, each by its place', async () => {
  for (const [range, path] of [
    ['192.0.2.0/33', 1],
    ['2001:db8::/129', 1],
    ['example.com', 1],
    ['fe80::1%eth0', 1],
    ['10.0.0.0/8/8', 1],
    ['10.0.0.0/-1', 1],
  ] as const) {
    const refusal = await createKey(admin, account, [], {
      allowedIpRanges: ['10.0.0.0/8', range],
    }).catch(error => error)
    expect(refusal).toBeRefused('BAD_USER_INPUT', 'INVALID_FORMAT')
    expect(refusal.extensions.fields[0].path).toEqual(['input', 'allowedIpRanges', path])
  }
  await expect(createKey(admin, account, [], { allowedIpRanges: [] })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'REQUIRED',
  )
})

test('limits only ever shrink: no null and no empty list widens one', async () => {
  const [first, second, third] = [
    await createProject(admin),
    await createProject(admin),
    await createProject(admin),
  ]
  const { Viewer } = await admin.roles()
  for (const project of [first, second, third]) await grant(admin, account, project, Viewer!)
  const key = await createKey(admin, account, ['viewUser', 'viewAudit'], {
    projectIds: [first, second],
    allowedIpRanges: ['10.0.0.0/8', '2001:db8::/32'],
  })
  const refused: [object, string][] = [
    [{ scopes: ['viewUser', 'manageProject'] }, 'OUT_OF_RANGE'],
    [{ scopes: null }, 'REQUIRED'],
    [{ projectIds: [first, third] }, 'OUT_OF_RANGE'],
    [{ projectIds: null }, 'REQUIRED'],
    [{ allowedIpRanges: null }, 'REQUIRED'],
    [{ allowedIpRanges: [] }, 'REQUIRED'],
    [{ allowedIpRanges: ['0.0.0.0/0'] }, 'OUT_OF_RANGE'],
    [{ allowedIpRanges: ['10.0.0.0/7'] }, 'OUT_OF_RANGE'],
    [{ allowedIpRanges: ['11.0.0.1'] }, 'OUT_OF_RANGE'],
    [{ allowedIpRanges: ['::/0'] }, 'OUT_OF_RANGE'],
    [{ name: null }, 'REQUIRED'],
  ]
  for (const [input, reason] of refused)
    await expect(updateKey(admin, key.id, input), JSON.stringify(input)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      reason,
    )
  const { secret, ...untouched } = key
  expect(await readKey(admin, key.id)).toEqual(untouched)

  const narrowed = await updateKey(admin, key.id, {
    name: 'Narrow',
    scopes: ['viewUser'],
    projectIds: [first],
    allowedIpRanges: ['10.1.0.0/16'],
  })
  expect(narrowed).toMatchObject({
    name: 'Narrow',
    scopes: [{ name: 'viewUser' }],
    projects: [{ id: first }],
    allowedIpRanges: ['10.1.0.0/16'],
  })
  const events = await server.database.owner(
    `select changes from event where target_id = $1 and topic = 'api_key.updated'`,
    [key.id],
  )
  expect(events).toHaveLength(1)
  expect((events[0]!.changes as { field: string }[]).map(({ field }) => field)).toEqual([
    'name',
    'scopes',
    'allowedIpRanges',
    'projects',
  ])
  await expect(from('10.2.0.1', secret)).rejects.toBeRefused('UNAUTHENTICATED', 'KEY_INVALID')
  const none = await updateKey(admin, key.id, { scopes: [], projectIds: [] })
  expect(none).toMatchObject({ scopes: [], projects: [] })
  await expect(updateKey(admin, key.id, { projectIds: [first] })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'OUT_OF_RANGE',
  )
})

test('a free key can be confined later, to projects that its owner can enter', async () => {
  const own = await createProject(admin)
  const other = await createProject(admin)
  const { Viewer } = await admin.roles()
  await grant(admin, account, own, Viewer!)
  const key = await createKey(admin, account, ['viewUser'])
  expect(key.projects).toBeNull()
  await expect(updateKey(admin, key.id, { projectIds: [other] })).rejects.toBeRefused(
    'FORBIDDEN',
    'EXCEEDS_OWN_PERMISSIONS',
  )
  expect((await updateKey(admin, key.id, { projectIds: [own] })).projects).toEqual([{ id: own }])
})

test('a key confined to projects sees and changes no other, and a deleted one leaves it confined to less', async () => {
  const [inside, outside] = [await createProject(admin), await createProject(admin)]
  const { Viewer } = await admin.roles()
  await grant(admin, account, inside, Viewer!)
  const key = await createKey(admin, account, ['manageProject', 'viewUser'], {
    projectIds: [inside],
  })
  const seen = async () =>
    (await askBy(admin, key.secret, `{ organisation { projects { nodes { id } } } }`)).organisation
      .projects.nodes
  const rename = (id: string) =>
    askBy(
      admin,
      key.secret,
      `mutation ($id: ID!) { updateProject(id: $id, input: { description: "x" }) { project { id } } }`,
      { id },
    )
  const admit = (projectId: string) =>
    askBy(
      admin,
      key.secret,
      `mutation ($input: GrantProjectAccessInput!) { grantProjectAccess(input: $input) { projectAccess { id } } }`,
      {
        input: { projectId, principalId: admin.memberId, roleId: Viewer },
      },
    )
  expect(await seen()).toEqual([{ id: inside }])
  await expect(rename(inside)).resolves.toBeTruthy()
  await expect(admit(inside)).resolves.toBeTruthy()
  await expect(rename(outside)).rejects.toBeRefused('NOT_FOUND')
  await expect(admit(outside)).rejects.toBeRefused('NOT_FOUND')
  // nor does it open one that it could not see
  const open = `mutation { createProject(input: { name: "Out of sight" }) { project { id } } }`
  await expect(askBy(admin, key.secret, open)).rejects.toBeRefused('FORBIDDEN', 'SCOPE_MISSING')
  await admin.ask(`mutation ($id: ID!) { deleteProject(id: $id) { deletedId } }`, { id: inside })
  expect(await seen()).toEqual([])
  expect((await readKey(admin, key.id)).projects).toEqual([])
  await expect(rename(outside)).rejects.toBeRefused('NOT_FOUND')
})

test('of other projects a confined key does not see who is in them either', async () => {
  const [inside, outside] = [await createProject(admin), await createProject(admin)]
  const { 'Project administrator': role } = await admin.roles()
  const person = await bringWith(admin, [])
  const machine = await createServiceAccount(admin, ['viewUser', 'manageUser', 'manageProject'])
  const places: string[] = []
  for (const principal of [person.memberId, machine])
    for (const project of [inside, outside])
      places.push(await grant(admin, principal, project, role!))
  const PLACES = `projectAccess { nodes { id } totalCount }`
  const LOOK = `query ($id: ID!, $outside: ID!) {
    viewer { principal { ${PLACES} } permissions(projectId: $outside) { name } }
    organisation {
      member(id: $id) { ${PLACES} permissions(projectId: $outside) { name } }
      members(filter: { projectIds: [$outside] }) { nodes { id } }
    } }`
  const scopes = ['viewUser', 'manageUser', 'manageProject', 'manageProjectAccess']
  const look = async (projectIds: string[] | null) => {
    const { secret } = await createKey(admin, machine, scopes, { projectIds })
    const { viewer, organisation: here } = await askBy(admin, secret, LOOK, {
      id: person.memberId,
      outside,
    })
    const nodes = await Promise.all(
      places.map(id =>
        askBy(admin, secret, `query ($id: ID!) { node(id: $id) { id } }`, { id }).then(
          () => true,
          ({ code }) => code,
        ),
      ),
    )
    return {
      own: viewer.principal.projectAccess.totalCount,
      held: viewer.permissions.length,
      nodes,
      theirs: here.member.projectAccess.nodes.map((each: { id: string }) => each.id),
      count: here.member.projectAccess.totalCount,
      theirPermissions: here.member.permissions.length,
      filtered: here.members.nodes.length,
    }
  }
  expect(await look(null)).toMatchObject({ own: 2, held: 4, count: 2, theirPermissions: 1 })
  expect(await look([inside])).toEqual({
    own: 1,
    held: 3,
    nodes: [true, 'NOT_FOUND', true, 'NOT_FOUND'],
    theirs: [places[0]],
    count: 1,
    theirPermissions: 0,
    filtered: 0,
  })
})

test('a key runs out at its expiry, and a renewal that says no more does not revive it', async () => {
  const key = await createKey(admin, account, ['viewUser'], { expiresAt: inDays(2) })
  expect(await heldBy(admin, key.secret)).toEqual(['viewUser'])
  await later({ days: 2, minutes: 1 })
  expect(await heldBy(admin, key.secret)).toBeNull()
  expect((await readKey(admin, key.id)).status).toBe('EXPIRED')
  await expect(renewKey(admin, key.id)).rejects.toBeRefused('BAD_USER_INPUT', 'REQUIRED')
  await expect(createKey(admin, account, [], { expiresAt: inDays(-1) })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'OUT_OF_RANGE',
  )
  const renewed = await renewKey(admin, key.id, { expiresAt: inDays(1), overlap: 60 })
  expect(await heldBy(admin, renewed.secret)).toEqual(['viewUser'])
  // overlap keeps what works working; it brings nothing back
  expect(await heldBy(admin, key.secret)).toBeNull()
})

test('an overlap ends when its time is over, also for whoever asks together with the new secret', async () => {
  const old = await createKey(admin, account, ['viewUser'])
  const fresh = await renewKey(admin, old.id, { overlap: 30 })
  expect(await heldBy(admin, old.secret)).toEqual(['viewUser'])
  server.clock.advance({ minutes: 31 })
  const asked = [fresh, old, fresh, old, fresh, old].map(({ secret }) => heldBy(admin, secret))
  expect(await Promise.all(asked)).toEqual([
    ['viewUser'],
    null,
    ['viewUser'],
    null,
    ['viewUser'],
    null,
  ])
  // the look-up itself, in one batch for certain
  const { lookUpKey } = server.app.node
  const [now, before] = await Promise.all([lookUpKey(fresh.secret!), lookUpKey(old.secret!)])
  expect([now?.apiKey?.id, before]).toEqual([old.id, null])
})

test('the organisation bounds how long keys live', async () => {
  await later({ minutes: 1 })
  await policy({ maxLifetimeDays: 30 })
  const key = await createKey(admin, account, [])
  expect(Date.parse(key.expiresAt!) - server.clock.now().getTime()).toBeLessThanOrEqual(
    30 * 86_400_000,
  )
  await expect(createKey(admin, account, [], { expiresAt: inDays(31) })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'OUT_OF_RANGE',
  )
  await expect(renewKey(admin, key.id, { expiresAt: inDays(31) })).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'OUT_OF_RANGE',
  )
  await policy({ maxLifetimeDays: 10 })
  // a renewal that asks for nothing falls within the present bound
  const renewed = await renewKey(admin, key.id)
  expect(Date.parse(renewed.expiresAt!)).toBeLessThanOrEqual(Date.parse(inDays(10)))
  await policy({ maxLifetimeDays: null })
})

test("an owner's renewal cannot outlive an expiry that an administrator set", async () => {
  const owner = await bringWith(admin, ['viewUser'])
  const { id } = await createKey(admin, owner.memberId, ['viewUser'], { expiresAt: inDays(5) })
  await expect(renewKey(owner, id, { expiresAt: inDays(6) })).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  const shorter = await renewKey(owner, id, { expiresAt: inDays(3) })
  expect(shorter.status).toBe('ACTIVE')
  expect((await renewKey(owner, id, { expiresAt: inDays(4) })).status).toBe('ACTIVE')
  server.clock.advance({ days: 6 })
  const again = await signIn(server, owner.email)
  await expect(renewKey(again, id, { expiresAt: inDays(1) })).rejects.toBeRefused(
    'FORBIDDEN',
    'POLICY_FORBIDS',
  )
  admin = await signIn(server, admin.email)
})

test('making and renewing keys asks for a recent sign-in; narrowing and stopping them does not', async () => {
  await later({ minutes: 1 })
  const key = await createKey(admin, account, ['viewUser'])
  server.clock.advance({ minutes: 11 })
  await expect(createKey(admin, account, [])).rejects.toBeRefused('STEP_UP_REQUIRED')
  await expect(renewKey(admin, key.id)).rejects.toBeRefused('STEP_UP_REQUIRED')
  expect((await updateKey(admin, key.id, { scopes: [] })).scopes).toEqual([])
  expect((await revokeKey(admin, key.id)).status).toBe('REVOKED')
})
