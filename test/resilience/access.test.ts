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
let roles: Record<string, string>

beforeAll(async () => {
  if (!onPostgres()) return
  cluster = await Cluster.start()
  const settings = {
    DATABASE_URL: await cluster.database('shared'),
    PUBLIC_URL: 'https://gatehouse.test',
  }
  nodes = [await NodeProcess.start(settings), await NodeProcess.start(settings)]
  admin = await tokenOf(node(0))
  const { data } = await query(
    node(0),
    `{ organisation { roles(first: 100) { nodes { id name } } } }`,
    {},
    admin,
  )
  roles = Object.fromEntries(
    data.organisation.roles.nodes.map(({ id, name }: { id: string; name: string }) => [name, id]),
  )
})
beforeEach(needsPostgres)
afterAll(async () => {
  for (const each of nodes ?? []) await each.kill()
  await cluster?.remove()
})

const node = (index: number) => nodes[index % 2]!.url

/** A new member, with a session begun on the first node. */
async function member(role: string) {
  const email = freshEmail('access')
  await query(
    node(0),
    `mutation ($input: AddMemberInput!) { addMember(input: $input) { member { id } } }`,
    { input: { email, firstName: 'Ann', lastName: 'Lee', roleId: roles[role] } },
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
    `mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { signIn { accessToken session { member { id } } } } }`,
    { input: { token, newAccount: { firstName: 'Ann', lastName: 'Lee', password: PASSWORD } } },
  )
  const { accessToken, session } = data.acceptInvitation.signIn
  return { token: accessToken as string, id: session.member.id as string }
}

const assign = (url: string, by: string, id: string, role: string) =>
  query(
    url,
    `mutation ($id: ID!, $roleId: ID!) { updateMember(id: $id, input: { roleId: $roleId }) { member { id } } }`,
    { id, roleId: roles[role] },
    by,
  )
const invitations = (url: string, token: string) =>
  query(url, `{ organisation { invitations { totalCount } } }`, {}, token)

test('demoted at one node, the very next request at the other is refused', async () => {
  const person = await member('Administrator')
  expect((await invitations(node(1), person.token)).error).toBeUndefined()
  expect((await assign(node(0), admin, person.id, 'Member')).error).toBeUndefined()
  expect((await invitations(node(1), person.token)).error).toMatchObject({
    code: 'FORBIDDEN',
    reason: 'PERMISSION_MISSING',
  })
})

test('two administrators who demote each other at two nodes at once leave one', async () => {
  // the operator steps aside for as long
  const [one, other] = [await member('Administrator'), await member('Administrator')]
  const { data } = await query(node(0), `{ viewer { principal { id } } }`, {}, admin)
  const operator = data.viewer.principal.id
  expect((await assign(node(1), one.token, operator, 'Member')).error).toBeUndefined()
  let last = one
  // once is not enough to meet
  for (let round = 0; round < 8; round += 1) {
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        index % 2
          ? assign(node(0), one.token, other.id, 'Member')
          : assign(node(1), other.token, one.id, 'Member'),
      ),
    )
    const won = [0, 1].filter(side =>
      outcomes.some(({ error }, index) => !error && index % 2 === side),
    )
    expect(won).toHaveLength(1)
    const left = await cluster.admin(
      `select p.id from principal p join role r on r.id = p.role_id where r.built_in and p.removed_at is null`,
      'shared',
    )
    expect(left).toHaveLength(1)
    last = left[0]!.id === one.id ? one : other
    const loser = last === one ? other : one
    expect((await assign(node(0), last.token, loser.id, 'Administrator')).error).toBeUndefined()
  }
  expect((await assign(node(0), last.token, operator, 'Administrator')).error).toBeUndefined()
  for (const { id } of [one, other])
    expect((await assign(node(0), admin, id, 'Member')).error).toBeUndefined()
})

test('a key renewed twenty times at two nodes at once has one secret that works, and works at both', async () => {
  const { data: made } = await query(
    node(0),
    `mutation ($roleId: ID!) { createServiceAccount(input: { name: "Robot", roleId: $roleId }) { serviceAccount { id } } }`,
    { roleId: roles.Member },
    admin,
  )
  const { data } = await query(
    node(0),
    `mutation ($ownerId: ID!) { createApiKey(input: { ownerId: $ownerId, name: "Key", scopes: [] }) { secret apiKey { id } } }`,
    { ownerId: made.createServiceAccount.serviceAccount.id },
    admin,
  )
  const { secret, apiKey } = data.createApiKey
  const works = async (url: string, key: string) =>
    (await query(url, `{ viewer { apiKey { id } } }`, {}, key)).status === 200
  expect(await works(node(1), secret)).toBe(true)
  const renewals = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      query(
        node(index),
        `mutation ($id: ID!) { renewApiKey(id: $id) { secret } }`,
        { id: apiKey.id },
        admin,
      ),
    ),
  )
  const secrets = renewals.flatMap(({ data: renewed }) => renewed?.renewApiKey?.secret ?? [])
  expect(secrets.length).toBeGreaterThan(0)
  for (const url of [node(0), node(1)]) {
    const good = await Promise.all([secret, ...secrets].map(each => works(url, each)))
    expect(good.filter(Boolean)).toHaveLength(1)
    expect(good[0]).toBe(false)
  }
})
