import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import {
  askBy,
  createKey,
  createServiceAccount,
  revokeKey,
  updateKey,
} from '../credentials/keys.ts'
import { mailsSoFar, mailsTo } from '../support/mailbox.ts'
import { newcomer, operator, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import {
  act,
  createProject,
  createRole,
  grant,
  updateMember,
  updateRole,
} from '../tenancy/verbs.ts'
import {
  assign,
  call,
  createWorkflow,
  defining,
  deleteWorkflow,
  ended,
  enter,
  hurry,
  mail,
  quiet,
  resting,
  runsOf,
  trailOf,
  updateWorkflow,
  wait,
  type Steps,
} from './passages.ts'
import { createWebhook, deliveriesOf, opened, Receiver } from './receiver.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { WEBHOOK_ALLOW_PRIVATE: 'on' } })
})
afterAll(() => server.stop())
beforeEach(async () => {
  admin = await organisation(server)
})

const roleOf = async (id: string, by = admin): Promise<string> =>
  (await by.ask(`query ($id: ID!) { organisation { member(id: $id) { role { id } } } }`, { id }))
    .organisation.member.role.id

const placesOf = async (id: string, by = admin): Promise<any[]> =>
  (
    await by.ask(
      `query ($id: ID!) { organisation { member(id: $id) { projectAccess { nodes { project { id } role { id } } } } } }`,
      { id },
    )
  ).organisation.member.projectAccess.nodes

/** A member with a role that holds these, who makes the workflows of a test. */
async function author(held: string[], more: Record<string, unknown> = {}): Promise<Person> {
  const role = await createRole(admin, held, more)
  return newcomer(admin, { roleId: role.id })
}

const INTEGRATOR = ['manageIntegration', 'manageUser', 'viewUser', 'manageProject']

