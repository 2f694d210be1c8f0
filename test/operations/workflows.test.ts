import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import { askBy, createKey, createServiceAccount, grant as place } from '../credentials/keys.ts'
import { doChore } from '../support/chores.ts'
import { newcomer, operator, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'
import { act, createProject, createRole, deleteRole, updateRole } from '../tenancy/verbs.ts'
import {
  assign,
  call,
  createWorkflow,
  defining,
  deleteWorkflow,
  ended,
  enter,
  mail,
  readWorkflow,
  runsOf,
  trailOf,
  updateWorkflow,
  wait,
  type Steps,
} from './passages.ts'
import { createWebhook, deleteWebhook } from './receiver.ts'

const URL = 'https://receiver.invalid/hook'

let server: TestServer
let beside: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  beside = await startServer({ beside: server })
  admin = await organisation(server)
})
afterAll(async () => {
  await beside.stop()
  await server.stop()
})

// what these wait for does not happen by the way
const TRIGGER = { trigger: 'webhook.switched_off' }
const define = (by: Person, steps: Steps, more: Record<string, unknown> = {}): Promise<any> =>
  createWorkflow(by, steps, { ...TRIGGER, ...more })
const dormant = (steps: Steps) => defining(steps, TRIGGER)

/** A member with a role of their own that holds just these. */
const bringWith = async (by: Person, held: string[]): Promise<Person> =>
  newcomer(by, { roleId: (await createRole(by, held)).id })

/** The same person, who asks the other node. */
const elsewhere = (person: Person): Person =>
  Object.assign(Object.create(person) as Person, {
    ask: (document: string, variables = {}) => person.ask(document, variables, beside.url),
  })

test('a workflow is defined, shown, changed and deleted, and each leaves its event', async () => {
  const project = await createProject(admin)
  const role = await createRole(admin, ['viewUser'])
  const viewer = (await admin.roles()).Viewer!
  const hook = await createWebhook(admin, URL, ['role.created'])
  const steps = [
    mail('Hello {{firstName}}', ' One.\r\nTwo, {{organisation}}. '),
    wait(1_440),
    assign(role.id),
    enter(project.id, viewer),
    call(hook.id),
  ]
  const made = await define(admin, steps, {
    name: ' Welcome ',
    description: 'For newcomers.',
    projectId: project.id,
  })
  expect(made).toMatchObject({
    name: 'Welcome',
    description: 'For newcomers.',
    enabled: true,
    trigger: { name: 'webhook.switched_off' },
    project: { id: project.id },
    organisation: { id: admin.organisationId },
    updatedBy: { id: admin.memberId },
    steps: [
      {
        __typename: 'SendEmailStep',
        subject: 'Hello {{firstName}}',
        body: 'One.\nTwo, {{organisation}}.',
      },
      { __typename: 'WaitStep', minutes: 1_440 },
      { __typename: 'AssignRoleStep', role: { id: role.id } },
      {
        __typename: 'GrantProjectAccessStep',
        project: { id: project.id },
        role: { id: viewer },
      },
      { __typename: 'CallWebhookStep', webhook: { id: hook.id, url: URL } },
    ],
  })
  expect(await readWorkflow(admin, made.id)).toEqual(made)

  const changed = await updateWorkflow(admin, made.id, {
    description: null,
    projectId: null,
    trigger: 'member.added',
    steps: [wait(5)],
    enabled: false,
  })
  expect(changed).toMatchObject({
    name: 'Welcome',
    description: null,
    project: null,
    trigger: { name: 'member.added' },
    enabled: false,
    steps: [{ __typename: 'WaitStep', minutes: 5 }],
  })
  expect(await updateWorkflow(admin, made.id, {})).toMatchObject({ steps: changed.steps })
  expect(await deleteWorkflow(admin, made.id)).toBe(made.id)
  for (const topic of ['workflow.created', 'workflow.updated', 'workflow.deleted'])
    expect((await trailOf(admin, topic))[0]).toMatchObject({
      actor: { id: admin.memberId },
      target: { kind: 'Workflow', id: made.id, name: 'Welcome' },
    })
  const told = JSON.stringify(await trailOf(admin, 'workflow.updated'))
  expect(told).toContain('Hello {{firstName}}')
  expect(told).not.toContain('Two')
})

