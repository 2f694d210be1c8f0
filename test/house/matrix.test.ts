import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import { buildOpenSchema } from '../../src/graphql/schema.ts'
import { refusedAct } from '../../src/operations/audit/refusal-topics.ts'
import {
  createKey,
  createProject,
  createRole,
  createServiceAccount,
  grant,
} from '../credentials/keys.ts'
import { post } from '../support/client.ts'
import { OPERATOR, startServer, type TestServer } from '../support/server.ts'
import { PASSWORD, signIn } from '../support/people.ts'
import {
  anotherSession,
  createAccount,
  gather,
  joinElsewhere,
  type Caller,
  type Cast,
} from './callers.ts'
import { argumentsOf, doors, operationOf, type Door, type Kind, type Paths } from './fields.ts'
import { flow, hook, invite, review } from './world.ts'

// Who may open which door, as it is: reviewed line by line against the contract. `UPDATE_MATRIX=1 vitest run
// test/house/matrix.test.ts` writes it anew, to be reviewed again like code.
const FILE = new URL('./authorization-matrix.txt', import.meta.url)
/** They change the session they come in, so each cell spends a session of its own. */
const OF_THE_SESSION = new Set([
  'signOut',
  'refreshSession',
  'switchOrganisation',
  'switchProject',
  'reauthenticate',
  'leaveOrganisation',
])

/** They renew, prepare what another does, note what was read, or ask for a mail that may never go out: no event tells of that. */
const WITHOUT_EVENT = [
  'Mutation.createAvatarUpload',
  'Mutation.markNotificationsRead',
  'Mutation.refreshSession',
  'Mutation.requestEmailVerification',
  'Mutation.requestMagicLink',
  'Mutation.requestPasswordReset',
  'Mutation.startTotpEnrolment',
]
/** Here they are asked for what is so already. */
const WITHOUT_CHANGE = [
  'Mutation.activateMember',
  'Mutation.cancelEmailChange',
  'Mutation.setNotificationPreferences',
  'Mutation.unlockMember',
  'Mutation.updateProfile',
]

const all = doors(await buildOpenSchema())
/** By mutation that was done: whether an event told of it. */
const traced = new Map<string, boolean>()
/** By mutation: the requests in which somebody known was refused. */
const refused = new Map<string, string[]>()
/** Codes of refusals, which leave an event; what is wrong with an input is none. */
const REFUSING = /^(FORBIDDEN|NOT_FOUND|MFA_REQUIRED|STEP_UP_REQUIRED)$/

let server: TestServer
let cast: Cast
let targets: Map<Kind | 'permission', string>

beforeAll(async () => {
  server = await startServer()
  cast = await gather(server)
  targets = new Map()
}, 120_000)
afterAll(() => server.stop())

/** Makes what an argument asks for, or finds it still there. */
async function target(kind: Kind | 'permission'): Promise<string> {
  const there = targets.get(kind) ?? (await make(kind))
  targets.set(kind, there)
  return there
}

const hooks: string[] = []

/** An organisation has so many webhooks at most, so the oldest makes way. */
async function nextHook(): Promise<{ webhook: string; delivery: string }> {
  const made = await hook(cast.admin)
  hooks.push(made.webhook)
  if (hooks.length > 10) {
    const id = hooks.shift()!
    if (targets.get('webhook') === id) targets.delete('webhook')
    const oldest = `mutation ($id: ID!) { deleteWebhook(id: $id) { deletedId } }`
    // a cell may have deleted it
    await cast.admin.ask(oldest, { id }).catch(() => undefined)
  }
  return made
}

