import { afterAll, beforeAll, expect, test } from 'vitest'
import { everything } from '../../src/access/permissions.ts'
import { newSecret } from '../../src/credentials/api-keys/secret.ts'
import { post } from '../support/client.ts'
import { operator, organisation, signIn, type Person } from '../support/people.ts'
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
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  neighbour = await organisation(server)
})
afterAll(() => server.stop())

const act = (by: Person, verb: string, id: string, more = '') =>
  by.ask(`mutation ($id: ID!) { ${verb}(id: $id${more}) { __typename } }`, { id })

test('what is no key is refused before anybody asks the database', async () => {
  const { store } = server.app.node.database
  const rows = store.system.rows.bind(store.system)
  const seen: string[] = []
  store.system.rows = query => (/api_key/.test(query.text) && seen.push(query.text), rows(query))
  const well = newSecret()
  const flipped = well.slice(0, 20) + (well[20] === 'a' ? 'b' : 'a') + well.slice(21)
  try {
    for (const secret of [
      'gk_',
      'gk_short',
      flipped,
      `${well}0`,
      well.slice(0, -1),
      `gk_${"'; drop table api_key; --".replaceAll(' ', '+')}`,
      `gk_${'%00'.repeat(16)}0`,
    ]) {
      const answer = await post(server.url, JSON.stringify({ query: '{ viewer { operator } }' }), {
        authorization: `Bearer ${secret}`,
      })
      expect(answer.status, secret).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
      expect(answer.json.errors[0].extensions).toMatchObject({
        code: 'UNAUTHENTICATED',
        reason: 'KEY_INVALID',
      })
    }
    expect(seen).toEqual([])
    expect(await heldBy(admin, well)).toBeNull()
    expect(seen).toHaveLength(1)
  } finally {
    store.system.rows = rows
  }
})

