import { PGlite, type Transaction } from '@electric-sql/pglite'
import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

// Another service that trusts the access tokens of Gatehouse: a list of invoices, with a database of its own.
//
//   GET    /invoices       verifies the token by itself
//   POST   /invoices       the same; the database asks for the permission `invoice.create`
//   DELETE /invoices/:id   asks Gatehouse first whether the token still holds, for this cannot be undone

const GATEHOUSE = process.env.GATEHOUSE_URL ?? 'http://localhost:4000'
const PORT = Number(process.env.PORT ?? 4100)

const database = await PGlite.create('memory://')
await database.exec(readFileSync(new URL('./schema.sql', import.meta.url), 'utf8'))

/** Keeps the public keys, and looks again where a token names one that it does not know. */
const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', GATEHOUSE))

/** What a token says, if it is one of Gatehouse's and has not run out; true as of when it was issued, minutes ago. */
async function verify(token: string): Promise<JWTPayload> {
  const { payload } = await jwtVerify(token, keys, {
    issuer: GATEHOUSE,
    audience: GATEHOUSE,
    algorithms: ['EdDSA'],
    typ: 'at+jwt',
  })
  return payload
}

/** The permissions that the token gives right now: none where its session was ended meanwhile. */
async function ask(token: string): Promise<string[]> {
  const response = await fetch(`${GATEHOUSE}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: '{ viewer { permissions { name } } }' }),
  })
  const { data } = (await response.json()) as {
    data?: { viewer: { permissions: { name: string }[] } | null }
  }
  return data?.viewer?.permissions.map(({ name }) => name) ?? []
}

/** Runs statements on behalf of a token: whatever they forget, the policies see its claims. */
const onBehalfOf = <Result>(
  claims: JWTPayload,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> =>
  database.transaction(async transaction => {
    await transaction.query(`select set_config('app.claims', $1, true)`, [JSON.stringify(claims)])
    await transaction.exec('set local role app_request')
    return work(transaction)
  })

interface Answer {
  status: number
  body?: unknown
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const claims = await verify(token).catch(() => null)
  if (!claims) return { status: 401 }
  const { pathname } = new URL(request.url ?? '/', 'http://service')
  const id = /^\/invoices\/(\d{1,9})$/.exec(pathname)?.[1]

  switch (`${request.method} ${id ? '/invoices/:id' : pathname}`) {
    case 'GET /invoices': {
      const list = `select id, text from invoice order by id limit 100`
      return { status: 200, body: (await onBehalfOf(claims, db => db.query(list))).rows }
    }
    case 'POST /invoices': {
      const { text } = JSON.parse(await read(request)) as { text: string }
      const insert = `insert into invoice (text) values ($1) returning id, text`
      const { rows } = await onBehalfOf(claims, db => db.query(insert, [text]))
      return { status: 201, body: rows[0] }
    }
    case 'DELETE /invoices/:id': {
      const permissions = await ask(token)
      const remove = `delete from invoice where id = $1 returning id`
      const { rows } = await onBehalfOf({ ...claims, permissions }, db => db.query(remove, [id]))
      return { status: rows.length ? 204 : 404 }
    }
    default:
      return { status: 404 }
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of request.setEncoding('utf8')) {
    text += String(piece)
    if (text.length > 10_000) throw new SyntaxError('too long')
  }
  return text
}

/** What a policy refused is forbidden, what is no JSON is a bad request; anything else is our own fault. */
const refusal = (error: { code?: string }): Answer => ({
  status: error.code === '42501' ? 403 : error instanceof SyntaxError ? 400 : 500,
})

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body } = await answer(request).catch(refusal)
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

const server = createServer((request, response) => void serve(request, response))
server.listen(PORT, '127.0.0.1', () => {
  console.log(`The service listens on http://localhost:${PORT}/invoices`)
})
