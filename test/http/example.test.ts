import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { freePort, until } from '../support/waiting.ts'

// `example/service.ts`, as the README tells one to start it.

let server: TestServer
let service: ChildProcess
let url: string
let output = ''
let admin: Person
let member: Person
let neighbour: Person

beforeAll(async () => {
  server = await startServer()
  const port = await freePort()
  url = `http://127.0.0.1:${port}/invoices`
  service = spawn(process.execPath, ['example/service.ts'], {
    env: { PATH: process.env.PATH, GATEHOUSE_URL: server.url, PORT: String(port) },
  })
  for (const stream of [service.stdout, service.stderr])
    stream!.setEncoding('utf8').on('data', (text: string) => (output += text))
  admin = await organisation(server)
  neighbour = await organisation(server)
  member = await newcomer(admin)
  for (const name of ['invoice.create', 'invoice.delete'])
    for (const person of [admin, neighbour])
      await person.ask(
        `mutation ($name: String!) { createPermission(input: { name: $name, description: "x", level: ORGANISATION }) { permission { name } } }`,
        { name },
      )
  // a token says what held when it was issued
  admin = await signIn(server, admin.email)
  neighbour = await signIn(server, neighbour.email)
  await until(() => output.includes('The service listens'), 30_000)
})
afterAll(async () => {
  if (service.exitCode === null) {
    service.kill()
    await once(service, 'close')
  }
  await server.stop()
})

async function send(method: string, token: string | null, path = '', body?: unknown) {
  const response = await fetch(url + path, {
    method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, body: text ? JSON.parse(text) : undefined }
}

test('another service takes a token by itself, the claims rule its database, and what matters it asks Gatehouse', async () => {
  for (const token of [null, '', 'x.y.z', `${admin.accessToken}x`, admin.refreshToken])
    expect((await send('GET', token)).status).toBe(401)

  const made = await send('POST', admin.accessToken, '', { text: 'Bricks' })
  expect(made).toEqual({ status: 201, body: { id: 1, text: 'Bricks' } })
  expect((await send('POST', member.accessToken, '', { text: 'Mortar' })).status).toBe(403)
  expect((await send('POST', admin.accessToken, '', undefined)).status).toBe(400)
  expect((await send('GET', member.accessToken)).body).toEqual([made.body])
  expect((await send('GET', neighbour.accessToken)).body).toEqual([])

  for (const token of [member.accessToken, neighbour.accessToken])
    expect((await send('DELETE', token, '/1')).status).toBe(404)
  const other = await signIn(server, admin.email)
  await other.ask(`mutation { signOut { session { id } } }`)
  // read for a few minutes more, and no more than read
  expect((await send('GET', other.accessToken)).status).toBe(200)
  expect((await send('DELETE', other.accessToken, '/1')).status).toBe(404)
  expect((await send('DELETE', admin.accessToken, '/1')).status).toBe(204)
  expect((await send('GET', admin.accessToken)).body).toEqual([])
  expect(output).not.toMatch(/error/i)
}, 60_000)