test('a key counts in the Authorization header only', async () => {
  const { secret } = await createKey(admin, await createServiceAccount(admin, ['viewUser']), [
    'viewUser',
  ])
  const body = JSON.stringify({ query: '{ viewer { apiKey { id } } }' })
  for (const [path, headers] of [
    [`?access_token=${secret}`, {}],
    [`?api_key=${secret}&authorization=Bearer%20${secret}`, {}],
    ['', { 'x-api-key': secret! }],
    ['', { cookie: `authorization=Bearer ${secret}; api_key=${secret}` }],
  ] as const) {
    const response = await fetch(`${server.url}/graphql${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
    const answer = (await response.json()) as any
    expect(answer.data?.viewer ?? null, path).toBeNull()
    expect(answer.errors[0].extensions.code).toBe('UNAUTHENTICATED')
  }
  expect(server.log.join()).not.toContain(secret)
})

test('twenty renewals at once leave one secret that works', async () => {
  const { id, secret: first } = await createKey(
    admin,
    await createServiceAccount(admin, ['viewUser']),
    ['viewUser'],
  )
  const renewed = await Promise.all(Array.from({ length: 20 }, () => renewKey(admin, id)))
  const working = await Promise.all(
    [first, ...renewed.map(key => key.secret)].map(secret => heldBy(admin, secret)),
  )
  expect(working.filter(Boolean)).toHaveLength(1)
  expect(working[0]).toBeNull()
})

test('nobody makes keys beyond their own permissions or beyond those of the owner', async () => {
  const owner = await bringWith(admin, ['viewUser'])
  await expect(createKey(admin, owner.memberId, ['manageUser'])).rejects.toBeRefused(
    'FORBIDDEN',
    'EXCEEDS_OWN_PERMISSIONS',
  )
  const account = await createServiceAccount(admin, ['viewUser'])
  await expect(createKey(admin, account, ['viewAudit'])).rejects.toBeRefused(
    'FORBIDDEN',
    'EXCEEDS_OWN_PERMISSIONS',
  )
  await expect(createKey(admin, account, ['noSuchThing'])).rejects.toBeRefused(
    'BAD_USER_INPUT',
    'PERMISSION_UNKNOWN',
  )

  // the owner's project permission is not the maker's
  const roles = await admin.roles()
  const projectId = await createProject(admin)
  await grant(admin, account, projectId, roles['Project administrator']!)
  const keeper = await bringWith(admin, ['manageServiceAccount', 'viewUser'])
  await expect(createKey(keeper, account, ['manageProjectAccess'])).rejects.toBeRefused(
    'FORBIDDEN',
    'EXCEEDS_OWN_PERMISSIONS',
  )
  const { id } = await createKey(admin, account, ['manageProjectAccess'])
  await expect(renewKey(keeper, id)).rejects.toBeRefused('FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS')
  await expect(createKey(keeper, account, ['viewUser'])).resolves.toBeTruthy()
})

test('what a key does in a project its maker could do in that very project', async () => {
  const BEYOND = ['FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS'] as const
  const name = 'ledger.settle'
  await admin.ask(
    `mutation ($name: String!) { createPermission(input: { name: $name, description: "x" }) { permission { name } } }`,
    { name },
  )
  const settler = (await createRole(admin, [name], { level: 'PROJECT' })).id
  const [here, elsewhere] = [await createProject(admin), await createProject(admin)]
  const machine = await createServiceAccount(admin, [])
  await grant(admin, machine, here, settler)
  const made = await createKey(admin, machine, [name])
  const confined = await createKey(admin, machine, [name], { projectIds: [here] })

  // who manages projects says who enters them, and holds no more in them for that
  const planner = await bringWith(admin, ['manageServiceAccount', 'manageProject'])
  // holding the same in another project does not help
  const settles = await bringWith(admin, ['manageServiceAccount'])
  await grant(admin, settles.memberId, elsewhere, settler)
  for (const keeper of [planner, settles]) {
    await expect(createKey(keeper, machine, [name])).rejects.toBeRefused(...BEYOND)
    for (const { id } of [made, confined])
      await expect(renewKey(keeper, id)).rejects.toBeRefused(...BEYOND)
  }
  await grant(admin, settles.memberId, here, settler)
  expect((await createKey(settles, machine, [name], { projectIds: null })).secret).toBeTruthy()
  for (const { id } of [made, confined]) expect((await renewKey(settles, id)).secret).toBeTruthy()
  // in every project a machine holds it that administers the organisation
  const mighty = await createServiceAccount(admin, [])
  await admin.ask(
    `mutation ($id: ID!, $roleId: ID!) { updateServiceAccount(id: $id, input: { roleId: $roleId }) { serviceAccount { id } } }`,
    { id: mighty, roleId: (await admin.roles()).Administrator },
  )
  const nearly = await bringWith(admin, [...everything('ORGANISATION', [])])
  await grant(admin, nearly.memberId, here, settler)
  await expect(createKey(nearly, mighty, [name])).rejects.toBeRefused(...BEYOND)
  await expect(
    createKey(nearly, mighty, [name], { projectIds: [here, elsewhere] }),
  ).rejects.toBeRefused(...BEYOND)
  expect((await createKey(nearly, mighty, [name], { projectIds: [here] })).secret).toBeTruthy()

  // taken from its owner meanwhile, it may come back: so the key is not theirs to renew either
  await admin.ask(
    `mutation ($input: GrantProjectAccessInput!) { grantProjectAccess(input: $input) { projectAccess { id } } }`,
    { input: { principalId: machine, projectId: here, roleId: (await admin.roles()).Viewer } },
  )
  await expect(renewKey(planner, made.id)).rejects.toBeRefused(...BEYOND)
})

test('keys of those who hold more are neither made, renewed, changed nor revoked', async () => {
  const mighty = await bringWith(admin, ['viewUser', 'manageUser', 'viewAudit'])
  const machine = await createServiceAccount(admin, ['viewUser', 'viewAudit'])
  const [personal, machines] = [
    await createKey(admin, mighty.memberId, []),
    await createKey(admin, machine, []),
  ]
  const keeper = await bringWith(admin, ['manageUser', 'manageServiceAccount'])
  for (const owner of [mighty.memberId, machine, admin.memberId])
    await expect(createKey(keeper, owner, [])).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
  for (const { id } of [personal, machines]) {
    await expect(renewKey(keeper, id)).rejects.toBeRefused('FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS')
    await expect(updateKey(keeper, id, { name: 'x' })).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
    await expect(revokeKey(keeper, id)).rejects.toBeRefused('FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS')
  }
  const { organisation: seen } = await keeper.ask(
    `{ organisation { apiKeys(first: 100) { nodes { id viewerCanManage } } } }`,
  )
  expect(seen.apiKeys.nodes).toContainEqual({ id: personal.id, viewerCanManage: false })
})

test('keys of others are unknown to whoever does not manage their owner, and to the neighbour', async () => {
  const owner = await bringWith(admin, ['viewUser'])
  const machine = await createServiceAccount(admin, ['viewUser'])
  const [personal, machines] = [
    await createKey(admin, owner.memberId, []),
    await createKey(admin, machine, []),
  ]
  const people = await bringWith(admin, ['manageUser'])
  const machinist = await bringWith(admin, ['manageServiceAccount', 'viewUser'])
  const hidden = await bringWith(admin, ['viewUser'])
  for (const [who, key] of [
    [hidden, personal],
    [machinist, personal],
    [people, machines],
    [neighbour, personal],
    [neighbour, machines],
  ] as const) {
    await expect(readKey(who, key.id)).rejects.toBeRefused('NOT_FOUND')
    await expect(renewKey(who, key.id)).rejects.toBeRefused('NOT_FOUND')
    await expect(updateKey(who, key.id, { name: 'x' })).rejects.toBeRefused('NOT_FOUND')
    await expect(revokeKey(who, key.id)).rejects.toBeRefused('NOT_FOUND')
  }
  await expect(createKey(neighbour, machine, [])).rejects.toBeRefused('NOT_FOUND')
  await expect(createKey(hidden, machine, [])).rejects.toBeRefused(
    'FORBIDDEN',
    'PERMISSION_MISSING',
  )
  await expect(
    createKey(admin, machine, [], { projectIds: [await createProject(neighbour)] }),
  ).rejects.toBeRefused('NOT_FOUND')
  const listed = async (by: Person) =>
    (
      await by.ask(`{ organisation { apiKeys(first: 100) { nodes { id } } } }`)
    ).organisation.apiKeys.nodes.map((key: { id: string }) => key.id)
  expect(await listed(neighbour)).toEqual([])
  expect(await listed(hidden)).toEqual([])
  expect(await listed(owner)).toEqual([personal.id])
  expect(await listed(machinist)).not.toContain(personal.id)
  expect(await listed(people)).not.toContain(machines.id)
})

test('a lock blocks a key while it lasts, and so does a suspension until it lifts by itself', async () => {
  const owner = await bringWith(admin, ['viewUser'])
  const { id } = await createKey(admin, owner.memberId, ['viewUser'])
  const { secret } = await renewKey(owner, id)
  const blocked = async () => {
    expect(await heldBy(admin, secret)).toBeNull()
    expect((await readKey(admin, id)).status).toBe('BLOCKED')
  }
  const works = async () => expect(await heldBy(admin, secret)).toEqual(['viewUser'])
  await act(admin, 'lockMember', owner.memberId)
  await blocked()
  await act(admin, 'unlockMember', owner.memberId)
  await works()
  await act(admin, 'deactivateMember', owner.memberId)
  await blocked()
  await act(admin, 'activateMember', owner.memberId)
  await works()
  const chief = await operator(server)
  for (const [on, off] of [
    ['lockUser', 'unlockUser'],
    ['suspendUser', 'activateUser'],
    ['deactivateUser', 'activateUser'],
  ] as const) {
    await act(chief, on, owner.userId)
    expect(await heldBy(admin, secret), on).toBeNull()
    await act(chief, off, owner.userId)
    await works()
  }
  await act(chief, 'suspendOrganisation', admin.organisationId)
  expect(await heldBy(admin, secret)).toBeNull()
  await act(chief, 'activateOrganisation', admin.organisationId)
  await works()
  admin = await signIn(server, admin.email)
  await act(
    admin,
    'suspendMember',
    owner.memberId,
    `, input: { until: "${new Date(server.clock.now().getTime() + 300_000).toISOString()}" }`,
  )
  await blocked()
  server.clock.advance({ minutes: 6 })
  await works()
})

test('removal revokes a key for good, also for someone who is added again', async () => {
  const owner = await bringWith(admin, ['viewUser'])
  const { id } = await createKey(admin, owner.memberId, ['viewUser'])
  const { secret } = await renewKey(owner, id)
  await act(admin, 'removeMember', owner.memberId)
  expect(await heldBy(admin, secret)).toBeNull()
  const { id: roleId } = await createRole(admin, ['viewUser'])
  await admin.ask(
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id status } } }`,
    {
      input: { email: owner.email, firstName: 'Ann', lastName: 'Lee', roleId },
    },
  )
  const back = await signIn(server, owner.email)
  expect(await heldBy(admin, secret)).toBeNull()
  await expect(renewKey(back, id)).rejects.toBeRefused('NOT_FOUND')
  expect((await back.ask(`{ me { apiKeys { nodes { id } } } }`)).me.apiKeys.nodes).toEqual([])
})

test('a machine with every scope of its role makes nothing that holds more than its key', async () => {
  const account = await createServiceAccount(admin, [
    'manageServiceAccount',
    'manageRole',
    'manageUser',
    'viewAudit',
  ])
  const { secret } = await createKey(admin, account, [
    'manageServiceAccount',
    'manageRole',
    'manageUser',
  ])
  const { id: beyond } = await createRole(admin, ['viewAudit'])
  const { Administrator } = await admin.roles()
  const role = (permissions: string[]) =>
    askBy(
      admin,
      secret,
      `mutation ($permissions: [String!]!) { createRole(input: { name: "Raised", level: ORGANISATION, permissions: $permissions }) { role { id } } }`,
      { permissions },
    )
  await expect(role(['viewAudit'])).rejects.toBeRefused('FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS')
  for (const roleId of [beyond, Administrator])
    await expect(
      askBy(
        admin,
        secret,
        `mutation ($id: ID!, $roleId: ID!) { updateServiceAccount(id: $id, input: { roleId: $roleId }) { serviceAccount { id } } }`,
        { id: account, roleId },
      ),
    ).rejects.toBeRefused('FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS')
  await expect(
    askBy(admin, secret, `mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, {
      id: admin.memberId,
    }),
  ).rejects.toBeRefused('FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS')
})