test('what was deleted is gone, with its runs', async () => {
  const { id } = await define(admin, [wait(5)], { trigger: 'role.created' })
  await createRole(admin)
  let run: any
  await expect
    .poll(async () => ([run] = await runsOf(admin, id))[0]?.status, { timeout: 15_000 })
    .toBe('RUNNING')
  const node = `query ($id: ID!) { node(id: $id) { id } }`
  for (const each of [id, run.id])
    expect(await admin.ask(node, { id: each })).toEqual({ node: { id: each } })
  await deleteWorkflow(admin, id)
  for (const verb of [readWorkflow, deleteWorkflow])
    await expect(verb(admin, id)).rejects.toBeRefused('NOT_FOUND')
  await expect(updateWorkflow(admin, id, { enabled: true })).rejects.toBeRefused('NOT_FOUND')
  for (const each of [id, run.id])
    await expect(admin.ask(node, { id: each })).rejects.toBeRefused('NOT_FOUND')
  const { organisation: own } = await admin.ask(
    `{ organisation { workflows(first: 100) { nodes { id } } } }`,
  )
  expect(own.workflows.nodes).not.toContainEqual({ id })
})

test('lists are pages, and cost the same for one as for ten', async () => {
  const own = await organisation(server)
  const { id: role } = await createRole(own)
  const hook = await createWebhook(own, URL, ['role.deleted'])
  const ids: string[] = []
  for (let count = 0; count < 10; count += 1)
    ids.unshift((await define(own, [assign(role), call(hook.id)], { trigger: 'role.created' })).id)
  await createRole(own)
  for (const id of ids) await ended(own, id)
  const { organisation: first } = await own.ask(
    `{ organisation { workflows(first: 2) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } } }`,
  )
  expect(first.workflows).toMatchObject({
    totalCount: 10,
    nodes: [{ id: ids[0] }, { id: ids[1] }],
    pageInfo: { hasNextPage: true },
  })
  const { organisation: next } = await own.ask(
    `query ($after: String) { organisation { workflows(first: 1, after: $after) { nodes { id } } } }`,
    { after: first.workflows.pageInfo.endCursor },
  )
  expect(next.workflows.nodes).toEqual([{ id: ids[2] }])

  const read = (count: number) =>
    own.ask(
      `query ($first: Int!) { organisation { workflows(first: $first) { nodes { organisation { name } project { name }
        updatedBy { name } steps { ... on AssignRoleStep { role { name } } ... on CallWebhookStep { webhook { url } } }
        runs(first: 2) { nodes { workflow { name } subject { id name } problem { code } } } } } } }`,
      { first: count },
    )
  const { seen: few } = await countStatements(server, () => read(1))
  const { seen: many } = await countStatements(server, () => read(10))
  expect(many).toBe(few)
})

