import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { OTHER_PASSWORD, resetToken, reset, magicToken, magicSignIn } from '../support/links.ts'
import { mailsSoFar, mailsTo } from '../support/mailbox.ts'
import {
  invite,
  newcomer,
  organisation,
  PASSWORD,
  type Person,
  SESSION,
  signIn,
} from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer()
  admin = await organisation(server)
})
afterAll(() => server.stop())

const CHANGE = `mutation ($input: ChangePasswordInput!) { changePassword(input: $input) { ${SESSION} } }`
const change = (person: Person, newPassword = OTHER_PASSWORD, currentPassword = PASSWORD) =>
  person.ask(CHANGE, { input: { currentPassword, newPassword } })

describe('changing the password', () => {
  test('renews this session, ends the others and what is pending, and tells the owner', async () => {
    const person = await newcomer(admin)
    const elsewhere = await signIn(server, person.email)
    const pending = [await resetToken(server, person.email), await magicToken(server, person.email)]
    const old = person.accessToken

    person.take((await change(person)).changePassword)

    await person.ask('{ me { id } }')
    await expect(elsewhere.ask('{ me { id } }')).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'SESSION_ENDED',
    )
    person.accessToken = old
    await expect(person.ask('{ me { id } }')).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'SESSION_ENDED',
    )
    await expect(reset(server, pending[0]!)).rejects.toBeRefused('BAD_USER_INPUT', 'TOKEN_INVALID')
    await expect(magicSignIn(server, pending[1]!)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'TOKEN_INVALID',
    )
    await expect(signIn(server, person.email)).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    await signIn(server, person.email, OTHER_PASSWORD)
    const [notice] = await mailsTo(server, person.email, 3)
    expect(notice!.subject).toBe('Your password was changed')
  })

  test('needs the present one, and wrong guesses are paid for as at the door', async () => {
    const person = await newcomer(admin)
    for (let guess = 0; guess < 5; guess += 1)
      await expect(
        change(person, OTHER_PASSWORD, 'a wrong guess at the password'),
      ).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
    await expect(change(person)).rejects.toBeRefused('RATE_LIMITED')
    await expect(signIn(server, person.email)).rejects.toBeRefused('RATE_LIMITED')
    await person.ask('{ me { id } }')
  })

  test('obeys the policy, and names every unmet rule before anything is tried', async () => {
    const person = await newcomer(admin)
    await expect(change(person, 'aaaa', 'a wrong guess at the password')).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      extensions: {
        fields: [
          { path: ['input', 'newPassword'], reason: 'PASSWORD_TOO_SHORT' },
          { path: ['input', 'newPassword'], reason: 'PASSWORD_TOO_COMMON' },
        ],
      },
    })
  })

  test('takes up to 256 characters of any kind, and compares them exactly', async () => {
    const person = await newcomer(admin)
    const chosen = ` café 🐟 ${'ärger mit der '.repeat(17)}`.slice(0, 254) + ' '
    expect([...chosen].length).toBeGreaterThan(128)
    person.take((await change(person, chosen)).changePassword)
    await signIn(server, person.email, chosen)
    for (const other of [chosen.normalize('NFD'), chosen.trim(), chosen.toUpperCase()])
      await expect(signIn(server, person.email, other)).rejects.toBeRefused(
        'UNAUTHENTICATED',
        'CREDENTIALS_INVALID',
      )
    await expect(change(person, `${chosen}${'ab cd '.repeat(3)}`, chosen)).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'OUT_OF_RANGE',
    )
  })

  test('goes on where an organisation takes mailed links alone', async () => {
    const person = await newcomer(admin)
    const session = await magicSignIn(server, await magicToken(server, person.email))
    const take = (methods: string) =>
      server.database.owner('update organisation set sign_in_methods = $2::text[] where id = $1', [
        admin.organisationId,
        methods,
      ])
    await take('{MAGIC_LINK}')
    try {
      session.take((await change(session)).changePassword)
      await session.ask('{ me { id } }')
    } finally {
      await take('{PASSWORD,MAGIC_LINK}')
    }
    await signIn(server, person.email, OTHER_PASSWORD)
  })

  test('many times at once leaves one new password in force', async () => {
    const person = await newcomer(admin)
    await server.database.owner('delete from attempt')
    const passwords = Array.from({ length: 20 }, (_, index) => `${OTHER_PASSWORD} ${index}`)
    const tries = await Promise.allSettled(passwords.map(each => change(person, each)))
    expect(tries.filter(each => each.status === 'fulfilled')).toHaveLength(1)
    await server.database.owner('delete from attempt')
    await signIn(
      server,
      person.email,
      passwords[tries.findIndex(each => each.status === 'fulfilled')],
    )
  })
})

describe('an administrator who has the usual link sent', () => {
  const RESET = `mutation ($id: ID!) { requestMemberPasswordReset(id: $id) { member { id } } }`

  test('learns nothing of it', async () => {
    const person = await newcomer(admin)
    const { requestMemberPasswordReset } = await admin.ask(RESET, { id: person.memberId })
    expect(requestMemberPasswordReset.member).toEqual({ id: person.memberId })
    expect((await mailsTo(server, person.email))[0]!.subject).toBe('Choose a new password')
    await signIn(server, person.email)
  })

  test('need not be above the member', async () => {
    await admin.role('Helpdesk', ['manageUser', 'viewUser'])
    const helper = await newcomer(admin, { roleId: (await admin.roles()).Helpdesk })
    await helper.ask(RESET, { id: admin.memberId })
    expect((await mailsTo(server, admin.email, 2))[0]!.subject).toBe('Choose a new password')
  })

  test('must manage people of that organisation, who have accepted', async () => {
    const person = await newcomer(admin)
    const neighbour = await organisation(server)
    await expect(neighbour.ask(RESET, { id: person.memberId })).rejects.toBeRefused('NOT_FOUND')
    await expect((await newcomer(admin)).ask(RESET, { id: person.memberId })).rejects.toBeRefused(
      'FORBIDDEN',
      'PERMISSION_MISSING',
    )
    const { memberId } = await invite(admin)
    await expect(admin.ask(RESET, { id: memberId })).rejects.toBeRefused(
      'CONFLICT',
      'STATE_MISMATCH',
    )
    expect(await mailsSoFar(server, person.email)).toEqual([])
  })

  test('sees only the members that the role shows', async () => {
    await admin.role('Recluse', ['manageUser', 'viewUser'], { visibility: 'SELF' })
    const recluse = await newcomer(admin, { roleId: (await admin.roles()).Recluse })
    const person = await newcomer(admin)
    await expect(recluse.ask(RESET, { id: person.memberId })).rejects.toBeRefused('NOT_FOUND')
  })

  test('cannot send more than anybody else could', async () => {
    const person = await newcomer(admin)
    for (let count = 0; count < 10; count += 1) await admin.ask(RESET, { id: person.memberId })
    await expect(admin.ask(RESET, { id: person.memberId })).rejects.toBeRefused('RATE_LIMITED')
  })
})
