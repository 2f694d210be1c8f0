import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { onPostgres } from '../support/database.ts'
import { freshEmail } from '../support/people.ts'
import { until } from '../support/waiting.ts'
import { addMember, signIn, tokenOf, viewer, type Answer } from './asking.ts'
import { Cluster, needsPostgres } from './cluster.ts'
import { NodeProcess } from './node-process.ts'

let cluster: Cluster
let node: NodeProcess
let token: string

beforeAll(async () => {
  if (!onPostgres()) return
  cluster = await Cluster.start()
  node = await NodeProcess.start({ DATABASE_URL: await cluster.database('gatehouse') })
  token = await tokenOf(node.url)
})
beforeEach(needsPostgres)
afterAll(async () => {
  await node?.kill()
  await cluster?.remove()
})

const mailed = (email: string) => async () =>
  (await node.mails()).some(mail => mail.to.address === email)

function expectRetryable({ status, error, retryAfter, tookMs }: Answer, httpStatus: number) {
  expect(error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfter: expect.any(Number) })
  expect(status).toBe(httpStatus)
  if (httpStatus === 503) expect(Number(retryAfter)).toBeGreaterThan(0)
  expect(tookMs).toBeLessThan(8_000)
}

test('the database goes away and comes back: requests are put off meanwhile, and all goes on by itself', async () => {
  await cluster.kill()
  for (let round = 0; round < 2; round += 1) {
    expectRetryable(await viewer(node.url, token), 503)
    expectRetryable(await addMember(node.url, token, freshEmail()), 503)
    expectRetryable(await signIn(node.url), 200)
    expect(await node.readiness()).toBe(503)
    expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
  }
  await sleep(3_000)
  expect(node.running).toBe(true)

  await cluster.start()
  await node.ready(10_000)
  expect((await viewer(node.url, token)).data.viewer.organisation.members.totalCount).toBe(1)
  expect((await signIn(node.url)).data.signIn.accessToken).toBeTruthy()
  const email = freshEmail('after')
  expect((await addMember(node.url, token, email)).error).toBeUndefined()
  await until(mailed(email))
}, 60_000)

test('a server that starts while requests come in answers them as soon as it can', async () => {
  await cluster.kill()
  const answers: Answer[] = []
  let goOn = true
  const callers = Array.from({ length: 8 }, async () => {
    while (goOn) {
      answers.push(await viewer(node.url, token))
      await sleep(20)
    }
  })
  await sleep(500)
  await cluster.start()
  await until(async () => !(await viewer(node.url, token)).error, 10_000)
  goOn = false
  await Promise.all(callers)
  for (const answer of answers) if (answer.error) expectRetryable(answer, 503)
}, 60_000)

test('connections that are torn again and again under load lose nothing that was confirmed, and whoever was added is mailed', async () => {
  const confirmed: string[] = []
  const asked: string[] = []
  const refused: Answer[] = []
  let goOn = true
  const callers = Array.from({ length: 6 }, async (_each, index) => {
    while (goOn) {
      if (index === 0) {
        const answer = await signIn(node.url)
        if (answer.error) refused.push(answer)
      } else if (index === 1) {
        const answer = await viewer(node.url, token)
        if (answer.error) refused.push(answer)
      } else {
        const email = freshEmail('load')
        asked.push(email)
        const answer = await addMember(node.url, token, email)
        if (answer.error) refused.push(answer)
        else confirmed.push(email)
      }
      // each sign-in is a session more, of which a person has fifty
      await sleep(index === 0 ? 200 : 5)
    }
  })
  const terminate = `select pg_terminate_backend(pid) from pg_stat_activity where datname = 'gatehouse'`
  for (let round = 0; round < 10; round += 1) {
    await sleep(400)
    await cluster.admin(terminate)
  }
  goOn = false
  await Promise.all(callers)

  expect(confirmed.length).toBeGreaterThan(5)
  expect(refused.length).toBeGreaterThan(0)
  expect([...new Set(refused.map(answer => answer.error!.code))]).toEqual(['SERVICE_UNAVAILABLE'])
  expect(node.running).toBe(true)
  expect((await viewer(node.url, token)).error).toBeUndefined()

  const added = await cluster.admin(
    `select email from principal where email like 'load-%'`,
    'gatehouse',
  )
  const emails = added.map(row => row.email as string)
  expect(emails).toEqual(expect.arrayContaining(confirmed))
  const sent = async () =>
    (await node.mails()).map(mail => mail.to.address).filter(email => email.startsWith('load-'))
  await until(async () => new Set(await sent()).size === emails.length, 75_000)
  expect([...new Set(await sent())].toSorted()).toEqual(emails.toSorted())
}, 120_000)

test('when every connection is taken, requests are put off rather than kept waiting', async () => {
  const blocker = await cluster.connect('gatehouse')
  await blocker.query('begin; lock table organisation in access exclusive mode')
  try {
    const answers = await Promise.all([
      ...Array.from({ length: 15 }, () => addMember(node.url, token, freshEmail('wait'))),
      ...Array.from({ length: 15 }, () => viewer(node.url, token)),
    ])
    for (const answer of answers) {
      expect(answer.error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryAfter: 1 })
      expect(answer.tookMs).toBeLessThan(15_000)
    }
    expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
  } finally {
    await blocker.query('rollback')
    await blocker.end()
  }
  await until(async () => !(await viewer(node.url, token)).error, 10_000)
  expect((await addMember(node.url, token, freshEmail('free'))).error).toBeUndefined()
}, 60_000)

test('none of this was logged as a fault of our own', () => {
  const faults = node.output.split('\n').filter(line => line.includes('"level":50'))
  expect(faults).toEqual([])
  expect(node.output).not.toMatch(/unhandled|uncaught/i)
})