describe('input', () => {
  const bad: [string, Steps, string, (string | number)[]][] = [
    ['no steps', [], 'REQUIRED', []],
    ['too many steps', Array.from({ length: 21 }, () => wait(5)), 'OUT_OF_RANGE', []],
    ['no wait', [wait(5), wait(0)], 'OUT_OF_RANGE', [1, 'wait', 'minutes']],
    ['a wait of years', [wait(525_601)], 'OUT_OF_RANGE', [0, 'wait', 'minutes']],
    ['no subject', [mail(' ')], 'REQUIRED', [0, 'sendEmail', 'subject']],
    ['two lines of subject', [mail('a\nb')], 'INVALID_FORMAT', [0, 'sendEmail', 'subject']],
    ['a long subject', [mail('a'.repeat(101))], 'OUT_OF_RANGE', [0, 'sendEmail', 'subject']],
    ['a link as subject', [mail('www.x.example')], 'INVALID_FORMAT', [0, 'sendEmail', 'subject']],
    ['no body', [mail('a', '\n')], 'REQUIRED', [0, 'sendEmail', 'body']],
    ['a long body', [mail('a', 'b'.repeat(1_001))], 'OUT_OF_RANGE', [0, 'sendEmail', 'body']],
    ['a link', [mail('a', 'https://x.example')], 'INVALID_FORMAT', [0, 'sendEmail', 'body']],
    [
      'a link around a place',
      [mail('a', 'x.exam{{firstName}}ple/y')],
      'INVALID_FORMAT',
      [0, 'sendEmail', 'body'],
    ],
    [
      'a link that begins with a place',
      [mail('a', '{{firstName}}.example/y')],
      'INVALID_FORMAT',
      [0, 'sendEmail', 'body'],
    ],
    ['an unknown place', [mail('{{email}}')], 'INVALID_FORMAT', [0, 'sendEmail', 'subject']],
    [
      'the project where there is none',
      [mail('a', '{{project}}')],
      'INVALID_FORMAT',
      [0, 'sendEmail', 'body'],
    ],
    ['a control character', [mail('a', 'b\u0007')], 'INVALID_FORMAT', [0, 'sendEmail', 'body']],
  ]
  test.each(bad)('%s is said where it stands', async (_name, steps, reason, path) => {
    const { id } = await define(admin, [wait(5)])
    for (const attempt of [
      () => define(admin, steps),
      () => updateWorkflow(admin, id, { steps }),
    ]) {
      const refusal = await attempt().then(
        () => null,
        error => error,
      )
      expect(refusal).toBeRefused('BAD_USER_INPUT', reason)
      expect(refusal.extensions.fields[0].path).toEqual(['input', 'steps', ...path])
    }
    await deleteWorkflow(admin, id)
  })

  test.each([
    [{ trigger: 'role.flown' }, 'INVALID_FORMAT'],
    [{ trigger: 'role.*' }, 'INVALID_FORMAT'],
    [{ name: ' ' }, 'REQUIRED'],
    [{ name: 'See https://x.example' }, 'INVALID_FORMAT'],
    [{ description: 'x'.repeat(1_001) }, 'OUT_OF_RANGE'],
  ])('%j is refused', async (more, reason) => {
    await expect(define(admin, [wait(5)], more)).rejects.toBeRefused('BAD_USER_INPUT', reason)
    const { id } = await define(admin, [wait(5)])
    await expect(updateWorkflow(admin, id, more)).rejects.toBeRefused('BAD_USER_INPUT', reason)
    await deleteWorkflow(admin, id)
  })

  test('a step is of exactly one kind', async () => {
    for (const step of [{}, { ...wait(5), ...mail() }, { wait: null }])
      await expect(define(admin, [step])).rejects.toBeRefused('BAD_USER_INPUT')
    await expect(
      admin.ask(
        `mutation { createWorkflow(input: { name: "x", trigger: "role.created", steps: [{ wait: { minutes: 5 }, assignRole: { roleId: "${newId()}" } }] }) { workflow { id } } }`,
      ),
    ).rejects.toBeRefused('GRAPHQL_VALIDATION_FAILED')
  })

  test('what every workflow has cannot be cleared, and a role is named on its level', async () => {
    const { id } = await define(admin, [wait(5)])
    for (const input of [{ trigger: null }, { steps: null }, { name: null }])
      await expect(updateWorkflow(admin, id, input)).rejects.toBeRefused(
        'BAD_USER_INPUT',
        'REQUIRED',
      )
    const { Viewer, Member } = await admin.roles()
    const project = await createProject(admin)
    for (const step of [assign(Viewer!), enter(project.id, Member!)])
      await expect(define(admin, [step])).rejects.toBeRefused(
        'BAD_USER_INPUT',
        'ROLE_LEVEL_MISMATCH',
      )
    await deleteWorkflow(admin, id)
  })

  test('the project that a mail names cannot be taken from under it', async () => {
    const project = await createProject(admin)
    const { id } = await define(admin, [mail('Hello', 'In {{project}}.')], {
      projectId: project.id,
    })
    await expect(updateWorkflow(admin, id, { projectId: null })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'INVALID_FORMAT',
    )
    await deleteWorkflow(admin, id)
  })

  test('of seventy made at once by two nodes, an organisation gets fifty', async () => {
    const crowded = await organisation(server)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 70 }, (_, count) =>
        define(count % 2 ? crowded : elsewhere(crowded), [wait(5)]),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(50)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        expect(outcome.reason).toBeRefused('CONFLICT', 'STATE_MISMATCH')
  })
})