async function make(kind: Kind | 'permission'): Promise<string> {
  const { admin, projectAdmin } = cast
  switch (kind) {
    case 'permission': {
      const name = `own.thing${targets.size}${Date.now()}`
      await admin.ask(
        `mutation ($name: String!) { createPermission(input: { name: $name, description: "x" }) { permission { name } } }`,
        { name },
      )
      return name
    }
    case 'role':
      return (await createRole(admin, [])).id
    case 'projectRole':
      return (await createRole(admin, [], { level: 'PROJECT' })).id
    case 'project': {
      const project = await createProject(admin)
      await grant(
        admin,
        projectAdmin.memberId,
        project,
        (await admin.roles())['Project administrator']!,
      )
      return project
    }
    case 'projectAccess':
      return grant(
        admin,
        await target('serviceAccount'),
        await target('project'),
        await target('projectRole'),
      )
    case 'serviceAccount':
      return createServiceAccount(admin, [])
    case 'apiKey':
      return (await createKey(admin, await target('serviceAccount'), [])).id
    case 'invitation':
      return invite(admin)
    // nobody's: what is one's own is tried elsewhere
    case 'factor':
    case 'upload':
    case 'notification':
      return newId()
    case 'webhook':
      return (await nextHook()).webhook
    case 'workflow':
      return flow(admin)
    case 'delivery':
      return (await nextHook()).delivery
    case 'accessReview':
      return (await review(admin)).accessReview
    case 'accessReviewItem':
      return (await review(admin)).accessReviewItem
    case 'user':
      return (await createAccount(server, admin)).id
    case 'session': {
      const account = await createAccount(server, admin)
      await joinElsewhere(admin, account)
      return (await signIn(server, account.email)).sessionId
    }
    case 'organisation': {
      const name = `Spare ${Date.now()}`
      const { createOrganisation } = await cast.chief.ask(
        `mutation ($input: CreateOrganisationInput!) { createOrganisation(input: $input) { organisation { id } } }`,
        { input: { name, administratorEmail: (await createAccount(server, admin)).email } },
      )
      return createOrganisation.organisation.id
    }
    default:
      return joinElsewhere(admin, await createAccount(server, admin))
  }
}

/** What leans on something that was just spent goes with it. */
function spend(kinds: Iterable<Kind | 'permission'>) {
  const leans: Partial<Record<string, Kind[]>> = {
    serviceAccount: ['apiKey', 'projectAccess'],
    project: ['projectAccess'],
    projectRole: ['projectAccess'],
  }
  for (const kind of kinds) for (const each of [kind, ...(leans[kind] ?? [])]) targets.delete(each)
}

async function pathsFor(caller: Caller): Promise<Paths> {
  const ours = cast.admin.organisationId
  const root =
    caller.name === 'operator' ? `platform { organisation(id: "${ours}")` : 'viewer { organisation'
  const [member, machine, project] = [
    await target('member'),
    await target('serviceAccount'),
    await target('project'),
  ]
  return {
    Organisation: inner => `{ ${root} { ${inner} } } }`,
    Platform: inner => `{ platform { ${inner} } }`,
    Member: inner => `{ ${root} { member(id: "${member}") { ${inner} } } } }`,
    ServiceAccount: inner => `{ ${root} { serviceAccount(id: "${machine}") { ${inner} } } } }`,
    Project: inner => `{ ${root} { project(id: "${project}") { ${inner} } } } }`,
  }
}

/** `OK`, or the code and reason of the refusal. */
async function outcomeOf(door: Door, caller: Caller): Promise<string> {
  const { field } = door
  const used = new Set<Kind | 'permission'>()
  const wanted = new Map<string, string>()
  const note = (kind: Kind) => {
    const real = kind === 'principal' || kind === 'anything' ? 'member' : kind
    used.add(real)
    return real
  }
  const also =
    field.name === 'switchProject'
      ? ['id']
      : field.name === 'reauthenticate'
        ? ['input', 'password']
        : undefined
  argumentsOf(door, { id: note, also, given: { name: 'x' } })
  for (const kind of used) wanted.set(kind, await target(kind))
  if (/switchOrganisation/.test(field.name)) wanted.set('organisation', cast.admin.organisationId)
  // everybody belongs there besides, and comes to no harm by leaving
  if (field.name === 'leaveOrganisation') wanted.set('organisation', cast.elsewhere.organisationId)
  if (field.name === 'deletePermission') used.add('permission')
  const spent =
    OF_THE_SESSION.has(field.name) && caller.name !== 'suspended'
      ? await caller.again(server)
      : null
  const refresh =
    field.name === 'refreshSession'
      ? (spent ?? (await anotherSession(server, cast.admin))).refreshToken
      : null
  const values = argumentsOf(door, {
    id: kind => wanted.get(note(kind))!,
    also,
    given: {
      ...(field.name === 'deletePermission' && { name: await target('permission') }),
      ...(field.name === 'createPermission' && { 'input.name': `own.made${Date.now()}` }),
      ...(field.name === 'signIn' && {
        'input.email': cast.admin.email,
        'input.password': PASSWORD,
      }),
      ...(field.name === 'reauthenticate' && {
        'input.password': caller.name === 'operator' ? OPERATOR.password : PASSWORD,
      }),
      ...(refresh && { input: { refreshToken: refresh } }),
    },
  })
  const bearer = spent?.accessToken ?? caller.bearer()
  const headers: Record<string, string> = bearer ? { authorization: `Bearer ${bearer}` } : {}
  const operation = operationOf(
    door,
    values,
    /^(Query|Mutation)$/.test(door.type) ? {} : await pathsFor(caller),
  )
  const { json, headers: answered } = await post(
    server.url,
    JSON.stringify({ query: operation, variables: values }),
    headers,
  )
  const error = json.errors?.[0]
  if (!error && door.type === 'Mutation') {
    spend(used)
    await noteTrace(door, answered.get('x-request-id')!)
  }
  if (error && door.type === 'Mutation' && caller.person && REFUSING.test(error.extensions.code))
    refused.set(field.name, [...(refused.get(field.name) ?? []), answered.get('x-request-id')!])
  if (!error) return findsNothing(json.data) ? 'OK (null)' : 'OK'
  return [error.extensions.code, error.extensions.reason].filter(Boolean).join('/')
}

