import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bringWith, createKey } from '../credentials/keys.ts'
import { doChore } from '../support/chores.ts'
import { ask } from '../support/client.ts'
import { magicSignIn, magicToken, openProject } from '../support/links.ts'
import { newcomer, operator, organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { lock, lockAndUnlock, MARK, noticesOf, pageOf, topicsOf } from './notices.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { ACCESS_TOKEN_SECONDS: '3600' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const mark = (person: Person, ids?: string[] | null) => person.ask(MARK, { ids })

describe('the list', () => {
  test('holds what somebody was told, the newest first, with its organisation and its topic', async () => {
    const person = await newcomer(admin)
    await lockAndUnlock(admin, person)
    const [unlocked, locked, ...more] = await noticesOf(person)
    expect(more).toEqual([])
    expect(locked).toMatchObject({
      topic: { name: 'member.locked', category: 'MEMBERSHIP' },
      organisation: { id: admin.organisationId },
      readAt: null,
    })
    expect(locked!.message).toMatch(/^Organisation .* has locked your membership\. You cannot/)
    expect(unlocked!.topic.name).toBe('member.unlocked')
  })

  test('speaks the language that its reader has now', async () => {
    const person = await newcomer(admin)
    await lock(admin, person.memberId)
    await person.ask(`mutation { updateProfile(input: { locale: "de-AT" }) { user { id } } }`)
    expect((await noticesOf(person))[0]!.message).toContain('hat Ihre Mitgliedschaft gesperrt')
  })

  test('is read page by page, with all of it or what was read or not', async () => {
    const person = await newcomer(admin)
    for (let count = 0; count < 3; count += 1) await lockAndUnlock(admin, person)
    const all = await noticesOf(person)
    expect(all).toHaveLength(6)
    const first = await pageOf(person, { first: 4 })
    expect(first).toMatchObject({ totalCount: 6, pageInfo: { hasNextPage: true } })
    const second = await pageOf(person, { first: 4, after: first.pageInfo.endCursor })
    expect([...first.nodes, ...second.nodes]).toEqual(all)
    await mark(person, [all[1]!.id, all[3]!.id])
    expect((await noticesOf(person, false)).map(({ id }) => id)).toEqual([all[1]!.id, all[3]!.id])
    expect(await noticesOf(person, true)).toHaveLength(4)
    // a cursor is good for its own list only
    await expect(
      pageOf(person, { unread: true, after: first.pageInfo.endCursor }),
    ).rejects.toBeRefused('BAD_USER_INPUT', 'CURSOR_INVALID')
    await expect(pageOf(admin, { after: first.pageInfo.endCursor })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'CURSOR_INVALID',
    )
  })

  test('says nothing of an organisation that one does not belong to any more', async () => {
    const person = await newcomer(admin)
    await organisation(server).then(there => there.add({ email: person.email }))
    await admin.ask(`mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`, {
      id: person.memberId,
    })
    const again = await signIn(server, person.email)
    const [removed] = await noticesOf(again)
    expect(removed).toMatchObject({ topic: { name: 'member.removed' }, organisation: null })
    expect(removed!.message).toContain('has ended your membership')
  })

  test('is shown to its owner alone: not to operators, not to keys, not to a session of one organisation', async () => {
    const person = await newcomer(admin)
    await lockAndUnlock(admin, person)
    const { id } = (await noticesOf(person))[0]!
    const node = `query ($id: ID!) { node(id: $id) { __typename ... on Notification { message } } }`
    expect((await person.ask(node, { id })).node.__typename).toBe('Notification')

    const op = await operator(server)
    for (const field of ['notifications { totalCount }', 'notificationPreferences { category }'])
      await expect(
        op.ask(`query ($id: ID!) { platform { user(id: $id) { ${field} } } }`, {
          id: person.userId,
        }),
      ).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    for (const other of [op, admin, await organisation(server)])
      await expect(other.ask(node, { id })).rejects.toBeRefused('NOT_FOUND')

    const { secret } = await createKey(admin, admin.memberId, ['viewUser'])
    const [own] = await noticesOf(admin)
    const withKey = (document: string) =>
      ask(server.url, document, { id: own!.id }, { authorization: `Bearer ${secret}` })
    await expect(withKey(`{ me { notifications { totalCount } } }`)).rejects.toBeRefused(
      'FORBIDDEN',
      'KEY_NOT_ALLOWED',
    )
    await expect(withKey(node)).rejects.toBeRefused('NOT_FOUND')

    const projectId = await openProject(admin, {}, { signInUrl: 'https://app.example.com/in' })
    const guest = await bringWith(admin, [])
    await lockAndUnlock(admin, guest)
    const [notice] = await noticesOf(guest)
    await admin.ask(
      `mutation ($input: GrantProjectAccessInput!) { grantProjectAccess(input: $input) { projectAccess { id } } }`,
      {
        input: { principalId: guest.memberId, projectId, roleId: (await admin.roles()).Viewer },
      },
    )
    const bound = await magicSignIn(server, await magicToken(server, guest.email, projectId))
    await expect(noticesOf(bound)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
    await expect(bound.ask(node, { id: notice!.id })).rejects.toBeRefused('NOT_FOUND')
    await expect(mark(bound)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  })
})

describe('marking as read', () => {
  test('names some, or all; what was read stays read since then', async () => {
    const person = await newcomer(admin)
    await lockAndUnlock(admin, person)
    const [newer, older] = await noticesOf(person)
    const { markNotificationsRead } = await mark(person, [older!.id, older!.id])
    expect(markNotificationsRead.user.notifications.totalCount).toBe(1)
    const { readAt } = (await noticesOf(person))[1]!
    expect(readAt).not.toBeNull()
    server.clock.advance({ minutes: 1 })
    await mark(person, [older!.id])
    await mark(person)
    const after = await noticesOf(person)
    expect(after[1]!.readAt).toBe(readAt)
    expect(after[0]).toMatchObject({ id: newer!.id, readAt: expect.any(String) })
    expect(await noticesOf(person, true)).toEqual([])
  })

  test('an empty list marks none', async () => {
    const person = await newcomer(admin)
    await lockAndUnlock(admin, person)
    await mark(person, [])
    expect(await noticesOf(person, true)).toHaveLength(2)
  })

  test('somebody else’s notice is unknown, and then none of one’s own is marked either', async () => {
    const person = await newcomer(admin)
    const other = await newcomer(admin)
    for (const each of [person, other]) await lockAndUnlock(admin, each)
    const [own] = await noticesOf(person)
    const [foreign] = await noticesOf(other)
    await expect(mark(person, [own!.id, foreign!.id])).rejects.toBeRefused('NOT_FOUND')
    expect(await noticesOf(person, true)).toHaveLength(2)
    await mark(person)
    expect(await noticesOf(other, true)).toHaveLength(2)
  })

  test('takes 500 at most, and wants a session', async () => {
    const person = await newcomer(admin)
    const ids = Array.from({ length: 501 }, () => person.userId)
    await expect(mark(person, ids)).rejects.toBeRefused('BAD_USER_INPUT', 'OUT_OF_RANGE')
    await expect(ask(server.url, MARK, {})).rejects.toBeRefused('UNAUTHENTICATED')
    const { secret } = await createKey(admin, admin.memberId, [])
    await expect(
      ask(server.url, MARK, {}, { authorization: `Bearer ${secret}` }),
    ).rejects.toBeRefused('FORBIDDEN', 'KEY_NOT_ALLOWED')
  })

  test('thirty at once, in any order, leave everything read once', async () => {
    const person = await newcomer(admin)
    for (let count = 0; count < 3; count += 1) await lockAndUnlock(admin, person)
    const ids = (await noticesOf(person)).map(({ id }) => id)
    await Promise.all(
      Array.from({ length: 30 }, (_each, index) =>
        mark(person, index % 3 === 0 ? null : index % 3 === 1 ? ids : ids.toReversed()),
      ),
    )
    expect(await noticesOf(person, true)).toEqual([])
    expect(await noticesOf(person)).toHaveLength(6)
  })
})

test('what was read is gone a month later, what never was after a year', async () => {
  const person = await newcomer(admin)
  await lockAndUnlock(admin, person)
  const [read] = await noticesOf(person)
  await mark(person, [read!.id])
  const left = async () =>
    (
      await server.database.owner(
        `select count(*)::int as count from notification where user_id = $1`,
        [person.userId],
      )
    )[0]!.count
  server.clock.advance({ days: 29 })
  await doChore(server, 'purge')
  expect(await left()).toBe(2)
  server.clock.advance({ days: 2 })
  await doChore(server, 'purge')
  expect(await left()).toBe(1)
  server.clock.advance({ days: 335 })
  await doChore(server, 'purge')
  expect(await left()).toBe(0)
})

test('every security notice is in the list, such as a new password', async () => {
  const person = await newcomer(await organisation(server))
  await person.ask(
    `mutation { changePassword(input: { currentPassword: "a password that is long enough", newPassword: "another kettle of herring" }) { accessToken } }`,
  )
  const again = await signIn(server, person.email, 'another kettle of herring')
  expect(await topicsOf(again)).toContain('user.password_changed')
})