describe('who may', () => {
  test('without the permission nothing is seen or done; with it, and nothing else, waits are', async () => {
    const { id } = await define(admin, [wait(5)])
    const other = await bringWith(admin, ['manageUser', 'manageRole', 'viewAudit'])
    const acts: ((by: Person) => Promise<unknown>)[] = [
      by => define(by, [wait(5)]),
      by => updateWorkflow(by, id, { description: 'x' }),
      by => readWorkflow(by, id),
      by => by.ask(`{ organisation { workflows { nodes { id } } } }`),
      by => deleteWorkflow(by, id),
    ]
    for (const deed of acts)
      await expect(deed(other)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
    await expect(
      other.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id }),
    ).rejects.toBeRefused('NOT_FOUND')
    const integrator = await bringWith(admin, ['manageIntegration'])
    for (const deed of acts) await deed(integrator)
  })

  test('nobody has a workflow do what they may not do themselves', async () => {
    const roles = await admin.roles()
    const mighty = await createRole(admin, ['manageRole'])
    const project = await createProject(admin)
    const hidden = await createProject(admin)
    const plain = await bringWith(admin, ['manageIntegration'])
    await place(admin, plain.memberId, project.id, roles.Viewer!)
    const users = await bringWith(admin, ['manageIntegration', 'manageUser', 'viewUser'])
    const refusals: [Person, Steps[number], string, string?][] = [
      [plain, mail(), 'FORBIDDEN', 'PERMISSION_MISSING'],
      [plain, assign(roles.Member!), 'FORBIDDEN', 'PERMISSION_MISSING'],
      [plain, enter(project.id, roles.Viewer!), 'FORBIDDEN', 'PERMISSION_MISSING'],
      [plain, enter(hidden.id, roles.Viewer!), 'NOT_FOUND'],
      [users, assign(mighty.id), 'FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS'],
      [users, assign(roles.Administrator!), 'FORBIDDEN', 'EXCEEDS_OWN_PERMISSIONS'],
    ]
    for (const [by, step, code, reason] of refusals) {
      await expect(define(by, [step])).rejects.toBeRefused(code, reason)
      const { id } = await define(by, [wait(5)])
      await expect(updateWorkflow(by, id, { steps: [wait(5), step] })).rejects.toBeRefused(
        code,
        reason,
      )
      await deleteWorkflow(by, id)
    }
    await place(admin, users.memberId, project.id, roles['Project administrator']!)
    await define(users, [mail(), assign(roles.Member!), enter(project.id, roles.Viewer!)])
    await expect(define(plain, [wait(5)], { projectId: hidden.id })).rejects.toBeRefused(
      'NOT_FOUND',
    )
  })

  test('who changes anything answers for all of it; switching off takes no more than the permission', async () => {
    const { Member, Administrator } = await admin.roles()
    const { id } = await define(admin, [assign(Administrator!)])
    const lesser = await bringWith(admin, ['manageIntegration', 'manageUser', 'viewUser'])
    for (const input of [{ name: 'Mine' }, { trigger: 'role.created' }, { enabled: true }, {}])
      await expect(updateWorkflow(lesser, id, input)).rejects.toBeRefused(
        'FORBIDDEN',
        'EXCEEDS_OWN_PERMISSIONS',
      )
    await expect(updateWorkflow(lesser, id, { enabled: false, name: 'Mine' })).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
    expect(await updateWorkflow(lesser, id, { enabled: false })).toMatchObject({
      enabled: false,
      updatedBy: { id: lesser.memberId },
    })
    await expect(updateWorkflow(lesser, id, { enabled: true })).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
    await updateWorkflow(lesser, id, { enabled: true, steps: [assign(Member!)] })
    await deleteWorkflow(lesser, id)
  })

  test('what is named of a neighbour is answered like what is not there', async () => {
    const neighbour = await organisation(server)
    const theirs = {
      hook: (await createWebhook(neighbour, URL, ['role.created'])).id,
      role: (await createRole(neighbour)).id,
      project: (await createProject(neighbour)).id,
      workflow: (await define(neighbour, [wait(5)])).id,
    }
    const viewer = (await admin.roles()).Viewer!
    const project = await createProject(admin)
    const projectRole = (await neighbour.roles()).Viewer!
    for (const step of [
      call(theirs.hook),
      assign(theirs.role),
      enter(theirs.project, viewer),
      enter(project.id, projectRole),
      call(newId()),
      assign(newId()),
      enter(newId(), viewer),
    ])
      await expect(define(admin, [step])).rejects.toBeRefused('NOT_FOUND')
    await expect(define(admin, [wait(5)], { projectId: theirs.project })).rejects.toBeRefused(
      'NOT_FOUND',
    )
    for (const id of [theirs.workflow, newId()]) {
      for (const verb of [readWorkflow, deleteWorkflow])
        await expect(verb(admin, id)).rejects.toBeRefused('NOT_FOUND')
      await expect(updateWorkflow(admin, id, { enabled: false })).rejects.toBeRefused('NOT_FOUND')
    }
    expect(await readWorkflow(neighbour, theirs.workflow)).toMatchObject({ enabled: true })
  })

  test('a key needs the scope for the workflow, and for each of its steps', async () => {
    const machine = await createServiceAccount(admin, ['manageIntegration', 'manageUser'])
    const bare = await createKey(admin, machine, ['manageUser'])
    const narrow = await createKey(admin, machine, ['manageIntegration'])
    const member = (await admin.roles()).Member!
    await expect(askBy(admin, bare.secret, ...dormant([wait(5)]))).rejects.toBeRefused(
      'FORBIDDEN',
      'SCOPE_MISSING',
    )
    for (const step of [assign(member), mail()])
      await expect(askBy(admin, narrow.secret, ...dormant([step]))).rejects.toBeRefused(
        'FORBIDDEN',
        'SCOPE_MISSING',
      )
    const { createWorkflow: made } = await askBy(admin, narrow.secret, ...dormant([wait(5)]))
    expect(made.workflow.updatedBy.id).toBe(machine)
  })

  test('a key that is confined to projects defines none for the whole organisation, or for others', async () => {
    const [here, there] = [await createProject(admin), await createProject(admin)]
    const machine = await createServiceAccount(admin, ['manageIntegration'])
    const { Viewer } = await admin.roles()
    for (const project of [here, there]) await place(admin, machine, project.id, Viewer!)
    const { secret } = await createKey(admin, machine, ['manageIntegration'], {
      projectIds: [here.id],
    })
    const make = (more: object) =>
      askBy(admin, secret, ...defining([wait(5)], { ...TRIGGER, ...more }))
    const change = (id: string, input: object) =>
      askBy(
        admin,
        secret,
        `mutation ($id: ID!, $input: UpdateWorkflowInput!) { updateWorkflow(id: $id, input: $input) { workflow { id } } }`,
        { id, input },
      )
    const drop = (id: string) =>
      askBy(admin, secret, `mutation ($id: ID!) { deleteWorkflow(id: $id) { deletedId } }`, { id })
    const beyond = ['FORBIDDEN', 'SCOPE_MISSING'] as const
    const unknown = ['NOT_FOUND'] as const
    await expect(make({})).rejects.toBeRefused(...beyond)
    await expect(make({ projectId: there.id })).rejects.toBeRefused('NOT_FOUND')
    const theirs = await define(admin, [wait(5)], { projectId: there.id })
    const everywhere = await define(admin, [wait(5)], { projectId: null })
    const naming = await define(admin, [enter(there.id, Viewer!)], { projectId: null })
    const cases: [string, readonly [code: string, reason?: string]][] = [
      [theirs.id, unknown],
      [naming.id, unknown],
      [everywhere.id, beyond],
    ]
    for (const [id, refused] of cases) {
      for (const input of [{ enabled: false }, { projectId: here.id }, { name: 'Mine now' }])
        await expect(change(id, input)).rejects.toBeRefused(...refused)
      await expect(drop(id)).rejects.toBeRefused(...refused)
      expect(await readWorkflow(admin, id)).toMatchObject({ enabled: true })
    }
    const { organisation: seen } = await askBy(
      admin,
      secret,
      `query ($id: ID!) { organisation { workflow(id: $id) { id } workflows(first: 100) { nodes { id } } } }`,
      { id: everywhere.id },
    )
    const shown = seen.workflows.nodes.map((workflow: { id: string }) => workflow.id)
    expect(shown).toContain(everywhere.id)
    expect(shown).not.toContain(theirs.id)
    expect(shown).not.toContain(naming.id)
    const { id } = (await make({ projectId: here.id })).createWorkflow.workflow
    await expect(change(id, { projectId: null })).rejects.toBeRefused(...beyond)
    await change(id, { name: 'Ours' })
    await drop(id)
  })

  test('a stranger, and an operator from without, change nothing', async () => {
    const { id } = await define(admin, [wait(5)])
    await expect(askBy(admin, null, ...dormant([wait(5)]))).rejects.toBeRefused('UNAUTHENTICATED')
    const chief = await operator(server)
    await expect(deleteWorkflow(chief, id)).rejects.toBeRefused('NOT_FOUND')
    const { platform } = await chief.ask(
      `query ($org: ID!, $id: ID!) { platform { organisation(id: $org) { workflow(id: $id) { name steps { __typename } } } } }`,
      { org: admin.organisationId, id },
    )
    expect(platform.organisation.workflow).toMatchObject({ name: 'Welcome' })
  })
})

