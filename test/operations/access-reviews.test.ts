import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  askBy,
  bringWith,
  createKey,
  createProject,
  createRole,
  createServiceAccount,
  grant,
} from '../credentials/keys.ts'
import { newId } from '../../src/shared/tokens.ts'
import { enrol } from '../support/authenticator.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { countStatements } from '../support/statements.ts'
import {
  cancel,
  complete,
  decide,
  inDays,
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

/** An organisation with two projects, members and a machine in them. */
async function furnished() {
  const own = await organisation(server)
  const [red, blue] = [await createProject(own), await createProject(own)]
  const { Viewer, 'Project administrator': chief } = await own.roles()
  const ann = await newcomer(own)
  const bob = await newcomer(own)
  const machine = await createServiceAccount(own, [], { name: 'Zeppelin' })
  await grant(own, ann.memberId, red, Viewer!)
  await grant(own, ann.memberId, blue, chief!)
  await grant(own, bob.memberId, blue, Viewer!)
  await grant(own, machine, red, Viewer!)
  return { own, red, blue, ann, bob, machine, viewerRole: Viewer! }
}

describe('a review', () => {
  test('is a snapshot of who holds what: on the organisation and in each project, machines too', async () => {
    const { own, red, blue, ann, bob, machine } = await furnished()
    await own.add({ sendInvitation: false })
    const review = await start(own, { name: ' Autumn 2026 ', dueAt: inDays(14) })
    expect(review).toMatchObject({
      name: 'Autumn 2026',
      status: 'OPEN',
      completedAt: null,
      undecidedCount: 8,
      startedBy: { id: own.memberId },
      organisation: { id: own.organisationId },
    })
    const items = await itemsOf(own, review.id)
    const holders = items.map(({ principal, project, role }) => [
      principal.id,
      project?.id ?? null,
      role.name,
    ])
    expect(holders).toEqual(
      expect.arrayContaining([
        [own.memberId, null, 'Administrator'],
        [ann.memberId, null, 'Member'],
        [ann.memberId, red, 'Viewer'],
        [ann.memberId, blue, 'Project administrator'],
        [bob.memberId, null, 'Member'],
        [bob.memberId, blue, 'Viewer'],
        [machine, null, expect.stringMatching(/^Role/)],
        [machine, red, 'Viewer'],
      ]),
    )
    // whoever has yet to accept holds nothing
    expect(items).toHaveLength(8)
    expect(items.map(({ principal }) => principal.name)).toEqual(
      items.map(({ principal }) => principal.name).toSorted(),
    )
    expect(await newestEvent(own, 'access_review.started')).toMatchObject({
      topic: { category: 'ACCESS' },
      target: { kind: 'AccessReview', id: review.id, name: 'Autumn 2026' },
      changes: [{ field: 'items', before: null, after: '8' }],
    })
  })

  test('may be confined to projects, and then asks about nothing else', async () => {
    const { own, red, blue, ann, machine } = await furnished()
    const review = await start(own, { projectIds: [red, red] })
    expect(
      (await itemsOf(own, review.id)).map(item => [item.principal.id, item.project?.id]),
    ).toEqual([
      [ann.memberId, red],
      [machine, red],
    ])
    expect(await itemsOf(own, review.id, { projectIds: [blue] })).toEqual([])
  })

  test('tells what people held then, whatever they hold now', async () => {
    const { own, blue, bob } = await furnished()
    const review = await start(own)
    const { id: roleId, name } = await createRole(own, [])
    await own.ask(
      `mutation ($id: ID!, $roleId: ID!) { updateMember(id: $id, input: { roleId: $roleId }) { member { id } } }`,
      { id: bob.memberId, roleId },
    )
    await own.ask(`mutation ($id: ID!) { deleteProject(id: $id) { deletedId } }`, { id: blue })
    await own.ask(`mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`, {
      id: bob.memberId,
    })
    const item = await itemOf(own, review.id, bob.memberId)
    expect(item.role.name).toBe('Member')
    expect(item.role.name).not.toBe(name)
    expect((await itemOf(own, review.id, bob.memberId, blue)).project?.id).toBe(blue)
  })
})

describe('reasons to look closer', () => {
  const flagsOf = async (own: Person, principal: string, project: string | null = null) =>
    (await itemOf(own, (await start(own)).id, principal, project)).flags

  test('administrative permissions, of the very access in question', async () => {
    const { own, blue, red, ann } = await furnished()
    expect(await flagsOf(own, own.memberId)).toEqual(['PRIVILEGED'])
    expect(await flagsOf(own, ann.memberId)).toEqual([])
    expect(await flagsOf(own, ann.memberId, blue)).toEqual(['PRIVILEGED'])
    expect(await flagsOf(own, ann.memberId, red)).toEqual([])
    const manager = await bringWith(own, ['manageUser'])
    expect(await flagsOf(own, manager.memberId)).toEqual(['PRIVILEGED'])
    const onlooker = await bringWith(own, ['viewUser'])
    expect(await flagsOf(own, onlooker.memberId)).toEqual([])
  })

  test('no request for ninety days, but not of somebody who came later', async () => {
    const { own, ann, bob, machine } = await furnished()
    const see = (id: string, created: number, active: number | null) =>
      server.database.owner(
        `update principal set created_at = now() - $2 * interval '1 day',
          last_active_at = case when $3::int is null then '-infinity' else now() - $3 * interval '1 day' end where id = $1`,
        [id, created, active],
      )
    await see(ann.memberId, 200, 91)
    await see(bob.memberId, 200, 89)
    await see(machine, 91, null)
    expect(await flagsOf(own, ann.memberId)).toEqual(['DORMANT'])
    expect(await flagsOf(own, bob.memberId)).toEqual([])
    expect(await flagsOf(own, machine)).toEqual(['DORMANT'])
    await see(machine, 5, null)
    expect(await flagsOf(own, machine)).toEqual([])
  })

  test('second factors that a policy asks for, of people only', async () => {
    const { own, ann, bob, machine } = await furnished()
    await enrol(own)
    await enrol(bob)
    expect(await flagsOf(own, ann.memberId)).toEqual([])
    await own.ask(
      `mutation { updateOrganisationSettings(input: { mfaRequired: true }) { organisation { id } } }`,
    )
    expect(await flagsOf(own, ann.memberId)).toEqual(['MFA_MISSING'])
    for (const id of [bob.memberId, machine]) expect(await flagsOf(own, id)).toEqual([])
    expect(await flagsOf(own, own.memberId)).toEqual(['PRIVILEGED'])
  })

  test('keys that never expire, or that nobody uses, as long as they work', async () => {
    const { own, machine } = await furnished()
    const days = (id: string, column: string, count: number | null) =>
      server.database.owner(
        `update api_key set ${column} = now() + $2 * interval '1 day' where id = $1`,
        [id, count],
      )
    const key = await createKey(own, machine, [])
    expect(await flagsOf(own, machine)).toEqual(['STALE_KEY'])
    await days(key.id, 'expires_at', 30)
    expect(await flagsOf(own, machine)).toEqual([])
    await days(key.id, 'issued_at', -91)
    expect(await flagsOf(own, machine)).toEqual(['STALE_KEY'])
    await days(key.id, 'last_used_at', -1)
    expect(await flagsOf(own, machine)).toEqual([])
    await days(key.id, 'last_used_at', -91)
    expect(await flagsOf(own, machine)).toEqual(['STALE_KEY'])
    await days(key.id, 'expires_at', -1)
    expect(await flagsOf(own, machine)).toEqual([])
    const other = await createKey(own, machine, [])
    await days(other.id, 'revoked_at', -1)
    expect(await flagsOf(own, machine)).toEqual([])
    // one without a secret opens nothing
    await createKey(own, (await newcomer(own)).memberId, [])
    expect(await itemsOf(own, (await start(own)).id, { flags: ['STALE_KEY'] })).toEqual([])
  })

  test('a mail domain that the organisation does not allow', async () => {
    const { own, ann, machine } = await furnished()
    expect(await flagsOf(own, ann.memberId)).toEqual([])
    const allow = (domains: string[]) =>
      own.ask(
        `mutation ($domains: [String!]!) { updateOrganisationSettings(input: { allowedEmailDomains: $domains }) { organisation { id } } }`,
        { domains },
      )
    await allow(['example.org', 'sub.example.com'])
    expect(await flagsOf(own, ann.memberId)).toEqual(['EXTERNAL'])
    expect(await flagsOf(own, machine)).toEqual([])
    await allow(['example.org', 'example.com'])
    expect(await flagsOf(own, ann.memberId)).toEqual([])
  })
})

describe('lists', () => {
  test('are pages: reviews with the newest first, items by name, narrowed and counted', async () => {
    const { own, blue, ann, bob } = await furnished()
    const ids = [(await start(own)).id, (await start(own)).id, (await start(own)).id].toReversed()
    const read = async (after: string | null) =>
      (
        await own.ask(
          `query ($after: String) { organisation { accessReviews(first: 2, after: $after) { totalCount
            edges { cursor } nodes { id undecidedCount } pageInfo { hasNextPage endCursor } } } }`,
          { after },
        )
      ).organisation.accessReviews
    const first = await read(null)
    expect(first).toMatchObject({ totalCount: 3, nodes: [{ id: ids[0] }, { id: ids[1] }] })
    expect(await read(first.pageInfo.endCursor)).toMatchObject({
      nodes: [{ id: ids[2], undecidedCount: 8 }],
      pageInfo: { hasNextPage: false },
    })

    const [id] = ids
    const all = await itemsOf(own, id)
    const seen: string[] = []
    for (let after: string | null = null; ;) {
      const { organisation: page }: any = await own.ask(
        `query ($id: ID!, $after: String) { organisation { accessReview(id: $id) { items(first: 3, after: $after) {
          totalCount nodes { id } pageInfo { hasNextPage endCursor } } } } }`,
        { id, after },
      )
      const { items } = page.accessReview
      expect(items.totalCount).toBe(8)
      seen.push(...items.nodes.map((node: { id: string }) => node.id))
      after = items.pageInfo.endCursor
      if (!items.pageInfo.hasNextPage) break
    }
    expect(seen).toEqual(all.map(item => item.id))

    const { id: decided } = await itemOf(own, id, bob.memberId)
    expect(await decide(own, [{ itemId: decided, decision: 'KEEP' }])).toMatchObject({
      undecidedCount: 7,
    })
    const names = async (filter: object) =>
      (await itemsOf(own, id, filter)).map(item => [item.principal.id, item.project?.id ?? null])
    expect(await names({ decided: true })).toEqual([[bob.memberId, null]])
    expect(await names({ decided: false, projectIds: [blue] })).toEqual([
      [ann.memberId, blue],
      [bob.memberId, blue],
    ])
    expect(await names({ flags: ['PRIVILEGED'] })).toHaveLength(2)
    expect(await names({ flags: ['PRIVILEGED', 'DORMANT'], projectIds: [blue] })).toEqual([
      [ann.memberId, blue],
    ])
    expect(await names({ flags: ['EXTERNAL'] })).toEqual([])
  })

  test('cost the same for one review as for five, with everything in them', async () => {
    const { own } = await furnished()
    for (let count = 0; count < 5; count += 1) {
      const { id } = await start(own)
      const other = (await itemsOf(own, id)).find(item => item.principal.id !== own.memberId)!
      await decide(own, [{ itemId: other.id, decision: 'KEEP' }])
    }
    const read = (first: number) =>
      own.ask(
        `query ($first: Int!) { organisation { accessReviews(first: $first) { nodes { organisation { name } startedBy { name }
          undecidedCount items(first: 5, filter: { flags: [PRIVILEGED] }) { totalCount nodes { principal { name status } role { name }
          project { name } decidedBy { name } } } } } } }`,
        { first },
      )
    const { seen: few } = await countStatements(server, () => read(1))
    const { seen: many } = await countStatements(server, () => read(5))
    expect(many).toBe(few)
  })

  test('find a review and an item by id, as far as they are shown', async () => {
    const { own, ann } = await furnished()
    const review = await start(own)
    const item = await itemOf(own, review.id, ann.memberId)
    const node = (by: Person, id: string) =>
      by.ask(
        `query ($id: ID!) { node(id: $id) { id ... on AccessReview { name } ... on AccessReviewItem { principal { id } } } }`,
        { id },
      )
    expect((await node(own, review.id)).node).toEqual({ id: review.id, name: 'Autumn' })
    expect((await node(own, item.id)).node).toEqual({
      id: item.id,
      principal: { id: ann.memberId },
    })
    const other = await bringWith(own, ['manageUser', 'viewAudit'])
    for (const by of [other, await organisation(server)])
      for (const id of [review.id, item.id])
        await expect(node(by, id)).rejects.toBeRefused('NOT_FOUND')
  })
})

describe('a decision', () => {
  test('is recorded with who, when and why, changes nothing yet, and may be revised', async () => {
    const { own, ann } = await furnished()
    const { id } = await start(own)
    const { id: itemId } = await itemOf(own, id, ann.memberId)
    await decide(own, [{ itemId, decision: 'REMOVE', note: ' Left in May. ' }])
    const item = await itemOf(own, id, ann.memberId)
    expect(item).toMatchObject({
      decision: 'REMOVE',
      decidedBy: { id: own.memberId },
      decidedAt: expect.any(String),
      note: 'Left in May.',
    })
    expect(await newestEvent(own, 'access_review.decided')).toMatchObject({
      actor: { id: own.memberId },
      target: { kind: 'Member', id: ann.memberId, name: 'Ann Lee' },
      changes: [{ field: 'decision', before: null, after: 'REMOVE' }],
      reason: 'Left in May.',
    })
    await ann.ask(`{ organisation { id } }`)
    await decide(own, [{ itemId, decision: 'KEEP' }])
    expect(await itemOf(own, id, ann.memberId)).toMatchObject({ decision: 'KEEP', note: null })
  })

  test('is not made about oneself, by whatever way one holds it', async () => {
    const { own, ann, red, viewerRole } = await furnished()
    await grant(own, own.memberId, red, viewerRole)
    const { id } = await start(own)
    const mine = await itemOf(own, id, own.memberId)
    const inProject = await itemOf(own, id, own.memberId, red)
    const hers = await itemOf(own, id, ann.memberId)
    for (const item of [mine, inProject])
      await expect(
        decide(own, [
          { itemId: hers.id, decision: 'KEEP' },
          { itemId: item.id, decision: 'KEEP' },
        ]),
      ).rejects.toMatchObject({
        code: 'FORBIDDEN',
        reason: 'POLICY_FORBIDS',
        extensions: { fields: [{ path: ['decisions', 1, 'itemId'] }] },
      })
    expect(await itemOf(own, id, ann.memberId)).toMatchObject({ decision: null })
    const other = await bringWith(own, ['reviewAccess'])
    await decide(other, [{ itemId: mine.id, decision: 'KEEP' }])
    expect((await itemOf(own, id, own.memberId)).decidedBy).toEqual({ id: other.memberId })
  })

  test('stands at fault with its place, and then none of them is recorded', async () => {
    const { own, ann, bob } = await furnished()
    const [one, two] = [await start(own), await start(own)]
    const a = (await itemOf(own, one.id, ann.memberId)).id
    const b = (await itemOf(own, one.id, bob.memberId)).id
    const elsewhere = (await itemOf(own, two.id, bob.memberId)).id
    const keep = (itemId: string, note?: string) => ({ itemId, decision: 'KEEP' as const, note })
    const refused: [object[], string, string | undefined, unknown[] | undefined][] = [
      [[], 'BAD_USER_INPUT', 'REQUIRED', ['decisions']],
      [[keep(a), keep(b), keep(a)], 'BAD_USER_INPUT', 'ALREADY_EXISTS', ['decisions', 2, 'itemId']],
      [
        [keep(a), keep(b, 'x'.repeat(501))],
        'BAD_USER_INPUT',
        'OUT_OF_RANGE',
        ['decisions', 1, 'note'],
      ],
      [
        [keep(a), keep(b, 'bell \u0007')],
        'BAD_USER_INPUT',
        'INVALID_FORMAT',
        ['decisions', 1, 'note'],
      ],
      [[keep(a), keep(elsewhere)], 'BAD_USER_INPUT', 'INVALID_FORMAT', ['decisions', 1, 'itemId']],
      [[keep(a), keep(newId())], 'NOT_FOUND', undefined, undefined],
      [
        Array.from({ length: 501 }, () => keep(newId())),
        'BAD_USER_INPUT',
        'OUT_OF_RANGE',
        ['decisions'],
      ],
    ]
    for (const [decisions, code, reason, path] of refused) {
      const refusal = await decide(own, decisions as never).catch((error: unknown) => error)
      expect(refusal).toMatchObject({ code, extensions: path ? { fields: [{ path }] } : {} })
      expect((refusal as { reason?: string }).reason).toBe(reason)
    }
    expect(await itemsOf(own, one.id, { decided: true })).toEqual([])
  })

  test('is made of five hundred at once', async () => {
    const own = await organisation(server)
    await crowd(own, 500)
    const { id, undecidedCount } = await start(own)
    expect(undecidedCount).toBe(501)
    const rows = await server.database.owner(
      `select id from access_review_item where review_id = $1 and principal_id <> $2`,
      [id, own.memberId],
    )
    const decisions = rows.map(row => ({ itemId: String(row.id), decision: 'KEEP' as const }))
    expect(await decide(own, decisions)).toMatchObject({ undecidedCount: 1 })
  })

  test('is recorded by both of two who decide alike about the same at once, and once in the end', async () => {
    const { own } = await furnished()
    const { id } = await start(own)
    const items = (await itemsOf(own, id)).filter(item => item.principal.id !== own.memberId)
    const both = [items, items.toReversed()].flatMap(order =>
      Array.from({ length: 10 }, () =>
        order.map(({ id: itemId }) => ({ itemId, decision: 'KEEP' as const })),
      ),
    )
    await Promise.all(both.map(decisions => decide(own, decisions)))
    expect(await readReview(own, id)).toMatchObject({ undecidedCount: 1 })
  })
})

/** Further members, written past every rule. */
const crowd = (own: Person, count: number) =>
  server.database.owner(
    `with people as (insert into user_account
      select (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid(), 'email', 'crowd' || n || '-' || $1 || '@example.com'))).*
      from user_account u, generate_series(1, $3::int) n where u.id = $2 returning id, email)
    insert into principal (id, created_at, updated_at, organisation_id, kind, user_id, role_id, email, first_name, last_name, name, sort_name, status)
    select gen_random_uuid(), now(), now(), $1::uuid, 'MEMBER', p.id, (select default_role_id from organisation where id = $1::uuid),
      p.email, 'Crowd', 'Lee', 'Crowd Lee', 'crowd lee', 'ACTIVE' from people p`,
    [own.organisationId, own.userId, count],
  )

describe('what is refused', () => {
  test('names, dates and projects that are none', async () => {
    const own = await organisation(server)
    const neighbour = await organisation(server)
    const foreign = await createProject(neighbour)
    const gone = await createProject(own)
    await own.ask(`mutation ($id: ID!) { deleteProject(id: $id) { deletedId } }`, { id: gone })
    for (const [input, code, reason] of [
      [{ name: ' ' }, 'BAD_USER_INPUT', 'REQUIRED'],
      [{ name: 'x'.repeat(101) }, 'BAD_USER_INPUT', 'OUT_OF_RANGE'],
      [{ dueAt: inDays(-1) }, 'BAD_USER_INPUT', 'OUT_OF_RANGE'],
      [{ projectIds: [] }, 'BAD_USER_INPUT', 'REQUIRED'],
      [{ projectIds: Array.from({ length: 501 }, newId) }, 'BAD_USER_INPUT', 'OUT_OF_RANGE'],
      [{ projectIds: [foreign] }, 'NOT_FOUND', undefined],
      [{ projectIds: [gone] }, 'NOT_FOUND', undefined],
      [{ projectIds: [newId()] }, 'NOT_FOUND', undefined],
    ] as const)
      await expect(start(own, input)).rejects.toBeRefused(code, reason)
    const { organisation: left } = await own.ask(
      `{ organisation { accessReviews { totalCount } } }`,
    )
    expect(left.accessReviews.totalCount).toBe(0)
  })

  test('of thirty started at once, an organisation gets twenty', async () => {
    const own = await organisation(server)
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => start(own)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(20)
    await expect(start(own)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
    const { organisation: page } = await own.ask(
      `{ organisation { accessReviews { nodes { id } } } }`,
    )
    await cancel(own, page.accessReviews.nodes[0].id)
    await start(own)
  })

  test('without the permission nothing is seen or done; with it, and nothing else, all but removals', async () => {
    const { own, ann } = await furnished()
    const { id } = await start(own)
    const { id: itemId } = await itemOf(own, id, ann.memberId)
    const acts: ((by: Person) => Promise<unknown>)[] = [
      by => start(by),
      by => readReview(by, id),
      by => decide(by, [{ itemId, decision: 'KEEP' }]),
      by => complete(by, id),
      by => cancel(by, id),
    ]
    const other = await bringWith(own, ['manageUser', 'manageProject', 'viewAudit'])
    for (const act of acts)
      await expect(act(other)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
    await expect(
      other.ask(`{ organisation { accessReviews { nodes { id } } } }`),
    ).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
    const stranger = (document: string) => askBy(own, null, document)
    await expect(
      stranger(`mutation { completeAccessReview(id: "${id}") { accessReview { id } } }`),
    ).rejects.toBeRefused('UNAUTHENTICATED')

    const reviewer = await bringWith(own, ['reviewAccess'])
    for (const act of acts.slice(0, 4)) await act(reviewer)
  })

  test('the ids of a neighbour are answered like ids of nothing', async () => {
    const { own, ann } = await furnished()
    const { id } = await start(own)
    const { id: itemId } = await itemOf(own, id, ann.memberId)
    const neighbour = await organisation(server)
    for (const each of [id, newId()])
      for (const verb of [readReview, complete, cancel])
        await expect(verb(neighbour, each)).rejects.toBeRefused('NOT_FOUND')
    for (const each of [itemId, newId()])
      await expect(decide(neighbour, [{ itemId: each, decision: 'REMOVE' }])).rejects.toBeRefused(
        'NOT_FOUND',
      )
    expect(await readReview(own, id)).toMatchObject({ status: 'OPEN', undecidedCount: 8 })
  })

  test('a key needs the scope; one that is confined to a project reviews that one only', async () => {
    const { own, red, blue, ann, viewerRole } = await furnished()
    const robot = await createServiceAccount(own, ['reviewAccess', 'viewUser'])
    const open = `mutation ($projectIds: [ID!]) { startAccessReview(input: { name: "Robot", dueAt: "${inDays(9)}", projectIds: $projectIds }) {
      accessReview { id startedBy { id } } } }`
    const narrow = await createKey(own, robot, ['viewUser'])
    await expect(askBy(own, narrow.secret, open)).rejects.toBeRefused('FORBIDDEN', 'SCOPE_MISSING')
    const wide = await createKey(own, robot, ['reviewAccess'])
    const made = await askBy(own, wide.secret, open)
    expect(made.startAccessReview.accessReview.startedBy).toEqual({ id: robot })

    await grant(own, robot, red, viewerRole)
    const confined = await createKey(own, robot, ['reviewAccess'], { projectIds: [red] })
    await expect(askBy(own, confined.secret, open)).rejects.toBeRefused(
      'FORBIDDEN',
      'SCOPE_MISSING',
    )
    await expect(
      askBy(own, confined.secret, open, { projectIds: [red, blue] }),
    ).rejects.toBeRefused('NOT_FOUND')
    const { startAccessReview: theirs } = await askBy(own, confined.secret, open, {
      projectIds: [red],
    })
    const { id } = made.startAccessReview.accessReview
    const both = await start(own, { projectIds: [red, blue] })
    const close = (verb: string, review: string) =>
      askBy(
        own,
        confined.secret,
        `mutation { ${verb}(id: "${review}") { accessReview { status } } }`,
      )
    for (const verb of ['completeAccessReview', 'cancelAccessReview'])
      for (const review of [id, both.id]) {
        await expect(close(verb, review)).rejects.toBeRefused('FORBIDDEN', 'SCOPE_MISSING')
        expect(await readReview(own, review)).toMatchObject({ status: 'OPEN' })
      }
    await close('completeAccessReview', theirs.accessReview.id)
    const there = await itemOf(own, id, ann.memberId, blue)
    await expect(
      askBy(
        own,
        confined.secret,
        `mutation { decideAccessReviewItems(decisions: [{ itemId: "${there.id}", decision: KEEP }]) { accessReview { id } } }`,
      ),
    ).rejects.toBeRefused('NOT_FOUND')
    const { organisation: shown } = await askBy(
      own,
      confined.secret,
      `{ organisation { accessReview(id: "${id}") { items(first: 100) { nodes { project { id } } } } } }`,
    )
    const projects = shown.accessReview.items.nodes.flatMap((item: any) => item.project?.id ?? [])
    expect([...new Set(projects)]).toEqual([red])
  })
})

test('a reviewer whose role shows few sees, counts and decides about those few, and machines', async () => {
  const { own, red, blue, ann, bob, machine, viewerRole } = await furnished()
  const { id: roleId } = await createRole(own, ['reviewAccess'], { visibility: 'SHARED_PROJECTS' })
  const reviewer = await newcomer(own, { roleId })
  await grant(own, reviewer.memberId, red, viewerRole)
  const { id } = await start(own)
  const holders = async (review: string) => [
    ...new Set((await itemsOf(reviewer, review)).map(item => item.principal.id)),
  ]
  const shown = [ann.memberId, reviewer.memberId, machine]
  expect(await holders(id)).toEqual(shown)
  // Ann's three, one's own two, the machine's two
  expect(await readReview(reviewer, id)).toMatchObject({ undecidedCount: 7 })
  const hidden = await itemOf(own, id, bob.memberId, blue)
  await expect(decide(reviewer, [{ itemId: hidden.id, decision: 'KEEP' }])).rejects.toBeRefused(
    'NOT_FOUND',
  )
  await expect(
    reviewer.ask(`query ($id: ID!) { node(id: $id) { id } }`, { id: hidden.id }),
  ).rejects.toBeRefused('NOT_FOUND')
  const seen = await itemOf(reviewer, id, ann.memberId, blue)
  await decide(reviewer, [{ itemId: seen.id, decision: 'KEEP' }])
  // a review of theirs holds no more than they see
  const { id: theirs } = await start(reviewer)
  expect(await holders(theirs)).toEqual(shown)
  expect((await itemsOf(own, theirs)).map(item => item.principal.id)).not.toContain(bob.memberId)
})
