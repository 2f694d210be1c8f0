import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKey } from '../credentials/keys.ts'
import { ask } from '../support/client.ts'
import { openProject, OTHER_PASSWORD, reset, resetToken, signUp } from '../support/links.ts'
import { mailsSoFar, mailsTo } from '../support/mailbox.ts'
import { freshEmail, newcomer, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { CHOOSE, choose, lock, lockAndUnlock, topicsOf } from './notices.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const CATEGORIES = [
  'SECURITY',
  'ACCOUNT',
  'MEMBERSHIP',
  'ACCESS',
  'API_KEY',
  'INTEGRATION',
  'PLATFORM',
]
const OWN = `{ me { notificationPreferences { category channel frequency mandatory } } }`
const subjects = async (person: Person) =>
  (await mailsSoFar(server, person.email)).map(({ subject }) => subject)

describe('the choices', () => {
  test('there is one for every category and channel; only those of security are mandatory', async () => {
    const person = await newcomer(admin)
    const { notificationPreferences: lines } = (await person.ask(OWN)).me
    expect(lines.map((line: any) => `${line.category}.${line.channel}`)).toEqual(
      CATEGORIES.flatMap(category => [`${category}.EMAIL`, `${category}.IN_APP`]),
    )
    for (const line of lines)
      expect(line.mandatory, line.category).toBe(line.category === 'SECURITY')
    expect(lines.filter((line: any) => line.frequency !== 'IMMEDIATELY')).toEqual([
      { category: 'ACCESS', channel: 'EMAIL', frequency: 'DAILY', mandatory: false },
      { category: 'PLATFORM', channel: 'EMAIL', frequency: 'WEEKLY', mandatory: false },
    ])
  })

  test('pairs that are left out stay, and an event tells what was chosen', async () => {
    const person = await newcomer(admin)
    await choose(person, { 'MEMBERSHIP.EMAIL': 'NEVER' })
    const lines = await choose(person, {
      'MEMBERSHIP.IN_APP': 'WEEKLY',
      'ACCESS.EMAIL': 'DAILY',
      'SECURITY.EMAIL': 'IMMEDIATELY',
    })
    const of = (category: string) =>
      lines.filter(line => line.category === category).map(({ frequency }) => frequency)
    expect(of('MEMBERSHIP')).toEqual(['NEVER', 'WEEKLY'])
    expect(of('ACCESS')).toEqual(['DAILY', 'IMMEDIATELY'])
    const events = await server.database.owner(
      `select changes from event where topic = 'user.notifications_changed' and actor_user_id = $1 order by id`,
      [person.userId],
    )
    expect(events.map(({ changes }) => changes)).toEqual([
      [{ field: 'MEMBERSHIP.EMAIL', before: 'IMMEDIATELY', after: 'NEVER' }],
      [{ field: 'MEMBERSHIP.IN_APP', before: 'IMMEDIATELY', after: 'WEEKLY' }],
    ])
  })

  test.each(['DAILY', 'WEEKLY', 'NEVER'])(
    'security notices cannot be had %s; the refusal says where that was asked, and nothing is set',
    async frequency => {
      const person = await newcomer(admin)
      for (const channel of ['EMAIL', 'IN_APP']) {
        const refusal = await person
          .ask(CHOOSE, {
            preferences: [
              { category: 'ACCOUNT', channel, frequency },
              { category: 'SECURITY', channel, frequency },
            ],
          })
          .then(
            () => expect.fail('it was set'),
            (error: any) => error,
          )
        expect([refusal.code, refusal.reason]).toEqual(['BAD_USER_INPUT', 'OUT_OF_RANGE'])
        expect(refusal.extensions.fields[0].path).toEqual(['preferences', 1, 'frequency'])
      }
      const { notificationPreferences } = (await person.ask(OWN)).me
      expect(notificationPreferences[2].frequency).toBe('IMMEDIATELY')
    },
  )

  test('no statement of the owner’s own role sets them for security either', async () => {
    const person = await newcomer(admin)
    await expect(
      server.database.owner(
        `insert into notification_preference values ($1, 'SECURITY', 'EMAIL', 'NEVER', now())`,
        [person.userId],
      ),
    ).rejects.toThrow(/notification_preference_optional/)
  })

  test('a pair that is named twice is refused, and so is whoever is not signed in as a person', async () => {
    const person = await newcomer(admin)
    const twice = ['DAILY', 'NEVER'].map(frequency => ({
      category: 'ACCESS',
      channel: 'EMAIL',
      frequency,
    }))
    await expect(person.ask(CHOOSE, { preferences: twice })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'ALREADY_EXISTS',
    )
    const preferences = twice.slice(0, 1)
    await expect(ask(server.url, CHOOSE, { preferences })).rejects.toBeRefused('UNAUTHENTICATED')
    const { secret } = await createKey(admin, admin.memberId, [])
    await expect(
      ask(server.url, CHOOSE, { preferences }, { authorization: `Bearer ${secret}` }),
    ).rejects.toBeRefused('FORBIDDEN', 'KEY_NOT_ALLOWED')
  })

  test('thirty at once, in either order, leave one choice for each pair', async () => {
    const person = await newcomer(admin)
    const pairs = CATEGORIES.slice(1).flatMap(category =>
      ['EMAIL', 'IN_APP'].map(channel => ({ category, channel })),
    )
    await Promise.all(
      Array.from({ length: 30 }, (_each, index) => {
        const frequency = ['DAILY', 'WEEKLY', 'NEVER'][index % 3]!
        const preferences = pairs.map(pair => ({ ...pair, frequency }))
        return person.ask(CHOOSE, {
          preferences: index % 2 ? preferences : preferences.toReversed(),
        })
      }),
    )
    const rows = await server.database.owner(
      `select distinct frequency from notification_preference where user_id = $1`,
      [person.userId],
    )
    expect(rows).toHaveLength(1)
  })
})