/** Whether a mutation that was done left an event with the number of its request. */
async function noteTrace(door: Door, requestId: string): Promise<void> {
  const [event] = await server.database.owner(
    `select 1 from event where request_id = $1 and outcome = 'SUCCEEDED' limit 1`,
    [requestId],
  )
  traced.set(door.name, traced.get(door.name) === true || event !== undefined)
}

/** An answer that stops before the field was reached. */
function findsNothing(data: unknown): boolean {
  if (data === null) return true
  return (
    typeof data === 'object' &&
    !Array.isArray(data) &&
    Object.keys(data).length === 1 &&
    findsNothing(Object.values(data)[0])
  )
}

function write(matrix: Map<string, Map<string, string[]>>): string {
  const lines = [...matrix]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([field, outcomes]) => [
      field,
      ...[...outcomes].map(([outcome, names]) => `  ${outcome.padEnd(38)} ${names.join(' ')}`),
      '',
    ])
  return lines.join('\n')
}

test('who may open which door is what was reviewed, for every field that has one', async () => {
  const matrix = new Map<string, Map<string, string[]>>()
  const byName = all.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const isLast = ({ name }: Door) => name === 'Mutation.deleteAccount'
  // whoever has opened that one opens no other
  for (const door of [...byName.filter(each => !isLast(each)), ...byName.filter(isLast)]) {
    const outcomes = new Map<string, string[]>()
    for (const caller of cast.callers) {
      const outcome = await outcomeOf(door, caller)
      outcomes.set(outcome, [...(outcomes.get(outcome) ?? []), caller.name])
    }
    matrix.set(door.name, outcomes)
  }
  const written = write(matrix)
  if (process.env.UPDATE_MATRIX) writeFileSync(FILE, written)
  expect(written).toBe(readFileSync(FILE, 'utf8'))
}, 300_000)

test('every mutation that was done has left its event', () => {
  expect(traced.size).toBeGreaterThan(40)
  const silent = [...traced].filter(([, left]) => !left).map(([name]) => name)
  expect(silent.toSorted()).toEqual([...WITHOUT_EVENT, ...WITHOUT_CHANGE].toSorted())
})

test('every mutation has a topic for its refusals, and one that was refused has left its event', async () => {
  const unknown = all.filter(
    ({ type, field }) => type === 'Mutation' && refusedAct(field.name) === undefined,
  )
  expect(unknown.map(({ name }) => name)).toEqual([])
  expect(refused.size).toBeGreaterThan(40)
  const silent: string[] = []
  for (const [name, requests] of refused) {
    const [event] = await server.database.owner(
      `select 1 from event where request_id = any($1) and outcome = 'DENIED' limit 1`,
      [requests],
    )
    if (!event && refusedAct(name)) silent.push(name)
  }
  expect(silent).toEqual([])
})

test('every root field and every guarded field stands in the matrix', () => {
  const reviewed = readFileSync(FILE, 'utf8')
    .split('\n')
    .filter(line => /^\S/.test(line))
  expect(reviewed).toEqual(all.map(({ name }) => name).toSorted())
})