describe('what a run does', () => {
  test('all kinds of steps, in order, for whoever the event was about', async () => {
    const receiver = await Receiver.open()
    const project = await createProject(admin, { name: 'Atlas' })
    const role = await createRole(admin, ['viewUser'])
    const viewer = (await admin.roles()).Viewer!
    const hook = await createWebhook(admin, receiver.url, ['project.deleted'])
    const { id } = await createWorkflow(
      admin,
      [
        mail('Hello {{firstName}}', 'Welcome to {{organisation}}.\nThis is <b>{{project}}</b>.'),
        wait(60),
        assign(role.id),
        enter(project.id, viewer),
        call(hook.id),
      ],
      { projectId: project.id, trigger: 'project_access.granted' },
    )
    const person = await newcomer(admin)
    await updateMember(admin, person.memberId, { firstName: 'Ann <i>', lastName: 'Lee' })
    const other = await createProject(admin)
    await grant(admin, person.memberId, other.id, viewer)
    const projectAdministrator = (await admin.roles())['Project administrator']!
    await grant(admin, person.memberId, project.id, projectAdministrator)

    const [first] = await mailsTo(server, person.email)
    expect(first!.subject).toBe('Hello Ann <i>')
    expect(first!.text).toContain('This is <b>Atlas</b>.')
    expect(first!.html).toContain('This is &lt;b&gt;Atlas&lt;/b&gt;.')
    expect(first!.html).not.toContain('<b>')
    await resting(admin, 2)
    expect(await roleOf(person.memberId)).not.toBe(role.id)
    // another project's event set nothing off
    expect(await runsOf(admin, id)).toMatchObject([{ status: 'RUNNING', finishedAt: null }])
    await hurry(admin)
    const [run] = await ended(admin, id)
    expect(run).toMatchObject({
      status: 'SUCCEEDED',
      problem: null,
      subject: { kind: 'Member', id: person.memberId },
      workflow: { id },
    })
    expect(await roleOf(person.memberId)).toBe(role.id)
    expect(await placesOf(person.memberId)).toContainEqual({
      project: { id: project.id },
      role: { id: viewer },
    })
    const [received] = await receiver.received(1)
    expect(opened(hook.secret, received!)).toMatchObject({
      type: 'project_access.granted',
      data: { target: { id: person.memberId } },
    })
    await receiver.close()
  })

  test('the trail names whoever it acted for, marked as the act of the workflow', async () => {
    const by = await author(INTEGRATOR)
    const role = await createRole(admin, ['viewUser'])
    const { id } = await createWorkflow(by, [mail(), assign(role.id)], { name: 'Greeting' })
    const person = await admin.bring()
    const [run] = await ended(admin, id)
    const mark = {
      actor: { id: by.memberId, kind: 'MEMBER' },
      requestId: run.id,
      userAgent: 'Gatehouse workflow "Greeting"',
      target: { id: person.memberId },
    }
    const events = [
      ...(await trailOf(admin, 'workflow.mail_sent')),
      ...(await trailOf(admin, 'member.updated')),
    ]
    expect(events).toEqual([expect.objectContaining({}), expect.objectContaining({})])
    for (const event of events) expect(event).toMatchObject(mark)
  })

  test('an event is posted again at each step that says so, under an id of its own', async () => {
    const receiver = await Receiver.open()
    const hook = await createWebhook(admin, receiver.url, ['role.created'])
    const { id } = await createWorkflow(admin, [call(hook.id), call(hook.id)], {
      trigger: 'role.created',
    })
    await createRole(admin)
    await ended(admin, id)
    const got = await receiver.received(3)
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(3)
    expect(new Set(got.map(each => opened(hook.secret, each).data.id)).size).toBe(1)
    await receiver.close()
  })

  test.each(['member.added', 'session.started', 'invitation.sent'])(
    'whoever %s is about is found',
    async trigger => {
      const role = await createRole(admin, ['viewUser'])
      const { id } = await createWorkflow(admin, [assign(role.id)], { trigger })
      const person = await newcomer(admin)
      await ended(admin, id)
      expect(await roleOf(person.memberId)).toBe(role.id)
    },
  )

  test('within a project, events about its people set it off, and about others not', async () => {
    const project = await createProject(admin)
    const { id } = await createWorkflow(admin, [wait(5)], {
      trigger: 'member.locked',
      projectId: project.id,
    })
    const [inside, outside] = [await newcomer(admin), await newcomer(admin)]
    await grant(admin, inside.memberId, project.id, (await admin.roles()).Viewer!)
    await act(admin, 'lockMember', outside.memberId)
    await act(admin, 'lockMember', inside.memberId)
    await resting(admin, 1)
    await quiet(admin)
    expect(await runsOf(admin, id)).toMatchObject([{ subject: { id: inside.memberId } }])
  })

  test('an event that is about nobody ends a run that needs somebody', async () => {
    const { id } = await createWorkflow(admin, [mail()], { trigger: 'role.created' })
    await createRole(admin)
    expect(await ended(admin, id)).toMatchObject([
      {
        status: 'FAILED',
        problem: { code: 'CONFLICT', reason: 'STATE_MISMATCH', path: ['steps', '0'] },
      },
    ])
    const [event] = await trailOf(admin, 'workflow.run_failed')
    expect(event).toMatchObject({ actor: { kind: 'SYSTEM' }, target: { id, kind: 'Workflow' } })
  })

  test('mail goes to nobody who has not accepted, is barred or is gone', async () => {
    const { id } = await createWorkflow(admin, [wait(5), mail()], { trigger: 'member.added' })
    const { member: invited } = await admin.add()
    const barred = await newcomer(admin)
    const gone = await newcomer(admin)
    await resting(admin, 1, 3)
    await admin.ask(`mutation ($id: ID!) { suspendMember(id: $id, input: {}) { member { id } } }`, {
      id: barred.memberId,
    })
    await act(admin, 'removeMember', gone.memberId)
    await hurry(admin)
    const runs = await ended(admin, id, 3)
    expect(
      Object.fromEntries(runs.map(({ subject, problem }) => [subject.id, problem.code])),
    ).toEqual({
      [invited.id]: 'CONFLICT',
      [barred.memberId]: 'CONFLICT',
      [gone.memberId]: 'NOT_FOUND',
    })
    const mails = [
      ...(await mailsSoFar(server, barred.email)),
      ...(await mailsSoFar(server, gone.email)),
    ]
    expect(mails.filter(({ subject }) => subject === 'Welcome')).toEqual([])
  })

  test('a webhook that was switched off meanwhile ends the run', async () => {
    const hook = await createWebhook(admin, 'https://receiver.invalid/', ['project.deleted'])
    const { id } = await createWorkflow(admin, [call(hook.id)], { trigger: 'role.created' })
    await admin.ask(
      `mutation ($id: ID!) { updateWebhook(id: $id, input: { enabled: false }) { webhook { id } } }`,
      { id: hook.id },
    )
    await createRole(admin)
    expect(await ended(admin, id)).toMatchObject([
      { status: 'FAILED', problem: { code: 'CONFLICT', reason: 'STATE_MISMATCH' } },
    ])
    expect(await deliveriesOf(admin, hook.id)).toEqual([])
  })

  test('nobody is flooded: so many mails a day, whatever happens how often', async () => {
    const twenty = Array.from({ length: 20 }, () => mail('Again'))
    const { id } = await createWorkflow(admin, twenty, { trigger: 'member.updated' })
    const person = await newcomer(admin)
    await updateMember(admin, person.memberId, { lastName: 'Once' })
    expect(await ended(admin, id)).toMatchObject([{ status: 'SUCCEEDED' }])
    await updateMember(admin, person.memberId, { lastName: 'Twice' })
    expect((await ended(admin, id, 2))[0]).toMatchObject({
      status: 'FAILED',
      problem: { code: 'RATE_LIMITED', path: ['steps', '0'] },
    })
    // which is a count of each person
    const other = await newcomer(admin)
    await updateMember(admin, other.memberId, { lastName: 'Once' })
    expect((await ended(admin, id, 3))[0]).toMatchObject({ status: 'SUCCEEDED' })
    expect(await trailOf(admin, 'workflow.mail_sent')).toHaveLength(40)
  })

  test('a name that makes a link of the words around it is not mailed', async () => {
    const { id } = await createWorkflow(admin, [
      mail('Hello', 'See {{firstName}}{{organisation}}/x'),
    ])
    await server.database.owner(`update organisation set name = 'co.example' where id = $1`, [
      admin.organisationId,
    ])
    const person = await admin.bring()
    expect(await ended(admin, id)).toMatchObject([
      { status: 'FAILED', problem: { code: 'BAD_USER_INPUT' } },
    ])
    expect((await mailsSoFar(server, person.email)).map(({ subject }) => subject)).not.toContain(
      'Hello',
    )
  })
})

