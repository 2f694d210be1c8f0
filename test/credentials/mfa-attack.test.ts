import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Authenticator, challenge, CONFIRM, enrol, verify } from '../support/authenticator.ts'
import { ask, Refusal } from '../support/client.ts'
import { delayOf, freshSource, guess } from '../support/guesses.ts'
import { mailsSoFar } from '../support/mailbox.ts'
import { organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
/** A second node on the same database. */
let other: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  other = await startServer({ beside: server, settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

const nodeOf = (index: number) => (index % 2 ? other : server)
const wrongOnce = (index: number) => String(index).padStart(6, '0')

async function somebody(): Promise<{ person: Person; app: Authenticator; codes: string[] }> {
  admin.accessToken = (await signIn(server, admin.email)).accessToken
  const person = await admin.bring()
  const { app, recoveryCodes } = await enrol(person)
  // codes of the step in which it was enrolled are used up
  server.clock.advance({ seconds: 60 })
  return { person, app, codes: recoveryCodes! }
}

/** How often each thing came out. */
async function outcomes(tries: Promise<unknown>[]): Promise<Record<string, number>> {
  const all = await Promise.allSettled(tries)
  const counts: Record<string, number> = {}
  for (const outcome of all) {
    const name =
      outcome.status === 'fulfilled'
        ? 'OK'
        : outcome.reason instanceof Refusal
          ? (outcome.reason.reason ?? outcome.reason.code)
          : String(outcome.reason)
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

const many = <Value>(count: number, make: (index: number) => Promise<Value>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)))

const REAUTHENTICATE = `mutation ($code: String!) { reauthenticate(input: { code: $code }) { accessToken } }`
const REMOVE = `mutation ($id: ID!, $code: String!) { removeMfaFactor(id: $id, code: $code) { mfa { enabled } } }`

/** Asks in a session of somebody, from a source of its own. */
const from = (node: TestServer, person: Person, document: string, variables: object) =>
  ask(node.url, document, variables as never, {
    authorization: `Bearer ${person.accessToken}`,
    'x-forwarded-for': freshSource(),
  })

describe('at once, on two nodes,', () => {
  test('one challenge with one right code yields one session', async () => {
    const { person, app } = await somebody()
    const { token } = await challenge(server, person.email)
    const code = app.code()
    const counts = await outcomes(
      Array.from({ length: 20 }, (_, index) => verify(nodeOf(index), token, code)),
    )
    expect(counts.OK).toBe(1)
    const sessions = await server.database.owner(
      `select id from session where user_id = $1 and ended_at is null`,
      [person.userId],
    )
    expect(sessions).toHaveLength(2)
  })

  test('one challenge with several right codes yields one session, and uses one of them up', async () => {
    const { person, codes } = await somebody()
    const { token } = await challenge(server, person.email)
    const counts = await outcomes(
      codes
        .slice(0, 5)
        .map((code, index) => verify(nodeOf(index), token, code, { method: 'RECOVERY_CODE' })),
    )
    expect(counts).toEqual({ OK: 1, TOKEN_INVALID: 4 })
    const used = await server.database.owner(
      `select digest from recovery_code where user_id = $1 and used_at is not null`,
      [person.userId],
    )
    expect(used).toHaveLength(1)
  })

  test('one code for many challenges is taken once', async () => {
    const { person, app } = await somebody()
    const tokens = await many(
      20,
      async index => (await challenge(nodeOf(index), person.email)).token,
    )
    const code = app.code()
    const counts = await outcomes(tokens.map((token, index) => verify(nodeOf(index), token, code)))
    expect(counts.OK).toBe(1)
    expect(Object.keys(counts).toSorted()).toEqual(['CODE_INVALID', 'OK'])
  })

  test('one code for signing in, proving again and removing is taken once', async () => {
    const { person, app } = await somebody()
    const { token } = await challenge(server, person.email)
    const code = app.code()
    const counts = await outcomes(
      Array.from({ length: 18 }, (_, index) =>
        index % 3 === 0
          ? from(nodeOf(index), person, REAUTHENTICATE, { code })
          : index % 3 === 1
            ? from(nodeOf(index), person, REMOVE, { id: app.id, code })
            : verify(nodeOf(index), token, code),
      ),
    )
    expect(counts.OK).toBe(1)
  })

  test('one recovery code for many challenges is taken once', async () => {
    const { person, codes } = await somebody()
    const tokens = await many(
      20,
      async index => (await challenge(nodeOf(index), person.email)).token,
    )
    const counts = await outcomes(
      tokens.map((token, index) =>
        verify(nodeOf(index), token, codes[0]!, { method: 'RECOVERY_CODE' }),
      ),
    )
    expect(counts.OK).toBe(1)
    const used = await server.database.owner(
      `select digest from recovery_code where user_id = $1 and used_at is not null`,
      [person.userId],
    )
    expect(used).toHaveLength(1)
  })

  test('one enrolment is confirmed once, and shows its codes once', async () => {
    const person = (await somebody()).person
    const { startTotpEnrolment: begun } = await person.ask(
      `mutation { startTotpEnrolment { id secret } }`,
    )
    const code = new Authenticator(server, begun.id, begun.secret).code()
    const counts = await outcomes(
      Array.from({ length: 20 }, (_, index) =>
        from(nodeOf(index), person, CONFIRM, { input: { enrolmentId: begun.id, code } }),
      ),
    )
    expect(counts).toEqual({ OK: 1, NOT_FOUND: 19 })
  })

  test('a challenge looks at five guesses and is over', async () => {
    const { person, app } = await somebody()
    const { token } = await challenge(server, person.email)
    const near = new Set([-1, 0, 1, 2].map(steps => app.code(steps)))
    const wrong = Array.from({ length: 40 }, (_, index) => wrongOnce(index)).filter(
      code => !near.has(code),
    )
    const counts = await outcomes(
      wrong.slice(0, 30).map((code, index) => verify(nodeOf(index), token, code)),
    )
    expect(counts.CODE_INVALID).toBe(5)
    expect(counts.OK).toBeUndefined()
    await expect(verify(server, token, app.code())).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'TOKEN_INVALID',
    )
    // what was not looked at was not paid for
    await verify(server, (await challenge(server, person.email)).token, app.code())
  })
})

test('a seed opens in the row of its own factor alone', async () => {
  const [victim, intruder] = [await somebody(), await somebody()]
  await server.database.owner(
    `update totp_factor set sealed_seed = (select sealed_seed from totp_factor where id = $1) where id = $2`,
    [intruder.app.id, victim.app.id],
  )
  const { token } = await challenge(server, victim.person.email)
  await expect(verify(server, token, intruder.app.code())).rejects.toBeRefused(
    'INTERNAL_SERVER_ERROR',
  )
  await verify(server, token, victim.codes[0]!, { method: 'RECOVERY_CODE' })
})

describe('twenty wrong codes a day', () => {
  test('over all challenges, step-ups and sources are looked at; then all wait, and the owner hears of it once', async () => {
    const { person, app } = await somebody()
    const near = new Set([-1, 0, 1, 2].map(steps => app.code(steps)))
    const wrong = Array.from({ length: 60 }, (_, index) => wrongOnce(index)).filter(
      code => !near.has(code),
    )
    const tokens = await many(8, async () => (await challenge(server, person.email)).token)
    const tries = wrong
      .slice(0, 40)
      .map((code, index) =>
        index % 4 === 0
          ? from(nodeOf(index), person, REAUTHENTICATE, { code })
          : verify(nodeOf(index), tokens[index % 8]!, code),
      )
    const counts = await outcomes(tries)
    expect(counts.CODE_INVALID).toBe(20)
    expect(counts.RATE_LIMITED! + (counts.TOKEN_INVALID ?? 0)).toBe(20)

    const { token } = await challenge(server, person.email)
    const delay = await delayOf(verify(other, token, app.code()))
    expect(delay).toBeLessThanOrEqual(30)
    await delayOf(from(server, person, REAUTHENTICATE, { code: app.code() }))
    await delayOf(from(server, person, REMOVE, { id: app.id, code: app.code() }))
    const mails = await mailsSoFar(server, person.email)
    const told = mails.filter(mail => mail.subject.startsWith('Many wrong codes'))
    expect(told).toHaveLength(1)

    // the password is looked at all the same, and the delay passes
    await guess(server, person.email)
    server.clock.advance({ seconds: delay })
    const next = await challenge(server, person.email)
    await verify(server, next.token, app.code())
    server.clock.advance({ hours: 24 })
    const later = await challenge(server, person.email)
    for (const code of wrong.slice(40, 44))
      await expect(verify(server, later.token, code)).rejects.toBeRefused('BAD_USER_INPUT')
    await verify(server, later.token, app.code())
  })
})

// the last one, for the signing keys are sealed anew as well
describe('another SECRET_KEY in front of the present one', () => {
  test('opens seeds and takes recovery codes of before, and seals anew what is used', async () => {
    const { person, app, codes } = await somebody()
    const sealed = async () =>
      String(
        (
          await server.database.owner(`select sealed_seed from totp_factor where id = $1`, [app.id])
        )[0]!.sealed_seed,
      )
    const before = await sealed()
    const [fresh, present] = [9, 7].map(byte => Buffer.alloc(32, byte).toString('base64'))
    const rotated = await startServer({
      beside: server,
      settings: { TRUST_PROXY: '1', SECRET_KEY: `${fresh},${present}` },
    })
    try {
      const { token } = await challenge(rotated, person.email)
      await verify(rotated, token, app.code())
      expect((await sealed()).split('.')[0]).not.toBe(before.split('.')[0])
      const next = await challenge(rotated, person.email)
      await verify(rotated, next.token, codes[0]!, { method: 'RECOVERY_CODE' })
      const third = await challenge(rotated, person.email)
      await expect(
        verify(rotated, third.token, codes[0]!, { method: 'RECOVERY_CODE' }),
      ).rejects.toBeRefused('BAD_USER_INPUT', 'CODE_INVALID')
      await verify(rotated, third.token, app.code(1))
    } finally {
      await rotated.stop()
    }
  })
})
