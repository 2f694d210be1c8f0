import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { post } from '../support/client.ts'
import { onPostgres } from '../support/database.ts'
import { freshSource } from '../support/guesses.ts'
import { tokenIn } from '../support/mailbox.ts'
import { Cluster, needsPostgres } from './cluster.ts'
import { NodeProcess, OPERATOR } from './node-process.ts'

const TIMES = 20
const PATIENCE_MS = 20_000

let cluster: Cluster
/** Two server processes on one database. */
let nodes: NodeProcess[]

beforeAll(async () => {
  if (!onPostgres()) return
  cluster = await Cluster.start()
  const settings = {
    DATABASE_URL: await cluster.database('shared'),
    PUBLIC_URL: 'https://gatehouse.test',
    TRUST_PROXY: '1',
  }
  nodes = [await NodeProcess.start(settings), await NodeProcess.start(settings)]
})
beforeEach(needsPostgres)
afterAll(async () => {
  for (const node of nodes ?? []) await node.kill()
  await cluster?.remove()
})

const urlOf = (index: number) => nodes[index % 2]!.url

/** Asks from a source of its own; answers `OK`, or the reason of the refusal. */
async function ask(index: number, query: string, variables: object): Promise<string> {
  const { json } = await post(urlOf(index), JSON.stringify({ query, variables }), {
    'x-forwarded-for': freshSource(),
  })
  const error = json.errors?.[0]?.extensions
  return error ? (error.reason ?? error.code) : 'OK'
}

/** The token of the newest link that either node has mailed to the operator. */
async function mailedToken(path: string): Promise<string> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const mailboxes = await Promise.all(
      nodes.map(async ({ url }) => (await fetch(`${url}/dev/mailbox.json`)).json()),
    )
    const links = (mailboxes.flat() as { text: string }[]).flatMap(
      ({ text }) => text.match(/https?:\/\/\S+/g) ?? [],
    )
    const link = links.find(each => each.includes(path))
    if (link) return tokenIn(link)
    if (Date.now() > end) throw new Error(`No link to ${path} was mailed.`)
    await sleep(100)
  }
}

const many = (make: (index: number) => Promise<string>) =>
  Promise.all(Array.from({ length: TIMES }, (_, index) => make(index)))
const once = ['OK', ...Array<string>(TIMES - 1).fill('TOKEN_INVALID')].toSorted()

test('of twenty who use a magic link at two nodes at once, one comes in', async () => {
  await ask(
    0,
    `mutation ($email: EmailAddress!) { requestMagicLink(input: { email: $email }) { email } }`,
    {
      email: OPERATOR.email,
    },
  )
  const token = await mailedToken('/magic-link')
  const outcomes = await many(index =>
    ask(
      index,
      `mutation ($token: String!) { signInWithMagicLink(input: { token: $token }) { __typename } }`,
      { token },
    ),
  )
  expect(outcomes.toSorted()).toEqual(once)
})

test('of twenty who choose a password by one link at two nodes at once, one does', async () => {
  await ask(
    1,
    `mutation ($email: EmailAddress!) { requestPasswordReset(email: $email) { email } }`,
    {
      email: OPERATOR.email,
    },
  )
  const token = await mailedToken('/reset-password')
  const outcomes = await many(index =>
    ask(
      index,
      `mutation ($token: String!, $password: String!) { resetPassword(input: { token: $token, newPassword: $password }) { email } }`,
      { token, password: `quite another kettle of herring ${index}` },
    ),
  )
  expect(outcomes.toSorted()).toEqual(once)
  const signIns = await many(index =>
    ask(index, `mutation ($input: SignInInput!) { signIn(input: $input) { __typename } }`, {
      input: { ...OPERATOR, password: `quite another kettle of herring ${index}` },
    }),
  )
  // only the password of the one who was first opens the account
  expect(signIns.filter(outcome => outcome === 'OK')).toHaveLength(1)
  expect(signIns[outcomes.indexOf('OK')]).toBe('OK')
})
