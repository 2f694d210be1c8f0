import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../support/client.ts'
import {
  freshEmail,
  operator,
  organisation,
  PASSWORD,
  SESSION,
  signIn,
  type Person,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/waiting.ts'
import { createProject, createRole, grant } from './keys.ts'

let server: TestServer
/** A second node on the same database. */
let other: TestServer
let home: Person
let away: Person
let email: string

beforeAll(async () => {
  server = await startServer()
  other = await startServer({ beside: server })
  home = await organisation(server)
  away = await organisation(server)
  email = (await home.bring()).email
  await away.add({ email })
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

const VIEWER = `{ viewer { permissions { name } organisation { id } } }`
const REFRESH = `mutation ($input: RefreshSessionInput) { refreshSession(input: $input) { ${SESSION} } }`
const act = (name: string, answer = 'member { id }') =>
  `mutation ($id: ID!) { ${name}(id: $id) { ${answer} } }`
const ENDED = ['UNAUTHENTICATED', 'SESSION_ENDED'] as const
const REUSED = ['UNAUTHENTICATED', 'REFRESH_TOKEN_REUSED'] as const

const refresh = async (refreshToken: string, node = server) =>
  (await ask(node.url, REFRESH, { input: { refreshToken } })).refreshSession

const here = () => signIn(server, email, PASSWORD, { organisationId: home.organisationId })
/** The administrator of a place, signed in anew after the clock was moved. */
const again = async (person: Person) =>
  person.take(await signIn(server, person.email).then(session => asAnswer(session)))
const asAnswer = (person: Person) => ({
  accessToken: person.accessToken,
  refreshToken: person.refreshToken,
  session: {
    id: person.sessionId,
    member: { id: person.memberId, organisation: { id: person.organisationId } },
  },
})
const set = (by: Person, session: Record<string, unknown>) =>
  by.ask(
    `mutation ($s: SessionPolicyInput!) { updateOrganisationSettings(input: { session: $s }) { organisation { id } } }`,
    { s: session },
  )

describe('a refresh token', () => {
  test('is good once, and within its grace yields the same successor, which goes on', async () => {
    const person = await here()
    const first = await refresh(person.refreshToken)
    expect(first.refreshToken).not.toBe(person.refreshToken)
    expect((await refresh(person.refreshToken)).refreshToken).toBe(first.refreshToken)
    server.clock.advance({ seconds: 9 })
    expect((await refresh(person.refreshToken, other)).refreshToken).toBe(first.refreshToken)
    const second = await refresh(first.refreshToken)
    expect(second.session.id).toBe(person.sessionId)
    await person.take(second).ask(VIEWER)
  })

  test.each(['its parent after the grace', 'a grandparent at once'])(
    'ends the whole session when %s comes back',
    async which => {
      const person = await here()
      const bystander = await here()
      let latest = await refresh(person.refreshToken)
      if (which.startsWith('its')) server.clock.advance({ seconds: 11 })
      else latest = await refresh(latest.refreshToken)
      await expect(refresh(person.refreshToken, other)).rejects.toBeRefused(...REUSED)
      await expect(refresh(latest.refreshToken)).rejects.toBeRefused(...ENDED)
      await expect(refresh(person.refreshToken)).rejects.toBeRefused(...ENDED)
      await expect(person.take(latest).ask(VIEWER)).rejects.toBeRefused(...ENDED)
      await bystander.ask(VIEWER)
      const events = await server.database.owner(
        `select outcome from event where topic = 'session.reuse_detected' and target_id = $1`,
        [person.sessionId],
      )
      expect(events).toEqual([{ outcome: 'DENIED' }])
    },
  )

  test('used fifty times at once, on two nodes, leaves one lineage', async () => {
    const person = await here()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        refresh(person.refreshToken, index % 2 ? other : server),
      ),
    )
    expect(new Set(answers.map(answer => answer.refreshToken)).size).toBe(1)
    const [row] = await server.database.owner(`select refresh_counter from session where id = $1`, [
      person.sessionId,
    ])
    expect(row!.refresh_counter).toBe(1)
    await refresh(answers[0].refreshToken)
  })
})

describe('the next request knows', () => {
  test('that the session was signed out, and others were not', async () => {
    const person = await here()
    const bystander = await here()
    const { signOut } = await person.ask(`mutation { signOut { session { id endedAt } } }`)
    expect(signOut.session).toEqual({ id: person.sessionId, endedAt: expect.any(String) })
    for (const node of [server, other])
      await expect(person.ask(VIEWER, {}, node.url)).rejects.toBeRefused(...ENDED)
    await expect(refresh(person.refreshToken)).rejects.toBeRefused(...ENDED)
    await bystander.ask(VIEWER)
  })

  test('of a switch: the old access token stops, and the parent yields the switched successor', async () => {
    const person = await here()
    const before = { accessToken: person.accessToken, refreshToken: person.refreshToken }
    await person.ask(VIEWER, {}, other.url)
    await person.switchTo(away.organisationId)
    expect(decodeJwt(person.accessToken)).toMatchObject({
      org: away.organisationId,
      role: 'Member',
      permissions: ['viewUser'],
    })
    for (const node of [server, other]) {
      expect((await person.ask(VIEWER, {}, node.url)).viewer.organisation.id).toBe(
        away.organisationId,
      )
      await expect(
        ask(node.url, VIEWER, {}, { authorization: `Bearer ${before.accessToken}` }),
      ).rejects.toMatchObject({ status: 401 })
    }
    const tab = await refresh(before.refreshToken)
    expect([tab.refreshToken, tab.session.member.organisation.id]).toEqual([
      person.refreshToken,
      away.organisationId,
    ])
    const foreign = await organisation(server)
    for (const id of [foreign.organisationId, '01920000-0000-7000-8000-000000000000'])
      await expect(person.switchTo(id)).rejects.toBeRefused('NOT_FOUND')
    await person.ask(VIEWER)
  })

  test('of a change of role, a lock, a revocation and a removal, on every node', async () => {
    const person = await home.bring('Member', freshEmail())
    const permissions = async (node: TestServer) =>
      (await person.ask(VIEWER, {}, node.url)).viewer.permissions.length
    expect([await permissions(server), await permissions(other)]).toEqual([1, 1])
    const { Administrator } = await home.roles()
    await home.ask(
      `mutation ($id: ID!, $r: ID!) { updateMember(id: $id, input: { roleId: $r }) { member { id } } }`,
      { id: person.memberId, r: Administrator },
    )
    expect([await permissions(other), await permissions(server)]).toEqual([9, 9])
    await home.ask(act('lockMember'), { id: person.memberId }, other.url)
    await expect(signIn(server, person.email)).rejects.toBeRefused('UNAUTHENTICATED')
    await home.ask(act('unlockMember'), { id: person.memberId })
    const second = await signIn(server, person.email)
    await home.ask(act('revokeMemberSessions', 'count'), { id: person.memberId })
    await expect(person.ask(VIEWER, {}, other.url)).rejects.toBeRefused(...ENDED)
    await expect(second.ask(VIEWER)).rejects.toBeRefused(...ENDED)
    const third = await signIn(server, person.email)
    await home.ask(act('removeMember', 'deletedId'), { id: person.memberId })
    await expect(third.ask(VIEWER, {}, other.url)).rejects.toBeRefused(...ENDED)
  })
})

describe('by the clock a session ends', () => {
  test('at rest, for good: a refresh does not bring it back', async () => {
    const person = await here()
    server.clock.advance({ hours: 11, minutes: 58 })
    person.take(await refresh(person.refreshToken))
    server.clock.advance({ hours: 11, minutes: 58 })
    person.take(await refresh(person.refreshToken))
    server.clock.advance({ hours: 12 })
    const live = await here()
    const { me } = await live.ask(`{ me { sessions { totalCount nodes { id current } } } }`)
    expect(me.sessions).toEqual({ totalCount: 1, nodes: [{ id: live.sessionId, current: true }] })
    await expect(person.ask(VIEWER)).rejects.toBeRefused('UNAUTHENTICATED')
    await expect(refresh(person.refreshToken)).rejects.toBeRefused(...ENDED)
    await expect(refresh(person.refreshToken)).rejects.toBeRefused(...ENDED)
  })

  test('after its whole life, however busy', async () => {
    const person = await here()
    for (let half = 1; half <= 60; half += 1) {
      server.clock.advance({ hours: 11, minutes: 59 })
      person.take(await refresh(person.refreshToken))
    }
    server.clock.advance({ hours: 1 })
    await expect(refresh(person.refreshToken)).rejects.toBeRefused(...ENDED)
  })

  test('sooner where the organisation it acts in says so, and only there', async () => {
    await again(home)
    await set(home, { idleTimeoutMinutes: 5, lifetimeHours: 1 })
    const resting = await here()
    const busy = await here()
    const elsewhere = await signIn(server, email, PASSWORD, { organisationId: away.organisationId })
    const { me } = await busy.ask(
      `{ me { sessions { nodes { id createdAt idleExpiresAt expiresAt } } } }`,
    )
    const own = me.sessions.nodes.find((node: { id: string }) => node.id === busy.sessionId)
    expect(Date.parse(own.idleExpiresAt) - Date.parse(own.createdAt)).toBe(5 * 60_000)
    expect(Date.parse(own.expiresAt) - Date.parse(own.createdAt)).toBe(3_600_000)

    const keepBusy = async (times: number) => {
      for (let time = 0; time < times; time += 1) {
        server.clock.advance({ minutes: 4 })
        busy.take(await refresh(busy.refreshToken))
      }
    }
    await keepBusy(2)
    // at rest for more than five minutes, while its access token is good for ten
    await expect(resting.ask(VIEWER)).rejects.toBeRefused(...ENDED)
    await keepBusy(12)
    await busy.ask(VIEWER)
    server.clock.advance({ minutes: 4 })
    await expect(busy.ask(VIEWER)).rejects.toBeRefused(...ENDED)
    await expect(refresh(busy.refreshToken)).rejects.toBeRefused(...ENDED)

    elsewhere.take(await refresh(elsewhere.refreshToken))
    await expect(elsewhere.switchTo(home.organisationId)).rejects.toBeRefused(
      'FORBIDDEN',
      'POLICY_FORBIDS',
    )
    // refused, and none the worse
    elsewhere.take(await refresh(elsewhere.refreshToken))
    await elsewhere.ask(VIEWER)
    await set(await again(home), { idleTimeoutMinutes: null, lifetimeHours: null })
  })
})

test('a token tells what holds where the session acts: in a project also what its role there grants', async () => {
  await again(home)
  await home.ask(
    `mutation { createPermission(input: { name: "invoice.approve", description: "x" }) { permission { name } } }`,
  )
  const project = await createProject(home)
  const { id: roleId } = await createRole(home, ['invoice.approve'], { level: 'PROJECT' })
  const person = await home.bring()
  await grant(home, person.memberId, project, roleId)
  const switchTo = async (who: Person, id: string | null) => {
    const { switchProject } = await who.ask(
      `mutation ($id: ID) { switchProject(id: $id) { ${SESSION} } }`,
      { id },
    )
    return decodeJwt(who.take(switchProject).accessToken)
  }
  expect(await switchTo(person, project)).toMatchObject({
    org: home.organisationId,
    prj: project,
    role: 'Member',
    permissions: ['viewUser', 'invoice.approve'],
  })
  person.take(await refresh(person.refreshToken))
  expect(decodeJwt(person.accessToken).permissions).toContain('invoice.approve')
  expect((await switchTo(home, project)).permissions).toEqual(
    expect.arrayContaining(['manageUser', 'manageProjectAccess', 'invoice.approve']),
  )
  const outside = await switchTo(person, null)
  expect(outside).toMatchObject({ permissions: ['viewUser'] })
  expect(outside).not.toHaveProperty('prj')
  await switchTo(home, null)
})

test('beyond the most sessions of a person, the least recent makes way', async () => {
  const settings = `mutation ($n: Int!) { updatePlatformSettings(input: { session: { maxPerUser: $n } }) { settings { session { maxPerUser } } } }`
  const boss = await operator(server)
  await boss.ask(settings, { n: 2 })
  const sessions = [await here(), await here(), await here()]
  await expect(sessions[0]!.ask(VIEWER)).rejects.toBeRefused(...ENDED)
  for (const person of sessions.slice(1)) await person.ask(VIEWER)
  await boss.ask(settings, { n: 50 })
})

test('beyond the most sessions an organisation allows, the least recent there makes way, also for one that switches in', async () => {
  await again(home)
  await set(home, { maxPerUser: 2 })
  const elsewhere = await signIn(server, email, PASSWORD, { organisationId: away.organisationId })
  const first = await here()
  const second = await here()
  await first.ask(VIEWER)
  const third = await here()
  await expect(first.ask(VIEWER)).rejects.toBeRefused(...ENDED)
  await elsewhere.switchTo(home.organisationId)
  await expect(second.ask(VIEWER)).rejects.toBeRefused(...ENDED)
  for (const person of [third, elsewhere]) await person.ask(VIEWER)
  await set(home, { maxPerUser: null })
})

test('a session that may rest for a minute does not run out while it is in use, and does when it rests', async () => {
  await again(home)
  await set(home, { idleTimeoutMinutes: 1 })
  const busy = await here()
  const resting = await here()
  server.clock.advance({ seconds: 40 })
  await busy.ask(VIEWER)
  await until(async () => {
    const [row] = await server.database.owner(
      `select last_active_at > created_at as written from session where id = $1`,
      [busy.sessionId],
    )
    return row!.written === true
  })
  server.clock.advance({ seconds: 40 })
  await busy.ask(VIEWER)
  await expect(resting.ask(VIEWER)).rejects.toBeRefused(...ENDED)
  await set(await again(home), { idleTimeoutMinutes: null })
})

test('sessions acting here are listed for those who manage people, and for oneself', async () => {
  await again(home)
  const person = await here()
  const list = `query ($id: ID) { organisation { sessions(memberId: $id) { totalCount nodes { member { id } } } } }`
  const { organisation: place } = await home.ask(list, { id: person.memberId })
  expect(new Set(place.sessions.nodes.map((node: any) => node.member.id))).toEqual(
    new Set([person.memberId]),
  )
  for (const id of [away.memberId])
    expect((await home.ask(list, { id })).organisation.sessions.totalCount).toBe(0)
  await expect(person.ask(list)).rejects.toBeRefused('FORBIDDEN', 'PERMISSION_MISSING')
  const of = `query ($id: ID!) { organisation { member(id: $id) { sessions { totalCount } } } }`
  await expect(person.ask(of, { id: home.memberId })).rejects.toBeRefused(
    'FORBIDDEN',
    'PERMISSION_MISSING',
  )
  expect(
    (await person.ask(of, { id: person.memberId })).organisation.member.sessions.totalCount,
  ).toBeGreaterThan(0)
})