describe('what a workflow names', () => {
  test('is not deleted while one does, be it on or off', async () => {
    const project = await createProject(admin)
    const target = await createProject(admin)
    const role = await createRole(admin)
    const hook = await createWebhook(admin, URL, ['role.created'])
    const viewer = await createRole(admin, [], { level: 'PROJECT' })
    const { id } = await define(
      admin,
      [assign(role.id), enter(target.id, viewer.id), call(hook.id)],
      { projectId: project.id },
    )
    const deletions = [
      () => act(admin, 'deleteProject', project.id),
      () => act(admin, 'deleteProject', target.id),
      () => deleteRole(admin, role.id),
      () => deleteRole(admin, viewer.id),
      () => deleteWebhook(admin, hook.id),
    ]
    for (const enabled of [true, false]) {
      await updateWorkflow(admin, id, { enabled })
      for (const deletion of deletions)
        await expect(deletion()).rejects.toBeRefused('CONFLICT', 'IN_USE')
    }
    await deleteWorkflow(admin, id)
    for (const deletion of deletions) await deletion()
  })

  test('moves to the replacement of a role, within what its deleter may hand out', async () => {
    const role = await createRole(admin, ['viewUser'])
    const next = await createRole(admin, ['viewUser'])
    const mighty = await createRole(admin, ['viewUser', 'manageUser'])
    const { id } = await define(admin, [wait(5), assign(role.id)])
    const lesser = await bringWith(admin, ['manageRole', 'viewUser'])
    await expect(deleteRole(lesser, role.id, mighty.id)).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
    await deleteRole(lesser, role.id, next.id)
    expect((await readWorkflow(admin, id)).steps[1].role.id).toBe(next.id)
    await deleteWorkflow(admin, id)
  })

  test('of a deletion and a workflow at once, over two nodes, one is refused', async () => {
    for (let round = 0; round < 10; round += 1) {
      const project = await createProject(admin)
      const role = await createRole(admin)
      const hook = await createWebhook(admin, URL, ['role.created'])
      const viewer = (await admin.roles()).Viewer!
      const pairs: [() => Promise<unknown>, (by: Person) => Promise<any>][] = [
        [
          () => act(admin, 'deleteProject', project.id),
          by => define(by, [wait(5)], { projectId: project.id }),
        ],
        [
          () => act(admin, 'deleteProject', project.id),
          by => define(by, [enter(project.id, viewer)]),
        ],
        [() => deleteRole(admin, role.id), by => define(by, [assign(role.id)])],
        [() => deleteWebhook(admin, hook.id), by => define(by, [call(hook.id)])],
      ]
      for (const [deletion, definition] of pairs) {
        const [gone, ...made] = await Promise.allSettled([
          deletion(),
          ...Array.from({ length: 3 }, (_, count) =>
            definition(count % 2 ? admin : elsewhere(admin)),
          ),
        ])
        const defined = made.filter(
          ({ status }) => status === 'fulfilled',
        ) as PromiseFulfilledResult<any>[]
        if (gone.status === 'rejected') {
          // a project that was deleted in the round before is gone already
          expect(['CONFLICT', 'NOT_FOUND']).toContain(gone.reason.code)
          if (gone.reason.code === 'CONFLICT') expect(defined.length).toBeGreaterThan(0)
        } else expect(defined).toEqual([])
        for (const each of made)
          if (each.status === 'rejected') expect(each.reason).toBeRefused('NOT_FOUND')
        for (const { value } of defined) await deleteWorkflow(admin, value.id)
      }
    }
  }, 60_000)
})