describe('the authority of whoever changed it last', () => {
  /** A workflow that gives newcomers a role once they have waited, and its first run, which waits. */
  async function underWay(by: Person, roleId: string, lead: Steps = [wait(5)]) {
    const { id } = await createWorkflow(by, [...lead, assign(roleId)])
    const person = await admin.bring()
    await resting(admin, lead.length)
    return { id, person, before: await roleOf(person.memberId) }
  }

  async function mustFail(id: string, person: Person, before: string, code = 'FORBIDDEN') {
    await hurry(admin)
    const [run] = await ended(admin, id)
    expect(run).toMatchObject({ status: 'FAILED', problem: { code, path: ['steps', '1'] } })
    expect(run.finishedAt).not.toBeNull()
    expect(await roleOf(person.memberId)).toBe(before)
  }

  const acts: Record<string, (by: Person) => Promise<unknown>> = {
    'is removed': by => act(admin, 'removeMember', by.memberId),
    'is locked': by => act(admin, 'lockMember', by.memberId),
    'is suspended': by =>
      admin.ask(`mutation ($id: ID!) { suspendMember(id: $id, input: {}) { member { id } } }`, {
        id: by.memberId,
      }),
    'is deactivated': by => act(admin, 'deactivateMember', by.memberId),
    leaves: by =>
      by.ask(`mutation ($id: ID!) { leaveOrganisation(id: $id) { __typename } }`, {
        id: by.organisationId,
      }),
    'gets a lesser role': async by =>
      updateMember(admin, by.memberId, {
        roleId: (await createRole(admin, ['manageIntegration', 'viewUser'])).id,
      }),
    'loses the permission for integrations': async by =>
      updateMember(admin, by.memberId, {
        roleId: (await createRole(admin, ['manageUser', 'viewUser'])).id,
      }),
    'is locked by an operator': async by =>
      (await operator(server)).ask(
        `mutation ($id: ID!) { lockUser(id: $id, reason: "x") { user { id } } }`,
        { id: by.userId },
      ),
    'deletes their account': by => by.ask(`mutation { deleteAccount { __typename } }`),
  }
  test.each(Object.keys(acts))('is gone where that person %s', async happening => {
    const by = await author(INTEGRATOR)
    const role = await createRole(admin, ['viewUser'])
    const { id, person, before } = await underWay(by, role.id)
    await acts[happening]!(by)
    await mustFail(id, person, before)
  })

  test('does not reach a role that was given more meanwhile', async () => {
    const by = await author(INTEGRATOR)
    const role = await createRole(admin, ['viewUser'])
    const { id, person, before } = await underWay(by, role.id)
    await updateRole(admin, role.id, { permissions: ['viewUser', 'manageRole'] })
    await mustFail(id, person, before)
    expect((await runsOf(admin, id))[0].problem.reason).toBe('EXCEEDS_OWN_PERMISSIONS')
  })

  test('does not reach a person who holds more than they do', async () => {
    const by = await author(INTEGRATOR)
    const role = await createRole(admin, ['viewUser'])
    const { id, person } = await underWay(by, role.id)
    const mighty = (await admin.roles()).Administrator!
    await updateMember(admin, person.memberId, { roleId: mighty })
    await mustFail(id, person, mighty)
  })

  test('does not reach a person whom their role does not show', async () => {
    const by = await author(INTEGRATOR, { visibility: 'SELF' })
    const role = await createRole(admin, ['viewUser'], { visibility: 'SELF' })
    const { id, person, before } = await underWay(by, role.id)
    await mustFail(id, person, before, 'NOT_FOUND')
    // nor do they see whom it was about
    expect(await runsOf(by, id)).toMatchObject([{ subject: null }])
    const mailing = await createWorkflow(by, [mail()], { trigger: 'role.created' })
    await server.database.owner(`update workflow set topic = 'member.locked' where id = $1`, [
      mailing.id,
    ])
    await act(admin, 'lockMember', person.memberId)
    expect(await ended(admin, mailing.id)).toMatchObject([{ problem: { code: 'NOT_FOUND' } }])
  })

  test('does not take the last administrator away', async () => {
    const { id } = await createWorkflow(admin, [assign((await admin.roles()).Member!)], {
      trigger: 'member.updated',
    })
    await updateMember(admin, admin.memberId, { lastName: 'Last' })
    const [run] = await ended(admin, id)
    expect(run).toMatchObject({
      status: 'FAILED',
      problem: { code: 'CONFLICT', reason: 'LAST_ADMINISTRATOR' },
    })
    expect(await roleOf(admin.memberId)).toBe((await admin.roles()).Administrator)
  })

  test('in a project reaches no further than their place there', async () => {
    const project = await createProject(admin)
    const roles = await admin.roles()
    const by = await author(['manageIntegration', 'viewUser'])
    const placed = await grant(admin, by.memberId, project.id, roles['Project administrator']!)
    const { id } = await createWorkflow(by, [wait(5), enter(project.id, roles.Viewer!)])
    const person = await admin.bring()
    await resting(admin, 1)
    await admin.ask(`mutation ($id: ID!) { revokeProjectAccess(id: $id) { deletedId } }`, {
      id: placed.id,
    })
    await hurry(admin)
    expect(await ended(admin, id)).toMatchObject([
      { status: 'FAILED', problem: { code: 'NOT_FOUND' } },
    ])
    expect(await placesOf(person.memberId)).toEqual([])
  })

  test('passes to whoever changes it next', async () => {
    const by = await author(INTEGRATOR)
    const role = await createRole(admin, ['viewUser'])
    const { id, person } = await underWay(by, role.id)
    await updateWorkflow(admin, id, { description: 'Taken over.' })
    await act(admin, 'removeMember', by.memberId)
    await hurry(admin)
    expect(await ended(admin, id)).toMatchObject([{ status: 'SUCCEEDED' }])
    expect(await roleOf(person.memberId)).toBe(role.id)
    expect((await trailOf(admin, 'member.updated'))[0].actor.id).toBe(admin.memberId)
  })

  test('is that of a key that was confined to projects since, and goes no further', async () => {
    const machine = await createServiceAccount(admin, INTEGRATOR)
    const project = await createProject(admin)
    await grant(admin, machine, project.id, (await admin.roles()).Viewer!)
    const key = await createKey(admin, machine, ['manageIntegration', 'manageUser'])
    const role = await createRole(admin, ['viewUser'])
    const steps = [wait(5), assign(role.id)]
    const { createWorkflow: made } = await askBy(admin, key.secret, ...defining(steps))
    const { id } = made.workflow
    const person = await admin.bring()
    const before = await roleOf(person.memberId)
    await resting(admin, 1)
    await updateKey(admin, key.id, { projectIds: [project.id] })
    await mustFail(id, person, before)
    expect((await runsOf(admin, id))[0].problem.reason).toBe('SCOPE_MISSING')
  })

  test('is that of the key it was made with, and ends with it', async () => {
    const machine = await createServiceAccount(admin, INTEGRATOR)
    const key = await createKey(admin, machine, ['manageIntegration', 'manageUser'])
    const role = await createRole(admin, ['viewUser'])
    const make = async (steps: any) =>
      (await askBy(admin, key.secret, ...defining(steps))).createWorkflow.workflow.id as string
    const atOnce = await make([assign(role.id)])
    const later = await make([wait(5), assign((await admin.roles()).Member!)])
    const person = await admin.bring()
    await ended(admin, atOnce)
    expect(await roleOf(person.memberId)).toBe(role.id)
    expect((await trailOf(admin, 'member.updated'))[0].actor).toMatchObject({
      id: machine,
      kind: 'SERVICE_ACCOUNT',
      apiKeyId: key.id,
    })
    await resting(admin, 1)
    await revokeKey(admin, key.id)
    await mustFail(later, person, role.id)
  })
})

