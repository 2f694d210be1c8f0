import { verify } from '@node-rs/argon2'
import argon2 from 'argon2'
import Fastify from 'fastify'
import pLimit from 'p-limit'
import { availableParallelism } from 'node:os'
import { Pool, TypeOverrides } from 'pg'
import { shareLookups } from '../../src/shared/batch.ts'

// The yardstick: what Fastify and one named statement cost, with nothing of Gatehouse in between. It reads a session
// by its key, as *system*, and answers with what it has read: `/plain` a statement for each request, `/shared` one
// for all requests of a turn of the event loop. `/argon2` compares a password by the argon2 library alone, and
// `/node-rs` by the one that Gatehouse uses, as many at once as Gatehouse does.

const types = new TypeOverrides()
for (const oid of [1114, 1184]) types.setTypeParser(oid, text => text)

const pool = new Pool({
  connectionString: process.env.DATABASE_URL,
  options: '-c role=gatehouse_system',
  max: Number(process.env.POOL),
  types,
})

interface Row {
  id: string
  userId: string
  organisationId: string
  expiresAt: string
}

const COLUMNS = `id, user_id as "userId", organisation_id as "organisationId", expires_at as "expiresAt"`

async function readOne(id: string): Promise<Row | undefined> {
  const text = `select ${COLUMNS} from session where id = $1`
  return (await pool.query<Row>({ name: 'one', text, values: [id] })).rows[0]
}

const shared = shareLookups<string, Row | undefined>(async ids => {
  const text = `select ${COLUMNS} from session where id = any($1::uuid[])`
  const { rows } = await pool.query<Row>({ name: 'some', text, values: [[...new Set(ids)]] })
  const byId = new Map(rows.map(row => [row.id, row]))
  return ids.map(id => byId.get(id))
})

const app = Fastify()
app.get('/ready', async () => ({ ready: true }))
app.get('/plain', async request => readOne(String(request.headers['x-session'])))
app.get('/shared', async request => shared.load(String(request.headers['x-session'])))

const inTurn = pLimit(availableParallelism())
const hash = await argon2.hash('a password', { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
app.get('/argon2', async () => ({ same: await inTurn(() => argon2.verify(hash, 'a password')) }))
app.get('/node-rs', async () => ({ same: await inTurn(() => verify(hash, 'a password')) }))

process.once('SIGTERM', () => void app.close().then(() => pool.end()))
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