describe('a notice comes', () => {
  test('by mail and in the app at once, unless something else was chosen', async () => {
    const person = await newcomer(admin)
    await lock(admin, person.memberId)
    const [mail] = await mailsTo(server, person.email)
    expect(mail!.subject).toMatch(/^Your membership of Organisation .* was locked$/)
    expect(mail!.text).toContain('Hello Ann,')
    expect(await topicsOf(person)).toEqual(['member.locked'])
  })

  test('by mail alone, in the app alone, or not at all, as was chosen', async () => {
    const [mailed, listed, neither] = [
      await newcomer(admin),
      await newcomer(admin),
      await newcomer(admin),
    ]
    await choose(mailed, { 'MEMBERSHIP.IN_APP': 'NEVER' })
    await choose(listed, { 'MEMBERSHIP.EMAIL': 'NEVER' })
    await choose(neither, { 'MEMBERSHIP.EMAIL': 'NEVER', 'MEMBERSHIP.IN_APP': 'NEVER' })
    for (const person of [mailed, listed, neither]) await lockAndUnlock(admin, person)
    expect([(await subjects(mailed)).length, (await topicsOf(mailed)).length]).toEqual([2, 0])
    expect([(await subjects(listed)).length, (await topicsOf(listed)).length]).toEqual([0, 2])
    expect([(await subjects(neither)).length, (await topicsOf(neither)).length]).toEqual([0, 0])
  })

  test('in the app later, where that was chosen', async () => {
    const person = await newcomer(admin)
    await choose(person, { 'MEMBERSHIP.IN_APP': 'DAILY' })
    await lockAndUnlock(admin, person)
    expect(await topicsOf(person)).toEqual([])
    await expect(
      person.ask(`mutation ($ids: [ID!]) { markNotificationsRead(ids: $ids) { user { id } } }`, {
        ids: (
          await server.database.owner(`select id from notification where user_id = $1`, [
            person.userId,
          ])
        ).map(({ id }) => String(id)),
      }),
    ).rejects.toBeRefused('NOT_FOUND')
    server.clock.advance({ days: 1 })
    admin = await signIn(server, admin.email)
    expect(await topicsOf(await signIn(server, person.email))).toEqual([
      'member.unlocked',
      'member.locked',
    ])
  })

  test('not by mail where it was refused while the mail was on its way', async () => {
    const person = await newcomer(admin)
    await lock(admin, person.memberId)
    await mailsTo(server, person.email)
    // the choice is made before the courier takes the mail up
    const { keys } = server.app.node.server
    const reader = { userId: person.userId, categories: ['MEMBERSHIP'] }
    const order = {
      to: person.email,
      locale: 'en',
      mail: {
        template: 'membershipReadmitted',
        data: { firstName: 'Ann', organisation: 'Acme', how: 'UNLOCKED' },
      },
      expiresAt: null,
      reader,
    }
    await choose(person, { 'MEMBERSHIP.EMAIL': 'NEVER' })
    await server.database.owner(`insert into pgboss.job (name, data) values ('mail', $1)`, [
      JSON.stringify({ sealed: keys.seal('mail', JSON.stringify(order)), readers: [] }),
    ])
    expect(await subjects(person)).toHaveLength(1)
    expect(server.log.some(line => line.includes('nobody wants it any more'))).toBe(true)
  })

  test('always where it protects the account: whoever got in cannot silence it', async () => {
    const person = await newcomer(admin)
    await choose(
      person,
      Object.fromEntries(
        CATEGORIES.slice(1).flatMap(category => [
          [`${category}.EMAIL`, 'NEVER'],
          [`${category}.IN_APP`, 'NEVER'],
        ]),
      ),
    )
    await admin.ask(
      `mutation { updateOrganisationSettings(input: { apiKey: { selfService: true } }) { organisation { id } } }`,
    )
    await createKey(person, person.memberId, [])
    await person.ask(`mutation { requestEmailChange(email: "elsewhere@example.com") { email } }`)
    expect((await subjects(person)).toSorted()).toEqual([
      expect.stringMatching(/^An API key of yours was created/),
      'Your email address is to be changed',
    ])
    expect((await topicsOf(person)).toSorted()).toEqual([
      'api_key.created',
      'user.email_change_requested',
    ])
  })

  test('of a key that an administrator made only as its owner wants it', async () => {
    const person = await newcomer(admin)
    await choose(person, { 'API_KEY.EMAIL': 'NEVER' })
    await createKey(admin, person.memberId, [])
    expect(await subjects(person)).toEqual([])
    expect(await topicsOf(person)).toEqual(['api_key.created'])
  })
})

test('what somebody chose before the mailbox was proven is void with the proof', async () => {
  const projectId = await openProject(admin, { emailVerificationRequired: false })
  const email = freshEmail()
  await signUp(server, { projectId, email })
  const squatter = await signIn(server, email)
  await choose(squatter, { 'MEMBERSHIP.EMAIL': 'NEVER', 'API_KEY.IN_APP': 'NEVER' })
  await reset(server, await resetToken(server, email))
  const owner = await signIn(server, email, OTHER_PASSWORD)
  const { notificationPreferences } = (await owner.ask(OWN)).me
  expect(notificationPreferences.filter((line: any) => line.frequency === 'NEVER')).toEqual([])
})
