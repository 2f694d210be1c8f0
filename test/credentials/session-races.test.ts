import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import {
  newcomer,
  operator,
  organisation,
  PASSWORD,
  SESSION,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { act, admit, suspendMember } from '../tenancy/verbs.ts'

// Sessions are renewed, moved and ended by several requests at once, over two nodes on one database.

let server: TestServer
let beside: TestServer
let home: Person
let away: Person

beforeAll(async () => {
  server = await startServer()
  beside = await startServer({ beside: server })
  home = await organisation(server)
  away = await organisation(server)
})
afterAll(async () => {
  await beside.stop()
  await server.stop()
})

const node = (index: number) => (index % 2 ? beside.url : server.url)
const VIEWER = `{ viewer { organisation { id } } }`
const SWITCH = `mutation ($id: ID!) { switchOrganisation(id: $id) { ${SESSION} } }`
const REFRESH = `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { ${SESSION} } }`
const refresh = (url: string, t: string) => ask(url, REFRESH, { t })
const settled = async (tries: Promise<any>[]) => {
  const outcomes = await Promise.allSettled(tries)
  const done = outcomes.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  const refused = outcomes.flatMap(each => (each.status === 'rejected' ? [each.reason] : []))
  for (const error of refused) expect(error.status, String(error)).toBeLessThan(500)
  return { done, refused }
}

/** Somebody of both organisations, who acts in one of them. */
async function commuter(at: Person): Promise<Person> {
  const person = await newcomer(at)
  await admit(at === home ? away : home, person)
  return person
}

test('a switch that races refreshes keeps one lineage, in the place that was switched to', async () => {
  const person = await commuter(home)
  const { done } = await settled([
    ...Array.from({ length: 12 }, (_, index) => refresh(node(index), person.refreshToken)),
    person.ask(SWITCH, { id: away.organisationId }, beside.url),
    ...Array.from({ length: 12 }, (_, index) => refresh(node(index), person.refreshToken)),
  ])
  const tokens = new Set(
    done.map(each => (each.refreshSession ?? each.switchOrganisation).refreshToken as string),
  )
  const [row] = await server.database.owner(
    `select refresh_counter as n, organisation_id as place, ended_at from session where id = $1`,
    [person.sessionId],
  )
  expect(row!.place).toBe(away.organisationId)
  if (row!.ended_at) {
    // the token was a grandparent by the time a straggler brought it
    for (const token of tokens)
      await expect(refresh(node(0), token)).rejects.toBeRefused('UNAUTHENTICATED')
    return
  }
  expect(row!.n).toBe(tokens.size)
  expect(tokens.size).toBeLessThanOrEqual(2)
  const works = await settled([...tokens].map((token, index) => refresh(node(index), token)))
  // the elder of two, where it comes first, repeats the younger: it is the next that there is one of
  const next = new Set(works.done.map(each => each.refreshSession.refreshToken as string))
  expect(next.difference(tokens).size).toBe(1)
})

test('a kill that races switches leaves no session in the organisation', async () => {
  for (let round = 0; round < 4; round += 1) {
    const person = await commuter(away)
    const others = await Promise.all(
      Array.from({ length: 5 }, () =>
        signIn(server, person.email, PASSWORD, { organisationId: away.organisationId }),
      ),
    )
    const [row] = await server.database.owner(
      `select id from principal where user_id = $1 and organisation_id = $2`,
      [person.userId, home.organisationId],
    )
    const { done } = await settled([
      ...others.map((each, index) => each.ask(SWITCH, { id: home.organisationId }, node(index))),
      act(home, 'revokeMemberSessions', String(row!.id)),
      person.ask(SWITCH, { id: home.organisationId }, beside.url),
    ])
    for (const { switchOrganisation: switched } of done)
      if (switched)
        await expect(
          ask(node(round), VIEWER, {}, { authorization: `Bearer ${switched.accessToken}` }),
        ).rejects.toBeRefused('UNAUTHENTICATED')
    const left = await server.database.owner(
      `select id from session where principal_id = $1 and ended_at is null`,
      [String(row!.id)],
    )
    expect(left).toEqual([])
  }
})

test.each(['the member', 'the account', 'the organisation'])(
  'a bar of %s that races sign-ins lets none of them live on, not even once it is lifted',
  async what => {
    const boss = await operator(server)
    const place = await organisation(server)
    const person = await newcomer(place)
    const bar = {
      'the member': () => suspendMember(place, person.memberId),
      'the account': () => act(boss, 'deactivateUser', person.userId),
      'the organisation': () => act(boss, 'suspendOrganisation', place.organisationId),
    }[what]!
    const lift = {
      'the member': () => act(place, 'activateMember', person.memberId),
      'the account': () => act(boss, 'activateUser', person.userId),
      'the organisation': () => act(boss, 'activateOrganisation', place.organisationId),
    }[what]!
    const enter = (index: number) =>
      ask(
        node(index),
        `mutation ($email: EmailAddress!, $password: String!) {
          signIn(input: { email: $email, password: $password }) { ... on Authenticated { ${SESSION} } } }`,
        { email: person.email, password: PASSWORD },
      )
    const { done } = await settled([
      ...Array.from({ length: 8 }, (_, index) => enter(index)),
      bar(),
      ...Array.from({ length: 4 }, (_, index) => enter(index)),
    ])
    await lift()
    const begun = done.flatMap(each => each.signIn ?? [])
    for (const { accessToken, refreshToken } of [person, ...begun]) {
      await expect(
        ask(node(1), VIEWER, {}, { authorization: `Bearer ${accessToken}` }),
      ).rejects.toBeRefused('UNAUTHENTICATED')
      await expect(refresh(node(0), refreshToken)).rejects.toBeRefused('UNAUTHENTICATED')
    }
  },
)

test('of sign-ins at once no more live than a person may have', async () => {
  const boss = await operator(server)
  const most = `mutation ($n: Int!) { updatePlatformSettings(input: { session: { maxPerUser: $n } }) { settings { session { maxPerUser } } } }`
  await boss.ask(most, { n: 3 })
  const person = await newcomer(home)
  await settled(
    Array.from({ length: 12 }, (_, index) =>
      ask(
        node(index),
        `mutation ($email: EmailAddress!, $password: String!) {
          signIn(input: { email: $email, password: $password }) { ... on Authenticated { ${SESSION} } } }`,
        { email: person.email, password: PASSWORD },
      ),
    ),
  )
  const left = await server.database.owner(
    `select id from session where user_id = $1 and ended_at is null`,
    [person.userId],
  )
  expect(left).toHaveLength(3)
  await boss.ask(most, { n: 50 })
})
