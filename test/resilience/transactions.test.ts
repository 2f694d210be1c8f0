import { afterAll, beforeAll, expect, test } from 'vitest'
import { transact, type Work } from '../../src/access/work.ts'
import { SYSTEM, type DatabaseContext } from '../../src/database/context.ts'
import { firstRow, sql } from '../../src/database/sql.ts'
import { notFound } from '../../src/shared/errors.ts'
import { newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
let other: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
  other = await organisation(server)
  await newcomer(other)
})
afterAll(() => server.stop())

const inside = ({ organisationId, userId, memberId }: Person): DatabaseContext => ({
  role: 'tenant',
  organisationId,
  userId,
  principalId: memberId,
  visibility: 'ORGANISATION',
})

const working = <Result>(context: DatabaseContext, unit: (work: Work) => Promise<Result>) =>
  transact(
    {
      store: server.app.node.database.store,
      context,
      viewer: null,
      now: server.clock.now(),
      request: { requestId: 'test', ipAddress: '', userAgent: null },
      server: server.app.node.server,
    },
    unit,
  )

const nameOf = (work: Work, id: string) =>
  firstRow<{ name: string }>(work.db, sql`select name from organisation where id = ${id}`)

test('a transaction in which a failure was swallowed is not taken for committed', async () => {
  await expect(
    working(SYSTEM, async work => {
      await work.db.rows(
        sql`update organisation set name = 'Lost' where id = ${admin.organisationId}`,
      )
      await work.db.rows(sql`select 1 / ${0}::int`).catch(() => undefined)
    }),
  ).rejects.toThrow(/could not be committed/)
  expect((await working(SYSTEM, work => nameOf(work, admin.organisationId)))?.name).not.toBe('Lost')
})

test('whoever swallows a refusal from another context is back in their own', async () => {
  await working(inside(admin), async work => {
    await work
      .as(SYSTEM, async () => {
        expect(await nameOf(work, other.organisationId)).toBeDefined()
        throw notFound('anything')
      })
      .catch(() => undefined)
    expect(await nameOf(work, other.organisationId)).toBeUndefined()
    expect(await nameOf(work, admin.organisationId)).toBeDefined()
  })
})

test('a savepoint undoes what was written in any context, and the context with it', async () => {
  await working(inside(admin), async work => {
    await work
      .savepoint(() =>
        work.as(SYSTEM, async () => {
          await work.db.rows(
            sql`update organisation set name = 'Lost' where id = ${other.organisationId}`,
          )
          await work.savepoint(() => work.db.rows(sql`select 1 / ${0}::int`)).catch(() => undefined)
          expect((await nameOf(work, other.organisationId))?.name).toBe('Lost')
          await work.db.rows(sql`select 1 / ${0}::int`)
        }),
      )
      .catch(() => undefined)
    expect(await nameOf(work, other.organisationId)).toBeUndefined()
  })
  expect((await working(SYSTEM, work => nameOf(work, other.organisationId)))?.name).not.toBe('Lost')
})

test('what a transaction left behind does nothing once it is over', async () => {
  let left: Work | undefined
  await working(SYSTEM, async work => void (left = work))
  await expect(nameOf(left!, admin.organisationId)).rejects.toThrow(/is over|is closed/i)
})

test('a plan that was kept under one role or organisation is no other’s', async () => {
  // rows below subqueries and lists of their own too, where plans once did not tell roles apart
  const seen = sql`with everybody as (select m.id, m.organisation_id from principal m)
    select array(select distinct e.organisation_id::text from everybody e) as organisations,
      exists (select from organisation o where o.id in (select r.organisation_id from role r)
        and o.id = ${other.organisationId}) as other`
  const expected = new Map<DatabaseContext, object>([
    [inside(admin), { organisations: [admin.organisationId], other: false }],
    [inside(other), { organisations: [other.organisationId], other: true }],
    [SYSTEM, expect.objectContaining({ other: true })],
    [inside(admin), { organisations: [admin.organisationId], other: false }],
    [{ role: 'self', userId: admin.userId }, expect.objectContaining({ other: false })],
  ])
  await working(SYSTEM, async work => {
    // PostgreSQL keeps a plan for good from the sixth time on
    for (let round = 0; round < 8; round += 1)
      for (const [context, answer] of expected)
        expect(await work.as(context, () => firstRow(work.db, seen))).toEqual(answer)
  })
  for (let round = 0; round < 8; round += 1)
    for (const [context, answer] of expected)
      expect(await working(context, work => firstRow(work.db, seen))).toEqual(answer)
})