describe('what sets nothing off', () => {
  test('a run: neither its own workflow again, nor another, so that two do not chase each other', async () => {
    const [one, two] = [
      await createRole(admin, ['viewUser']),
      await createRole(admin, ['viewUser']),
    ]
    const first = await createWorkflow(admin, [assign(one.id)], { trigger: 'member.updated' })
    const second = await createWorkflow(admin, [assign(two.id)], { trigger: 'member.updated' })
    const person = await newcomer(admin)
    await updateMember(admin, person.memberId, { lastName: 'Other' })
    await ended(admin, first.id)
    await ended(admin, second.id)
    await quiet(admin)
    expect(await runsOf(admin, first.id)).toHaveLength(1)
    expect(await runsOf(admin, second.id)).toHaveLength(1)
    expect(await trailOf(admin, 'member.updated')).toHaveLength(3)
  })

  test('but webhooks are told of what it does', async () => {
    const receiver = await Receiver.open()
    await createWebhook(admin, receiver.url, ['member.updated'])
    await createWorkflow(admin, [assign((await createRole(admin)).id)])
    const person = await admin.bring()
    const [received] = await receiver.received(1)
    expect(JSON.parse(received!.body).data.target.id).toBe(person.memberId)
    await receiver.close()
  })

  test('a mutation that was rolled back, or refused', async () => {
    const { id } = await createWorkflow(admin, [wait(5)], { trigger: 'role.created' })
    await expect(
      admin.ask(
        `mutation { createRole(input: { name: "http://x.example/", level: ORGANISATION, permissions: [] }) { role { id } } }`,
      ),
    ).rejects.toBeRefused('BAD_USER_INPUT')
    const taken = await createRole(admin, [], { name: 'Taken' })
    await resting(admin, 1)
    await expect(createRole(admin, [], { name: taken.name })).rejects.toBeRefused('CONFLICT')
    const denied = newId()
    await server.database.owner(
      `insert into event (id, organisation_id, topic, occurred_at, outcome, actor_kind, changes, actor_commitment)
       values ($2, $1, 'role.created', now(), 'DENIED', 'SYSTEM', '[]', 'x')`,
      [admin.organisationId, denied],
    )
    await server.app.node.database.store.system.rows({
      text: `insert into pgboss.job (name, data) values ('webhook-event', $1::jsonb)`,
      values: [JSON.stringify({ events: [denied] })],
    })
    await quiet(admin)
    expect(await runsOf(admin, id)).toHaveLength(1)
  })

  test('a workflow that is off, or of a neighbour', async () => {
    const neighbour = await organisation(server)
    const theirs = await createWorkflow(neighbour, [mail()])
    const off = await createWorkflow(admin, [mail()], { enabled: false })
    await admin.bring()
    await quiet(admin)
    expect(await runsOf(admin, off.id)).toEqual([])
    expect(await runsOf(neighbour, theirs.id)).toEqual([])
  })
})

