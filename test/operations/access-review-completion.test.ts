import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  bringWith,
  createKey,
  createProject,
  createRole,
  createServiceAccount,
  grant,
  heldBy,
} from '../credentials/keys.ts'
import { newcomer, operator, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'
import { act, assign, deleteRole } from '../tenancy/verbs.ts'
import {
  cancel,
  complete,
  condemn,
  decide,
  itemOf,
  itemsOf,
  newestEvent,
  readReview,
  start,
} from './reviews.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const exists = async (own: Person, field: string, id: string): Promise<boolean> =>
  own.ask(`query ($id: ID!) { organisation { ${field}(id: $id) { id } } }`, { id }).then(
    ({ organisation: here }) => here[field] !== null,
    () => false,
  )
const isMember = async (own: Person, { memberId }: Person): Promise<boolean> => {
  const { organisation: here } = await own.ask(
    `query ($id: ID!) { organisation { member(id: $id) { removedAt } } }`,
    { id: memberId },
  )
  return here.member.removedAt === null
}
const placesOf = async (own: Person, id: string): Promise<string[]> => {
  const rows = await server.database.owner(
    `select project_id from project_access where principal_id = $1`,
    [id],
  )
  return rows.map(row => String(row.project_id)).toSorted()
}

/** What a refused completion says of each item. */
async function faultsOf(by: Person, id: string): Promise<Record<string, string>> {
  const refusal: any = await complete(by, id).then(
    () => null,
    (error: unknown) => error,
  )
  const { fields } = refusal.extensions
  return Object.fromEntries(
    fields.map((field: any) => {
      expect(field.path[0]).toBe('items')
      return [field.path[1], field.reason]
    }),
  )
}

test('carries out what was decided, and nothing else: members, machines and places in projects', async () => {
  const own = await organisation(server)
  const [red, blue] = [await createProject(own), await createProject(own)]
  const { Viewer } = await own.roles()
  const [leaving, staying, undecided] = [
    await newcomer(own),
    await newcomer(own),
    await newcomer(own),
  ]
  const machine = await createServiceAccount(own, ['viewUser'])
  const spared = await createServiceAccount(own, ['viewUser'])
  const key = await createKey(own, machine, ['viewUser'])
  for (const project of [red, blue]) {
    await grant(own, leaving.memberId, project, Viewer!)
    await grant(own, staying.memberId, project, Viewer!)
    await grant(own, spared, project, Viewer!)
  }
  const { id } = await start(own)
  for (const holder of [leaving.memberId, machine]) await condemn(own, id, holder)
  // who leaves the organisation leaves its projects; this one goes without saying
  await condemn(own, id, leaving.memberId, red)
  for (const holder of [staying.memberId, spared]) await condemn(own, id, holder, red)
  const kept = await itemOf(own, id, staying.memberId)
  await decide(own, [{ itemId: kept.id, decision: 'KEEP' }])
  expect(await isMember(own, leaving)).toBe(true)

  const done = await complete(own, id)
  expect(done).toMatchObject({ status: 'COMPLETED', completedAt: expect.any(String) })
  expect(done.undecidedCount).toBe((await itemsOf(own, id, { decided: false })).length)
  expect(await isMember(own, leaving)).toBe(false)
  await expect(leaving.ask(`{ viewer { organisation { id } } }`)).rejects.toBeRefused(
    'UNAUTHENTICATED',
  )
  expect(await exists(own, 'serviceAccount', machine)).toBe(false)
  expect(await heldBy(own, key.secret)).toBeNull()
  for (const person of [staying, undecided]) expect(await isMember(own, person)).toBe(true)
  for (const holder of [staying.memberId, spared])
    expect(await placesOf(own, holder)).toEqual([blue])
  expect(await placesOf(own, leaving.memberId)).toEqual([])

  const reason = 'Access review: Autumn'
  expect(await newestEvent(own, 'member.removed')).toMatchObject({
    target: { id: leaving.memberId },
    reason,
  })
  expect(await newestEvent(own, 'service_account.deleted')).toMatchObject({
    target: { id: machine },
    reason,
  })
  expect(await newestEvent(own, 'project_access.revoked')).toMatchObject({ reason })
  expect(await newestEvent(own, 'access_review.completed')).toMatchObject({
    target: { kind: 'AccessReview', id, name: 'Autumn' },
    changes: [
      { field: 'removed', before: null, after: '5' },
      { field: 'kept', before: null, after: '1' },
      { field: 'undecided', before: null, after: String(done.undecidedCount) },
    ],
  })
  // the record stays readable
  expect(await itemOf(own, id, leaving.memberId)).toMatchObject({ decision: 'REMOVE' })
})

test('cancelled, a review comes to nothing', async () => {
  const own = await organisation(server)
  const ann = await newcomer(own)
  const { id } = await start(own)
  const itemId = await condemn(own, id, ann.memberId)
  expect(await cancel(own, id)).toMatchObject({ status: 'CANCELLED', completedAt: null })
  expect(await isMember(own, ann)).toBe(true)
  expect(await newestEvent(own, 'access_review.cancelled')).toMatchObject({ target: { id } })
  for (const again of [
    () => complete(own, id),
    () => cancel(own, id),
    () => decide(own, [{ itemId, decision: 'KEEP' }]),
  ])
    await expect(again()).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
})

test('completed, a review is closed to everything', async () => {
  const own = await organisation(server)
  const ann = await newcomer(own)
  const { id } = await start(own)
  const { id: itemId } = await itemOf(own, id, ann.memberId)
  await complete(own, id)
  for (const again of [
    () => complete(own, id),
    () => cancel(own, id),
    () => decide(own, [{ itemId, decision: 'REMOVE' }]),
  ])
    await expect(again()).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  expect(await readReview(own, id)).toMatchObject({ status: 'COMPLETED' })
})

test('keeps the last administrator: nothing is done, and the review stays open', async () => {
  const own = await organisation(server)
  const ann = await newcomer(own)
  const reviewer = await bringWith(own, ['reviewAccess'])
  const { id } = await start(own)
  await condemn(own, id, ann.memberId)
  const itemId = await condemn(reviewer, id, own.memberId)
  await expect(complete(own, id)).rejects.toBeRefused('CONFLICT', 'LAST_ADMINISTRATOR')
  expect(await isMember(own, ann)).toBe(true)
  expect(await readReview(own, id)).toMatchObject({ status: 'OPEN', completedAt: null })
  await decide(reviewer, [{ itemId, decision: 'KEEP' }])
  await complete(own, id)
  expect(await isMember(own, ann)).toBe(false)
})

test('two reviews that would take one administrator each leave one of them', async () => {
  const own = await organisation(server)
  const other = await own.bring('Administrator')
  const reviewer = await bringWith(own, ['reviewAccess'])
  const [one, two] = [await start(reviewer), await start(reviewer)]
  await condemn(reviewer, one.id, own.memberId)
  await condemn(reviewer, two.id, other.memberId)
  const outcomes = await Promise.allSettled([complete(other, one.id), complete(own, two.id)])
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const [left] = await server.database.owner(
    `select count(*)::int as count from principal m join role r on r.id = m.role_id
     where m.organisation_id = $1 and r.built_in and m.removed_at is null`,
    [own.organisationId],
  )
  expect(left!.count).toBe(1)
})

test('of thirty completions at once one does it; cancelling beside it loses or wins alone', async () => {
  const own = await organisation(server)
  const ann = await newcomer(own)
  const { id } = await start(own)
  await condemn(own, id, ann.memberId)
  const outcomes = await Promise.allSettled(
    Array.from({ length: 30 }, (_each, index) => (index % 3 ? complete(own, id) : cancel(own, id))),
  )
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const events = await server.database.owner(
    `select topic from event where organisation_id = $1 and topic in ('access_review.completed', 'access_review.cancelled')`,
    [own.organisationId],
  )
  expect(events).toHaveLength(1)
  const { status } = await readReview(own, id)
  expect(events[0]!.topic).toBe(`access_review.${String(status).toLowerCase()}`)
  expect(await isMember(own, ann)).toBe(status === 'CANCELLED')
})

test('a decision beside the completion is carried out or refused, never lost', async () => {
  const own = await organisation(server)
  const people = await Promise.all(Array.from({ length: 6 }, () => newcomer(own)))
  const { id } = await start(own)
  const items = await Promise.all(people.map(({ memberId }) => itemOf(own, id, memberId)))
  const outcomes = await Promise.allSettled([
    ...items.map(item => decide(own, [{ itemId: item.id, decision: 'REMOVE' }])),
    complete(own, id),
  ])
  expect(outcomes.at(-1)!.status).toBe('fulfilled')
  for (const [index, person] of people.entries())
    expect(await isMember(own, person)).toBe(outcomes[index]!.status === 'rejected')
})

test('whoever lacks a permission, or what the other holds, is told for each item, and nothing is done', async () => {
  const own = await organisation(server)
  const project = await createProject(own)
  const { Viewer, 'Project administrator': chief } = await own.roles()
  const plain = await newcomer(own)
  const strong = await bringWith(own, ['manageUser', 'manageRole'])
  const machine = await createServiceAccount(own, ['manageRole'])
  await grant(own, plain.memberId, project, Viewer!)
  const { id } = await start(own)
  const items = {
    plain: await condemn(own, id, plain.memberId),
    place: await condemn(own, id, plain.memberId, project),
    strong: await condemn(own, id, strong.memberId),
    machine: await condemn(own, id, machine),
  }
  const reviewer = await bringWith(own, ['reviewAccess'])
  expect(await faultsOf(reviewer, id)).toEqual({
    [items.machine]: 'PERMISSION_MISSING',
    [items.plain]: 'PERMISSION_MISSING',
    [items.strong]: 'PERMISSION_MISSING',
  })
  await expect(complete(reviewer, id)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')

  const manager = await bringWith(own, ['reviewAccess', 'manageUser', 'manageServiceAccount'])
  expect(await faultsOf(manager, id)).toEqual({
    [items.machine]: 'EXCEEDS_OWN_PERMISSIONS',
    [items.strong]: 'EXCEEDS_OWN_PERMISSIONS',
  })
  // the place alone
  await decide(own, [
    { itemId: items.strong, decision: 'KEEP' },
    { itemId: items.machine, decision: 'KEEP' },
    { itemId: items.plain, decision: 'KEEP' },
  ])
  expect(await faultsOf(manager, id)).toEqual({ [items.place]: 'PERMISSION_MISSING' })
  expect(await isMember(own, plain)).toBe(true)
  expect(await placesOf(own, plain.memberId)).toEqual([project])
  await grant(own, manager.memberId, project, chief!)
  expect(await complete(manager, id)).toMatchObject({ status: 'COMPLETED' })
  expect(await placesOf(own, plain.memberId)).toEqual([])
})

test('in a project, who holds more than the reviewer is out of reach', async () => {
  const own = await organisation(server)
  const project = await createProject(own)
  await own.ask(
    `mutation { createPermission(input: { name: "vault.open", description: "Open it.", level: PROJECT }) { permission { name } } }`,
  )
  const { id: keeper } = await createRole(own, ['vault.open'], { level: 'PROJECT' })
  const { 'Project administrator': chief } = await own.roles()
  const ann = await newcomer(own)
  await grant(own, ann.memberId, project, keeper)
  const reviewer = await bringWith(own, ['reviewAccess'])
  await grant(own, reviewer.memberId, project, chief!)
  const { id } = await start(own)
  const itemId = await condemn(own, id, ann.memberId, project)
  expect(await faultsOf(reviewer, id)).toEqual({ [itemId]: 'EXCEEDS_OWN_PERMISSIONS' })
  expect(await placesOf(own, ann.memberId)).toEqual([project])
})

test('whoever was given another role since is not touched, and said to be; who is gone is done', async () => {
  const own = await organisation(server)
  const project = await createProject(own)
  const { Viewer, 'Project administrator': chief } = await own.roles()
  const [promoted, moved, gone, again] = [
    await newcomer(own),
    await newcomer(own),
    await newcomer(own),
    await newcomer(own),
  ]
  for (const person of [moved, again]) await grant(own, person.memberId, project, Viewer!)
  const { id } = await start(own)
  const items = {
    promoted: await condemn(own, id, promoted.memberId),
    moved: await condemn(own, id, moved.memberId, project),
  }
  await condemn(own, id, gone.memberId)
  await condemn(own, id, again.memberId, project)
  const { id: roleId } = await createRole(own, ['viewAudit'])
  await assign(own, promoted.memberId, roleId)
  await grant(own, moved.memberId, project, chief!)
  await act(own, 'removeMember', gone.memberId)
  // let in anew after the snapshot: that is not what was reviewed
  const [place] = await server.database.owner(
    `select id from project_access where principal_id = $1`,
    [again.memberId],
  )
  await act(own, 'revokeProjectAccess', String(place!.id))
  await grant(own, again.memberId, project, Viewer!)

  expect(await faultsOf(own, id)).toEqual({
    [items.promoted]: 'STATE_MISMATCH',
    [items.moved]: 'STATE_MISMATCH',
  })
  await expect(complete(own, id)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
  expect(await readReview(own, id)).toMatchObject({ status: 'OPEN' })
  await decide(
    own,
    Object.values(items).map(itemId => ({ itemId, decision: 'KEEP' as const })),
  )
  await complete(own, id)
  for (const person of [promoted, moved, again]) expect(await isMember(own, person)).toBe(true)
  expect(await placesOf(own, again.memberId)).toEqual([project])
})

test('a role that was deleted meanwhile, and one that took its place, count as another', async () => {
  const own = await organisation(server)
  const { id: roleId } = await createRole(own, [])
  const ann = await newcomer(own, { roleId })
  const { id } = await start(own)
  const itemId = await condemn(own, id, ann.memberId)
  await deleteRole(own, roleId, (await own.roles()).Member)
  expect(await faultsOf(own, id)).toEqual({ [itemId]: 'STATE_MISMATCH' })
  expect((await itemOf(own, id, ann.memberId)).role.id).toBe(roleId)
})

test('people whom the role does not show are not removed in its name, nor named', async () => {
  const own = await organisation(server)
  const hidden = await newcomer(own)
  const { id: roleId } = await createRole(own, ['reviewAccess', 'manageUser'], {
    visibility: 'SHARED_PROJECTS',
  })
  const reviewer = await newcomer(own, { roleId })
  const { id } = await start(own)
  const itemId = await condemn(own, id, hidden.memberId)
  const refusal: any = await complete(reviewer, id).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'FORBIDDEN', reason: 'EXCEEDS_OWN_PERMISSIONS' })
  expect(JSON.stringify(refusal.extensions)).not.toContain(itemId)
  expect(await isMember(own, hidden)).toBe(true)
  await complete(own, id)
  expect(await isMember(own, hidden)).toBe(false)
})

test('an operator looks in from the platform, and decides nothing there', async () => {
  const own = await organisation(server)
  const { id } = await start(own)
  const chief = await operator(server)
  const { platform } = await chief.ask(
    `query ($place: ID!, $id: ID!) { platform { organisation(id: $place) { accessReview(id: $id) { undecidedCount
      items { nodes { principal { name } role { name } } } } } } }`,
    { place: own.organisationId, id },
  )
  expect(platform.organisation.accessReview).toMatchObject({
    undecidedCount: 1,
    items: { nodes: [{ role: { name: 'Administrator' } }] },
  })
  await expect(complete(chief, id)).rejects.toBeRefused('NOT_FOUND')
})

test('a removal takes as many statements for one as for ten', async () => {
  const own = await organisation(server)
  const people = await Promise.all(Array.from({ length: 11 }, () => newcomer(own)))
  const completion = async (some: Person[]) => {
    const { id } = await start(own)
    const items = await itemsOf(own, id)
    await decide(
      own,
      some.map(({ memberId }) => ({
        itemId: items.find(item => item.principal.id === memberId)!.id,
        decision: 'REMOVE' as const,
      })),
    )
    return complete(own, id)
  }
  const { seen: few } = await countStatements(server, () => completion(people.slice(0, 1)))
  const { seen: many } = await countStatements(server, () => completion(people.slice(1)))
  expect(many).toBe(few)
  expect(few).toBeGreaterThan(5)
})
