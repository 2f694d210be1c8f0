import { createServer, type IncomingMessage, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freshEmail, organisation, PASSWORD, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { freePort, until } from '../support/waiting.ts'

interface Span {
  name: string
  traceId: string
  spanId: string
  parentSpanId?: string
  attributes: { key: string; value: Record<string, unknown> }[]
}

/** A collector on loopback, which keeps what it is sent. */
const bodies: any[] = []
let collector: Server
let server: TestServer
let admin: Person

const spans = (): Span[] =>
  bodies.flatMap(body =>
    body.resourceSpans.flatMap((each: any) => each.scopeSpans.flatMap((some: any) => some.spans)),
  )
const attributesOf = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

beforeAll(async () => {
  const port = await freePort()
  collector = createServer((request, response) => {
    void take(request).then(() => response.writeHead(200).end('{}'))
  })
  await new Promise<void>(resolve => collector.listen(port, '127.0.0.1', resolve))
  server = await startServer({
    settings: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/` },
  })
  admin = await organisation(server)
})
afterAll(async () => {
  await server.stop()
  await new Promise(resolve => collector.close(resolve))
})

async function take(request: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  expect(request.url).toBe('/v1/traces')
  bodies.push(JSON.parse(Buffer.concat(chunks).toString()))
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

test('a request is a span in the trace of its caller, with its operation and its statements below it', async () => {
  const answer = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${admin.accessToken}`,
      traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
    },
    body: JSON.stringify({
      query: `query Named { mine: organisation { members { nodes { name } } } }`,
    }),
  })
  const requestId = answer.headers.get('x-request-id')
  const ofTrace = () => spans().filter(span => span.traceId === TRACE)
  await until(() => ofTrace().some(span => span.name === 'POST /graphql'))
  const request = ofTrace().find(span => span.name === 'POST /graphql')!
  expect(request.parentSpanId).toBe('00f067aa0ba902b7')
  expect(attributesOf(request)).toMatchObject({
    'http.request.method': 'POST',
    'http.route': '/graphql',
    'http.response.status_code': 200,
    'gatehouse.request_id': requestId,
  })
  const below = ofTrace().filter(span => span.parentSpanId === request.spanId)
  const names = below.map(span => span.name)
  expect(names).toContain('query organisation')
  // who calls, and what was asked for
  expect(names).toEqual(expect.arrayContaining(['select session', 'select principal']))
})

test('a job is a span of its own', async () => {
  await admin.add({ email: freshEmail() })
  await until(() => spans().some(span => span.name === 'job mail'))
  const job = spans().find(span => span.name === 'job mail')!
  expect(job.parentSpanId || undefined).toBeUndefined()
})

test('nothing that a caller sent stands in a span', async () => {
  const email = freshEmail('secretive')
  await admin.add({ email })
  await fetch(`${server.url}/accept-invitation?token=a-secret-token`)
  await until(() => spans().filter(span => span.name === 'job mail').length > 1)
  const told = JSON.stringify(bodies)
  for (const secret of [email, PASSWORD, admin.accessToken, 'a-secret-token', admin.email])
    expect(told).not.toContain(secret)
})
