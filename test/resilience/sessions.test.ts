import { decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { onPostgres } from '../support/database.ts'
import { linkIn, tokenIn } from '../support/mailbox.ts'
import { freshEmail, PASSWORD } from '../support/people.ts'
import { until } from '../support/waiting.ts'
import { query, tokenOf } from './asking.ts'
import { Cluster, needsPostgres } from './cluster.ts'
import { NodeProcess } from './node-process.ts'

let cluster: Cluster
/** Two server processes on one database. */
let nodes: NodeProcess[]
let admin: string
let settings: Record<string, string>

beforeAll(async () => {
  if (!onPostgres()) return
  cluster = await Cluster.start()
  settings = {
    DATABASE_URL: await cluster.database('shared'),
    PUBLIC_URL: 'https://gatehouse.test',
  }
  nodes = [await NodeProcess.start(settings), await NodeProcess.start(settings)]
  admin = await tokenOf(nodes[0]!.url)
})
beforeEach(needsPostgres)
afterAll(async () => {
  for (const node of nodes ?? []) await node.kill()
  await cluster?.remove()
})

const TOKENS = `accessToken refreshToken session { id member { id } }`
const node = (index: number) => nodes[index % 2]!.url
const refresh = (url: string, t: string) =>
  query(
    url,
    `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { ${TOKENS} } }`,
    { t },
  )
const viewer = (url: string, token: string) => query(url, `{ viewer { operator } }`, {}, token)
const act = (url: string, name: string, id: string, answer = 'member { id }') =>
  query(url, `mutation ($id: ID!) { ${name}(id: $id) { ${answer} } }`, { id }, admin)
const enter = async (url: string, email: string) =>
  query(
    url,
    `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { ${TOKENS} } } }`,
    { input: { email, password: PASSWORD } },
  )

/** A new member, with a session begun on the first node. */
async function member() {
  const email = freshEmail('two')
  await query(
    node(0),
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`,
    { input: { email, firstName: 'Ann', lastName: 'Lee' } },
    admin,
  )
  const mails = async () =>
    (await Promise.all(nodes.map(each => each.mails())))
      .flat()
      .filter(mail => mail.to.address === email)
  await until(async () => (await mails()).length > 0)
  const token = tokenIn(linkIn((await mails())[0] as never))
  const { data } = await query(
    node(0),
    `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { signIn { ${TOKENS} } } }`,
    { input: { token, newAccount: { firstName: 'Ann', lastName: 'Lee', password: PASSWORD } } },
  )
  const { accessToken, refreshToken, session } = data.acceptInvitation.signIn
  return { email, accessToken, refreshToken, sessionId: session.id, memberId: session.member.id }
}

async function expectOver({ accessToken, refreshToken }: Awaited<ReturnType<typeof member>>) {
  for (const { url } of nodes) {
    expect(await viewer(url, accessToken)).toMatchObject({ status: 401 })
    expect((await refresh(url, refreshToken)).error?.code).toBe('UNAUTHENTICATED')
  }
}

test('fifty refreshes at once on two nodes leave one live successor', async () => {
  const person = await member()
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => refresh(node(index), person.refreshToken)),
  )
  const successors = new Set(answers.map(({ data }) => data?.refreshSession?.refreshToken))
  expect(successors.size).toBe(1)
  const [row] = await cluster.admin(
    `select refresh_counter as n from session where id = '${person.sessionId}'`,
    'shared',
  )
  expect(row!.n).toBe(1)
  expect((await refresh(node(1), [...successors][0])).data.refreshSession).toBeTruthy()
})

test('a grandparent that comes back ends the whole session on both nodes, also after a restart, and the trail says so', async () => {
  const person = await member()
  const { email } = person
  const beside = (await enter(node(1), email)).data.signIn
  const child = (await refresh(node(0), person.refreshToken)).data.refreshSession
  const grandchild = (await refresh(node(1), child.refreshToken)).data.refreshSession
  // nothing about it is remembered in a process
  await nodes[1]!.kill()
  nodes[1] = await NodeProcess.start(settings)
  const reused = await refresh(node(1), person.refreshToken)
  expect(reused.error).toMatchObject({ code: 'UNAUTHENTICATED', reason: 'REFRESH_TOKEN_REUSED' })
  await expectOver({ ...person, ...grandchild })
  expect((await viewer(node(0), beside.accessToken)).status).toBe(200)
  const events = await cluster.admin(
    `select outcome from event where topic = 'session.reuse_detected' and target_id = '${person.sessionId}'`,
    'shared',
  )
  expect(events).toEqual([{ outcome: 'DENIED' }])
}, 60_000)

test('killed, suspended or signed out on one node, the next request on the other is refused', async () => {
  const killed = await member()
  await viewer(node(1), killed.accessToken)
  const revoke = await act(node(0), 'revokeSession', killed.sessionId, 'session { id }')
  expect(revoke.error).toBeUndefined()
  await expectOver(killed)

  for (const verb of ['suspendMember', 'deactivateMember', 'removeMember']) {
    const barred = await member()
    await viewer(node(1), barred.accessToken)
    const answer = verb === 'removeMember' ? 'deletedId' : 'member { id }'
    expect((await act(node(0), verb, barred.memberId, answer)).error).toBeUndefined()
    await expectOver(barred)
    expect((await enter(node(1), barred.email)).error?.reason).toBe('CREDENTIALS_INVALID')
  }

  const left = await member()
  await query(node(0), `mutation { signOut { session { id } } }`, {}, left.accessToken)
  await expectOver(left)
}, 60_000)

test('locked on one node, a session and its refresh go on at the other, and nothing else does', async () => {
  const person = await member()
  expect((await act(node(0), 'lockMember', person.memberId)).error).toBeUndefined()
  expect((await viewer(node(1), person.accessToken)).status).toBe(200)
  const next = (await refresh(node(1), person.refreshToken)).data.refreshSession
  expect((await viewer(node(0), next.accessToken)).status).toBe(200)
  expect((await enter(node(1), person.email)).error?.reason).toBe('CREDENTIALS_INVALID')
})

test('`npm run rotate-keys` lets both nodes sign with the new key and verify the old, and a leaked one stops on both', async () => {
  const run = async (...more: string[]) => {
    const tool = await NodeProcess.spawn(settings, 'src/rotate-keys.ts', ...more)
    await tool.ended()
    return tool.output
  }
  /** Makes a node read the keys now, as it does every minute by itself. */
  const lookAgain = async (url: string) => {
    const header = Buffer.from('{"alg":"EdDSA","typ":"at+jwt","kid":"unknown"}')
    await viewer(url, `${header.toString('base64url')}.e30.AA`)
  }
  const published = async (url: string) => {
    const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[]
    }
    return keys.map(key => key.kid)
  }
  const person = await member()
  expect(await run()).toContain('The newest key is less than ten minutes old')
  await cluster.admin(`update signing_key set created_at = now() - interval '1 hour'`, 'shared')
  const [kid] = /^\S{43}/m.exec(await run())!
  for (const { url } of nodes)
    await until(async () => (await lookAgain(url), (await published(url)).includes(kid)))
  // as if ten minutes had passed
  const retired = `update signing_key set retired_at = now() where retired_at is not null`
  await cluster.admin(retired, 'shared')
  const signs = async (url: string) => {
    await lookAgain(url)
    const begun = (await enter(url, person.email)).data.signIn
    return decodeProtectedHeader(begun.accessToken).kid
  }
  for (const { url } of nodes) {
    // each try is a session more, of which a person has fifty
    await until(async () => (await signs(url)) === kid, 30_000, 1_000)
    expect((await viewer(url, person.accessToken)).status).toBe(200)
  }
  expect(await run('--leaked')).toContain('The keys were dropped.')
  for (const { url } of nodes) {
    await until(
      async () => (await lookAgain(url), (await viewer(url, person.accessToken)).status === 401),
    )
    expect((await refresh(url, person.refreshToken)).error).toBeUndefined()
  }
}, 120_000)