test('a role that was given more since cannot be kept by whoever lacks it', async () => {
  const role = await createRole(admin, ['viewUser'])
  const by = await bringWith(admin, ['manageIntegration', 'manageUser', 'viewUser'])
  const { id } = await define(by, [assign(role.id)])
  await updateRole(admin, role.id, { permissions: ['viewUser', 'viewAudit'] })
  await expect(updateWorkflow(by, id, { name: 'Other' })).rejects.toBeRefused(
    'FORBIDDEN',
    'EXCEEDS_OWN_PERMISSIONS',
  )
})

test('what is over is deleted after a month, and a deleted workflow with the last of it', async () => {
  const own = await organisation(server)
  const { id } = await define(own, [mail()], { trigger: 'role.created' })
  const kept = await define(own, [wait(500_000)], { trigger: 'role.created' })
  await createRole(own)
  await ended(own, id)
  const count = async () =>
    (
      await server.database.owner(
        `select (select count(*)::int from workflow where id = any($1::uuid[])) as workflows,
          (select count(*)::int from workflow_run where workflow_id = any($1::uuid[])) as runs`,
        [[id, kept.id]],
      )
    )[0]
  await deleteWorkflow(own, id)
  server.clock.advance({ days: 29 })
  await doChore(server, 'purge')
  expect(await count()).toEqual({ workflows: 2, runs: 2 })
  server.clock.advance({ days: 2 })
  await doChore(server, 'purge')
  expect(await count()).toEqual({ workflows: 1, runs: 1 })
})
