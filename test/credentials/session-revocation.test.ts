import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../src/shared/tokens.ts'
import { ask, post } from '../support/client.ts'
import { freshEmail, organisation, PASSWORD, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
/** A second node on the same database. */
let other: TestServer
let home: Person
let away: Person

beforeAll(async () => {
  server = await startServer()
  other = await startServer({ beside: server })
  home = await organisation(server)
  away = await organisation(server)
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

const VIEWER = `{ viewer { operator } }`
const REVOKE = `mutation ($id: ID!) { revokeSession(id: $id) { session { id current endedAt member { id } } } }`
const OTHERS = `mutation { revokeOtherSessions { count } }`
const REFRESH = `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { session { id } } }`
const ENDED = ['UNAUTHENTICATED', 'SESSION_ENDED'] as const

const revoke = (by: Person, id: string) => by.ask(REVOKE, { id })
const enter = (email: string, organisationId = home.organisationId) =>
  signIn(server, email, PASSWORD, { organisationId })
/** Somebody with a place in both organisations. */
async function person(): Promise<string> {
  const { email } = await home.bring()
  await away.add({ email })
  return email
}
const eventsOf = (id: string) =>
  server.database.owner(
    `select topic, organisation_id, actor_user_id from event where target_id = $1 and topic like 'session.%ended'`,
    [id],
  )

async function expectOver(session: Person): Promise<void> {
  for (const node of [server, other])
    await expect(session.ask(VIEWER, {}, node.url)).rejects.toBeRefused(...ENDED)
  await expect(ask(other.url, REFRESH, { t: session.refreshToken })).rejects.toBeRefused(...ENDED)
}

describe('one of my own sessions', () => {
  test('ends at once on every node, wherever it acts, and the others go on', async () => {
    const email = await person()
    const [mine, lost, elsewhere] = [
      await enter(email),
      await enter(email),
      await enter(email, away.organisationId),
    ]
    const answer = await revoke(mine, lost.sessionId)
    expect(answer.revokeSession.session).toEqual({
      id: lost.sessionId,
      current: false,
      endedAt: expect.any(String),
      member: { id: lost.memberId },
    })
    await expectOver(lost)
    await revoke(mine, elsewhere.sessionId)
    await expectOver(elsewhere)
    await mine.ask(VIEWER)
    expect(await eventsOf(lost.sessionId)).toEqual([
      {
        topic: 'session.ended',
        organisation_id: home.organisationId,
        actor_user_id: mine.userId,
      },
    ])
    // ended is ended: asked again it says the same, and leaves no second trace
    expect((await revoke(mine, lost.sessionId)).revokeSession.session.endedAt).toEqual(
      answer.revokeSession.session.endedAt,
    )
    expect(await eventsOf(lost.sessionId)).toHaveLength(1)
    // one's own act keeps nobody out
    await (await enter(email, away.organisationId)).switchTo(home.organisationId)
  })

  test('may be the one in use, whose cookie goes with it', async () => {
    const email = await person()
    const entry = `mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { accessToken session { id } } } }`
    const signedIn = await post(
      server.url,
      JSON.stringify({
        query: entry,
        variables: { input: { email, password: PASSWORD, delivery: 'COOKIE' } },
      }),
    )
    const { accessToken, session } = signedIn.json.data.signIn
    const cookie = signedIn.headers.getSetCookie()[0]!.split(';')[0]!
    const headers = { authorization: `Bearer ${accessToken}`, cookie }
    const body = JSON.stringify({ query: REVOKE, variables: { id: session.id } })
    const answer = await post(server.url, body, headers)
    expect(answer.json.data.revokeSession.session).toMatchObject({ id: session.id, current: true })
    expect(answer.headers.getSetCookie()[0]).toContain('1970')
    expect((await post(server.url, body, headers)).status).toBe(401)
  })

  test('ended by twenty requests at once ends once', async () => {
    const email = await person()
    const mine = await enter(email)
    const lost = await enter(email)
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        mine.ask(REVOKE, { id: lost.sessionId }, (index % 2 ? other : server).url),
      ),
    )
    expect(await eventsOf(lost.sessionId)).toHaveLength(1)
  })
})

describe('a session of somebody else', () => {
  test('is ended by who manages people where it acts, and sessions begun earlier do not switch back in', async () => {
    const email = await person()
    const [stolen, beside] = [await enter(email), await enter(email)]
    const elsewhere = await enter(email, away.organisationId)
    server.clock.advance({ seconds: 1 })
    const { session } = (await revoke(home, stolen.sessionId)).revokeSession
    expect(session.member.id).toBe(stolen.memberId)
    await expectOver(stolen)
    await beside.ask(VIEWER)
    await elsewhere.ask(VIEWER)
    await expect(elsewhere.switchTo(home.organisationId)).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
    server.clock.advance({ seconds: 1 })
    const fresh = await enter(email, away.organisationId)
    await fresh.switchTo(home.organisationId)
    await fresh.ask(VIEWER)
    expect(await eventsOf(stolen.sessionId)).toMatchObject([
      { organisation_id: home.organisationId, actor_user_id: home.userId },
    ])
  })

  test('answers like an unknown one to whoever may not see it', async () => {
    const email = await person()
    const victim = await enter(email)
    const elsewhere = await enter(email, away.organisationId)
    const member = await home.bring()
    const refusal = async (by: Person, id: string) =>
      revoke(by, id).then(
        () => 'it worked',
        ({ code, reason, message }) => ({ code, reason, message }),
      )
    const unknown = await refusal(home, newId())
    expect(unknown).toMatchObject({ code: 'NOT_FOUND' })
    for (const [by, id] of [
      [home, elsewhere.sessionId],
      [home, away.sessionId],
      [home, victim.memberId],
      [away, victim.sessionId],
      [member, victim.sessionId],
      [member, home.sessionId],
    ] as const)
      expect(await refusal(by, id)).toEqual(unknown)
    for (const alive of [victim, elsewhere, home, away]) await alive.ask(VIEWER)
  })

  test('of a member who holds more, or whom one does not see, is out of reach', async () => {
    const roleId = await home.role('Manager', ['manageUser', 'viewUser'])
    const blind = await home.role('Blind manager', ['manageUser', 'viewUser'], {
      visibility: 'SELF',
    })
    const victim = await enter(await person())
    const managers: Person[] = []
    for (const role of [roleId, blind]) {
      const manager = await home.bring('Member', freshEmail('manager'))
      await server.database.owner(`update principal set role_id = $2 where id = $1`, [
        manager.memberId,
        role,
      ])
      managers.push(manager)
    }
    const [manager, unseeing] = managers as [Person, Person]
    await expect(revoke(manager, home.sessionId)).rejects.toBeRefused(
      'FORBIDDEN',
      'EXCEEDS_OWN_PERMISSIONS',
    )
    await expect(revoke(unseeing, victim.sessionId)).rejects.toBeRefused('NOT_FOUND')
    await revoke(manager, victim.sessionId)
    await expectOver(victim)
    await home.ask(VIEWER)
  })
})

test('all my other sessions end at once, those that ran out are not counted, and nobody else is touched', async () => {
  const email = await person()
  const bystander = await enter(await person())
  const old = await enter(email)
  server.clock.advance({ hours: 13 })
  const others = [await enter(email), await enter(email, away.organisationId)]
  const mine = await enter(email)
  await (await enter(bystander.email)).ask(VIEWER)
  const alive = await enter(bystander.email)
  expect((await mine.ask(OTHERS)).revokeOtherSessions.count).toBe(2)
  for (const gone of [...others, old]) await expectOver(gone)
  expect((await mine.ask(OTHERS)).revokeOtherSessions.count).toBe(0)
  const { me } = await mine.ask(`{ me { sessions { nodes { id } } } }`)
  expect(me.sessions.nodes).toEqual([{ id: mine.sessionId }])
  await alive.ask(VIEWER)
  const events = await server.database.owner(
    `select organisation_id, changes from event where topic = 'session.others_ended' and target_id = $1 order by id`,
    [mine.userId],
  )
  expect(events[0]).toEqual({
    organisation_id: null,
    changes: [{ field: 'sessions', before: '3', after: '1' }],
  })
  await expect(ask(server.url, OTHERS)).rejects.toBeRefused('UNAUTHENTICATED')
})