describe('runs under way', () => {
  test('are stopped where the workflow is deleted or switched off, or gets other steps', async () => {
    const stops: ((id: string) => Promise<unknown>)[] = [
      id => updateWorkflow(admin, id, { enabled: false }),
      id => updateWorkflow(admin, id, { steps: [wait(5), mail('Another')] }),
    ]
    for (const stop of stops) {
      const { id } = await createWorkflow(admin, [wait(5), mail()])
      const person = await admin.bring()
      await resting(admin, 1)
      await stop(id)
      expect(await runsOf(admin, id)).toMatchObject([{ status: 'CANCELLED', problem: null }])
      await hurry(admin)
      await quiet(admin)
      const subjects = (await mailsSoFar(server, person.email)).map(({ subject }) => subject)
      expect(subjects).not.toContain('Welcome')
      expect(subjects).not.toContain('Another')
      await deleteWorkflow(admin, id)
    }
    const { id } = await createWorkflow(admin, [wait(5), mail()])
    await admin.bring()
    await resting(admin, 1)
    const [run] = await runsOf(admin, id)
    await deleteWorkflow(admin, id)
    const [row] = await server.database.owner(`select status from workflow_run where id = $1`, [
      run.id,
    ])
    expect(row).toEqual({ status: 'CANCELLED' })
  })

  test('go on where nothing but its name, its trigger or the same steps are given', async () => {
    const steps = [wait(5), mail()]
    const { id } = await createWorkflow(admin, steps)
    const person = await admin.bring()
    await resting(admin, 1)
    await updateWorkflow(admin, id, { name: 'Renamed', trigger: 'role.created', steps })
    await hurry(admin)
    expect(await ended(admin, id)).toMatchObject([{ status: 'SUCCEEDED' }])
    await mailsTo(server, person.email, 2)
  })

  test('two nodes take each step once between them, even where the queue hands out everything twice', async () => {
    const beside = await startServer({ beside: server, settings: { WEBHOOK_ALLOW_PRIVATE: 'on' } })
    const { id } = await createWorkflow(admin, [mail('One'), mail('Two'), wait(5), mail('Three')], {
      trigger: 'member.updated',
    })
    const person = await newcomer(admin)
    await Promise.all(
      Array.from({ length: 5 }, (_, count) =>
        updateMember(admin, person.memberId, { lastName: `Lee ${count}` }),
      ),
    )
    const handOutAgain = async () => {
      for (const { id: run } of await runsOf(admin, id))
        for (const step of [0, 1, 2])
          await server.database.owner(
            `insert into pgboss.job (name, data) select 'workflow-step', $1::jsonb from generate_series(1, 3)`,
            [JSON.stringify({ run, step })],
          )
      await quiet(admin)
    }
    await handOutAgain()
    await resting(admin, 3, 5)
    await handOutAgain()
    await hurry(admin)
    const runs = await ended(admin, id, 5)
    await handOutAgain()
    expect(runs.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'SUCCEEDED'))
    const subjects = (await mailsSoFar(server, person.email)).map(({ subject }) => subject)
    for (const subject of ['One', 'Two', 'Three'])
      expect(subjects.filter(each => each === subject)).toHaveLength(5)
    await beside.stop()
  }, 60_000)
})
