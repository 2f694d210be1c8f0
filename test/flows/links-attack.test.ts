import { request } from 'node:http'
import { transactForServer } from '../../src/access/work.ts'
import { queueRequest } from '../../src/flows/mail-requests/mail-request.service.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, post } from '../support/client.ts'
import { freshSource } from '../support/guesses.ts'
import {
  magicSignIn,
  magicToken,
  mailedLink,
  openProject,
  OTHER_PASSWORD,
  reset,
  resetToken,
  signUp,
  verify,
} from '../support/links.ts'
import { linkIn, mailsSoFar, mailsTo, tokenIn } from '../support/mailbox.ts'
import { freshEmail, newcomer, organisation, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let beside: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  beside = await startServer({ beside: server, settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
})
afterAll(async () => {
  await beside.stop()
  await server.stop()
})

describe('a link brought to two nodes at once, thirty times', () => {
  const race = (bring: (node: TestServer, index: number) => Promise<unknown>) =>
    Promise.allSettled(
      Array.from({ length: 30 }, (_, index) => bring(index % 2 ? server : beside, index)),
    )

  test.each<[string, () => Promise<(node: TestServer, index: number) => Promise<unknown>>]>([
    [
      'resets once',
      async () => {
        const token = await resetToken(server, (await newcomer(admin)).email)
        return (node, index) => reset(node, token, `${OTHER_PASSWORD} ${index}`)
      },
    ],
    [
      'signs in once',
      async () => {
        const token = await magicToken(server, (await newcomer(admin)).email)
        return node => magicSignIn(node, token)
      },
    ],
    [
      'confirms once',
      async () => {
        const email = freshEmail()
        const projectId = await openProject(admin)
        const link = await mailedLink(server, email, () => signUp(server, { projectId, email }))
        return (node, index) => verify(node, tokenIn(link), `${OTHER_PASSWORD} ${index}`)
      },
    ],
  ])('%s', async (_what, make) => {
    const outcomes = await race(await make())
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const each of outcomes)
      if (each.status === 'rejected')
        expect(each.reason).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'TOKEN_INVALID' })
  })
})

test('the host that a request names shapes no link', async () => {
  const { email } = await newcomer(admin)
  const body = JSON.stringify({
    query: `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { email } }`,
    variables: { email },
  })
  const { port } = new URL(server.url)
  await new Promise<void>((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: '/graphql',
        method: 'POST',
        headers: {
          host: 'evil.example',
          'x-forwarded-host': 'evil.example',
          'x-forwarded-proto': 'https',
          'content-type': 'application/json',
        },
      },
      answer => answer.resume().once('end', resolve),
    )
    sent.once('error', reject)
    sent.end(body)
  })
  const [mail] = await mailsTo(server, email)
  expect(new URL(linkIn(mail!)).origin).toBe(server.app.node.server.config.PUBLIC_URL)
  expect(mail!.html).not.toContain('evil.example')
})

test.each([
  ['several addresses', 'a@example.com, b@example.com'],
  ['a list', ['a@example.com', 'b@example.com']],
  ['an object', { ne: null }],
  ['a line break', 'a@example.com\r\nBcc: b@example.com'],
])('%s in place of one address reaches nobody', async (_what, email) => {
  const projectId = await openProject(admin)
  const inputs = [
    [
      'signUp',
      'SignUpInput',
      { projectId, email, firstName: 'A', lastName: 'B', password: OTHER_PASSWORD },
    ],
    ['requestMagicLink', 'RequestMagicLinkInput', { email }],
  ] as const
  for (const [field, type, input] of inputs) {
    const { status, json } = await post(
      server.url,
      JSON.stringify({
        query: `mutation ($input: ${type}!) { ${field}(input: $input) { email } }`,
        variables: { input },
      }),
    )
    expect(status).toBe(400)
    expect(json.errors[0].extensions.code).toBe('BAD_USER_INPUT')
  }
  expect(await mailsSoFar(server, 'b@example.com')).toEqual([])
})

test('one source asks for a hundred mails an hour, to whatever addresses; another asks all the while', async () => {
  const from = (source: string, email = freshEmail('stranger')) =>
    ask(
      server.url,
      `mutation ($email: EmailAddress!) { requestMagicLink(input: { email: $email }) { email } }`,
      { email },
      { 'x-forwarded-for': source },
    )
  const source = freshSource()
  for (let count = 0; count < 100; count += 1) await from(source)
  await expect(from(source)).rejects.toBeRefused('RATE_LIMITED')
  const { email } = await newcomer(admin)
  await from(freshSource(), email)
  await mailsTo(server, email)
})

test('a link that was asked for long ago, and is served only now, is not mailed', async () => {
  const { email } = await newcomer(admin)
  const { database, server: own } = server.app.node
  const askedBefore = (minutes: number) =>
    transactForServer(
      {
        store: database.store,
        server: own,
        now: () => new Date(server.clock.now().getTime() - minutes * 60_000),
      },
      'test',
      work => queueRequest(work, { kind: 'MAGIC_LINK', email, projectId: null }),
    )
  await askedBefore(11)
  expect(await mailsSoFar(server, email)).toEqual([])
  await askedBefore(1)
  expect(await mailsSoFar(server, email)).toHaveLength(1)
})

test('known and unknown addresses take as long', { timeout: 60_000 }, async () => {
  const projectId = await openProject(admin)
  const known = [(await newcomer(admin)).email, (await newcomer(admin)).email]
  const times: Record<string, { known: number[]; unknown: number[] }> = {}
  const from = () => ({ 'x-forwarded-for': freshSource() })
  const acts = {
    reset: (email: string) =>
      ask(
        server.url,
        `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { email } }`,
        { email },
        from(),
      ),
    signUp: (email: string) => signUp(server, { projectId, email }, from()),
  }
  for (const [name, act] of Object.entries(acts)) {
    const found: (typeof times)[string] = { known: [], unknown: [] }
    times[name] = found
    for (let round = 0; round < 9; round += 1)
      for (const kind of ['known', 'unknown'] as const) {
        const email = kind === 'known' ? known[round % 2]! : freshEmail('stranger')
        await mailsSoFar(server, email) // what the sample before has set going is over
        const before = performance.now()
        await act(email)
        found[kind].push(performance.now() - before)
      }
  }
  const median = (values: number[]) =>
    values.toSorted((left, right) => left - right)[values.length >> 1]!
  for (const found of Object.values(times)) {
    const ratio = median(found.known) / median(found.unknown)
    expect(ratio).toBeGreaterThan(0.4)
    expect(ratio).toBeLessThan(2.5)
  }
})
