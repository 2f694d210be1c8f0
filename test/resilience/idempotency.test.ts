import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { onPostgres } from '../support/database.ts'
import { tokenOf } from './asking.ts'
import { Cluster, needsPostgres } from './cluster.ts'
import { NodeProcess } from './node-process.ts'

let cluster: Cluster
let settings: Record<string, string>
let survivor: NodeProcess

beforeAll(async () => {
  if (!onPostgres()) return
  cluster = await Cluster.start()
  settings = { DATABASE_URL: await cluster.database('repeated'), DATABASE_POOL: '5' }
  survivor = await NodeProcess.start(settings)
}, 120_000)
afterAll(async () => {
  await survivor?.kill()
  await cluster?.remove()
})
beforeEach(needsPostgres)

const ROWS = 60
const ADD = `mutation ($rows: [AddMemberInput!]!) { addMembers(rows: $rows) { applied succeeded results { index member { id email } problem { reason } } } }`

async function add(url: string, token: string, key: string, rows: object[]): Promise<any> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${token}`,
      'idempotency-key': key,
    },
    body: JSON.stringify({ query: ADD, variables: { rows } }),
  })
  return response.json()
}

test('a request repeated after its node was killed at whatever moment has one effect', async () => {
  const token = await tokenOf(survivor.url)
  for (const delay of [10, 60, 200]) {
    const node = await NodeProcess.start({ ...settings, PUBLIC_URL: survivor.url })
    // a node issues and takes tokens for its own address
    const mine = await tokenOf(node.url)
    const key = randomUUID()
    const rows = Array.from({ length: ROWS }, (_row, index) => ({
      email: `killed-${delay}-${index}@example.com`,
      firstName: 'Ann',
      lastName: 'Lee',
    }))
    const lost = add(node.url, mine, key, rows).catch(() => null)
    await sleep(delay)
    await node.kill()
    await lost
    const { data } = await add(survivor.url, token, key, rows)
    expect(data.addMembers).toMatchObject({ applied: true, succeeded: ROWS })
    const [row] = await cluster.admin(
      `select count(*)::int as members, count(distinct i.id)::int as invitations from principal m
       join invitation i on i.principal_id = m.id where m.email like 'killed-${delay}-%'`,
      'repeated',
    )
    expect(row, `killed after ${delay} ms`).toEqual({ members: ROWS, invitations: ROWS })
  }
}, 180_000)
