import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { codeAt, stepAt } from '../../src/credentials/totp/totp.ts'
import { post } from '../support/client.ts'
import { onPostgres } from '../support/database.ts'
import { freshSource } from '../support/guesses.ts'
import { query, tokenOf } from './asking.ts'
import { Cluster, needsPostgres } from './cluster.ts'
import { NodeProcess, OPERATOR } from './node-process.ts'

let cluster: Cluster
/** Two server processes on one database. */
let nodes: NodeProcess[]
let settings: Record<string, string>
let seed: string

beforeAll(async () => {
  if (!onPostgres()) return
  cluster = await Cluster.start()
  settings = {
    DATABASE_URL: await cluster.database('shared'),
    PUBLIC_URL: 'https://gatehouse.test',
    TRUST_PROXY: '1',
  }
  nodes = [await NodeProcess.start(settings), await NodeProcess.start(settings)]
  const token = await tokenOf(nodes[0]!.url)
  const { data } = await query(
    nodes[0]!.url,
    `mutation { startTotpEnrolment { id secret } }`,
    {},
    token,
  )
  seed = data.startTotpEnrolment.secret
  const confirmed = await query(
    nodes[1]!.url,
    `mutation ($input: ConfirmTotpEnrolmentInput!) { confirmTotpEnrolment(input: $input) { recoveryCodes } }`,
    // a step that is over, so that the present one is still good
    { input: { enrolmentId: data.startTotpEnrolment.id, code: code(-1) } },
    token,
  )
  if (!confirmed.data?.confirmTotpEnrolment) throw new Error('The operator could not enrol.')
})
beforeEach(needsPostgres)
afterAll(async () => {
  for (const node of nodes ?? []) await node.kill()
  await cluster?.remove()
})

const node = (index: number) => nodes[index % 2]!.url
const code = (steps = 0) => codeAt(seed, stepAt(new Date()) + steps)

/** Asks from a source of its own; answers what came back, or the reason of the refusal. */
async function from(url: string, text: string, variables: object): Promise<any> {
  const { json } = await post(url, JSON.stringify({ query: text, variables }), {
    'x-forwarded-for': freshSource(),
  })
  const error = json.errors?.[0]?.extensions
  return error ? (error.reason ?? error.code) : json.data
}

const signIn = (url: string) =>
  from(
    url,
    `mutation ($input: SignInInput!) { signIn(input: $input) { ... on MfaChallenge { token } } }`,
    { input: OPERATOR },
  )
const challenge = async (index: number): Promise<string> => (await signIn(node(index))).signIn.token
const verify = (index: number, token: string, guess: string) =>
  from(
    node(index),
    `mutation ($input: VerifyMfaInput!) { verifyMfa(input: $input) { accessToken } }`,
    { input: { challenge: token, code: guess } },
  )
const count = (outcomes: unknown[], outcome: string) =>
  outcomes.filter(each => each === outcome).length
const many = <Value>(times: number, make: (index: number) => Promise<Value>) =>
  Promise.all(Array.from({ length: times }, (_, index) => make(index)))

/** Whether some statement waits for a lock. */
const waiting = async () => {
  for (;;) {
    const [row] = await cluster.admin(
      `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock'`,
    )
    if (row!.n) return
    await sleep(20)
  }
}

test('twenty challenges at once with one code begin one session', async () => {
  const tokens = await many(20, challenge)
  const guess = code()
  const outcomes = await Promise.all(tokens.map((token, index) => verify(index, token, guess)))
  expect(outcomes.filter(each => typeof each === 'object')).toHaveLength(1)
  expect(count(outcomes, 'CODE_INVALID')).toBe(19)
  await cluster.admin(`delete from attempt`, 'shared')
})

test('who was locked while a code was looked at does not come in', async () => {
  const token = await challenge(0)
  const client = await cluster.connect('shared')
  try {
    await client.query('begin')
    await client.query(`update user_account set locked_at = now()`)
    const answer = verify(1, token, code(1))
    await waiting()
    await client.query('commit')
    expect(await answer).toBe('CREDENTIALS_INVALID')
  } finally {
    await client.query(`update user_account set locked_at = null`)
    await client.end()
  }
  // nothing was used up: neither the challenge nor the code
  expect(await verify(0, token, code(1))).toMatchObject({ verifyMfa: {} })
  await cluster.admin(`delete from attempt`, 'shared')
})

test('a password that was replaced while it was looked at does not lead in, not even to the second step', async () => {
  const client = await cluster.connect('shared')
  try {
    await client.query('begin')
    await client.query(`update user_account set password_changed_at = now()`)
    const answer = signIn(node(0))
    await waiting()
    await client.query('commit')
    expect(await answer).toBe('CREDENTIALS_INVALID')
  } finally {
    await client.end()
  }
})

test('a challenge looks at five guesses, wherever they come in', async () => {
  const token = await challenge(0)
  const outcomes = await many(20, index => verify(index, token, '000000'))
  expect(count(outcomes, 'CODE_INVALID')).toBe(5)
  await cluster.admin(`delete from attempt`, 'shared')
})

test('the twenty guesses of a day are counted over both, and by one that was started anew', async () => {
  const tokens = await many(8, challenge)
  const outcomes = await many(40, index => verify(index, tokens[index % 8]!, '000000'))
  expect(count(outcomes, 'CODE_INVALID')).toBe(20)
  await nodes[1]!.kill()
  nodes[1] = await NodeProcess.start(settings)
  const token = await challenge(1)
  await cluster.admin(
    `update attempt set blocked_until = now() + interval '1 minute'
    where count >= 20`,
    'shared',
  )
  expect(await verify(1, token, code())).toBe('RATE_LIMITED')
})
