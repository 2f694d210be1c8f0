import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  Authenticator,
  challenge,
  CONFIRM,
  enrol,
  signInWith,
  verify,
} from '../support/authenticator.ts'
import { ask } from '../support/client.ts'
import { freshSource, guess } from '../support/guesses.ts'
import { mailsTo } from '../support/mailbox.ts'
import { organisation, PASSWORD, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startServer({ settings: { TRUST_PROXY: '1' } })
  admin = await organisation(server)
})
afterAll(() => server.stop())

const CODE_INVALID = ['BAD_USER_INPUT', 'CODE_INVALID'] as const
const TOKEN_INVALID = ['BAD_USER_INPUT', 'TOKEN_INVALID'] as const
const START = `mutation { startTotpEnrolment(name: "Phone") { id secret uri qrCode expiresAt } }`
const MFA = `{ me { mfa { enabled required recoveryCodesRemaining factors { id name method createdAt lastUsedAt } } } }`

/** Somebody new with an authenticator; the clock may have moved since the administrator signed in. */
async function somebody(): Promise<{ person: Person; app: Authenticator; codes: string[] }> {
  const person = await newcomer()
  const { app, recoveryCodes } = await enrol(person)
  return { person, app, codes: recoveryCodes! }
}

async function newcomer(): Promise<Person> {
  const again = await signIn(server, admin.email)
  admin.take({
    ...again,
    session: {
      id: again.sessionId,
      member: { id: again.memberId, organisation: { id: again.organisationId } },
    },
  })
  return admin.bring()
}

async function refreshed(person: Person): Promise<void> {
  const { refreshSession } = await ask(
    server.url,
    `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { accessToken refreshToken } }`,
    { t: person.refreshToken },
  )
  Object.assign(person, refreshSession)
}

describe('enrolment', () => {
  test('shows a seed, its address and picture once, and counts for nothing before it is confirmed', async () => {
    const person = await newcomer()
    const { startTotpEnrolment: begun } = await person.ask(START)
    expect(begun.secret).toMatch(/^[A-Z2-7]{32}$/)
    const uri = new URL(begun.uri)
    expect(uri.href).toMatch(/^otpauth:\/\/totp\/Gatehouse:/)
    expect(decodeURIComponent(uri.pathname)).toContain(person.email)
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      secret: begun.secret,
      issuer: 'Gatehouse',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    })
    expect(begun.qrCode).toMatch(/^data:image\/svg\+xml;base64,/)
    const svg = Buffer.from(begun.qrCode.split(',')[1], 'base64').toString()
    expect(svg).toMatch(/^<svg xmlns/)
    expect((await person.ask(MFA)).me.mfa).toEqual({
      enabled: false,
      required: false,
      recoveryCodesRemaining: 0,
      factors: [],
    })
    expect((await challenge(server, person.email)).__typename).toBe('Authenticated')
    const [row] = await server.database.owner(`select sealed_seed from totp_factor where id = $1`, [
      begun.id,
    ])
    expect(String(row!.sealed_seed)).not.toContain(begun.secret)
  })

  test('is confirmed by a code, brings ten recovery codes once, ends other sessions and tells its owner', async () => {
    const person = await newcomer()
    const other = await signIn(server, person.email)
    const { startTotpEnrolment: begun } = await person.ask(START)
    const app = new Authenticator(server, begun.id, begun.secret)
    await expect(
      person.ask(CONFIRM, { input: { enrolmentId: begun.id, code: app.wrong() } }),
    ).rejects.toBeRefused(...CODE_INVALID)
    const { confirmTotpEnrolment: done } = await person.ask(CONFIRM, {
      input: { enrolmentId: begun.id, code: app.code() },
    })
    expect(new Set(done.recoveryCodes).size).toBe(10)
    for (const code of done.recoveryCodes) expect(code).toMatch(/^[0-9a-z]{5}-[0-9a-z]{5}$/)
    expect(done.mfa).toMatchObject({
      enabled: true,
      recoveryCodesRemaining: 10,
      factors: [{ id: begun.id, name: 'Phone', method: 'TOTP' }],
    })
    const { me } = await person.ask(
      `{ me { mfa { enabled } sessions { nodes { current mfaVerifiedAt } } } }`,
    )
    expect(me.sessions.nodes).toEqual([{ current: true, mfaVerifiedAt: expect.any(String) }])
    await expect(other.ask(MFA)).rejects.toMatchObject({ status: 401 })
    expect((await mailsTo(server, person.email, 2))[0]!.subject).toBe(
      'Two-step sign-in was turned on',
    )
    // once confirmed it is over
    await expect(
      person.ask(CONFIRM, { input: { enrolmentId: begun.id, code: app.code(1) } }),
    ).rejects.toBeRefused('NOT_FOUND')
    const stored = await server.database.owner(
      `select digest from recovery_code where user_id = $1`,
      [person.userId],
    )
    for (const { digest } of stored) expect(done.recoveryCodes.join()).not.toContain(String(digest))
  })

  test('begun anew discards the one before; foreign, expired and unknown ones are not found', async () => {
    const person = await newcomer()
    const stranger = await newcomer()
    const { startTotpEnrolment: first } = await person.ask(START)
    const { startTotpEnrolment: second } = await person.ask(START)
    const confirm = (who: Person, { id, secret }: { id: string; secret: string }) =>
      who.ask(CONFIRM, {
        input: { enrolmentId: id, code: new Authenticator(server, id, secret).code() },
      })
    await expect(confirm(person, first)).rejects.toBeRefused('NOT_FOUND')
    await expect(confirm(stranger, second)).rejects.toBeRefused('NOT_FOUND')
    server.clock.advance({ seconds: 601 })
    await refreshed(person)
    await expect(confirm(person, second)).rejects.toBeRefused('NOT_FOUND')
    await expect(person.ask(START)).rejects.toBeRefused('STEP_UP_REQUIRED')
  })
})

describe('a code that confirmed an enrolment', () => {
  test('is used up, and wrong ones are counted', async () => {
    const person = await newcomer()
    const { startTotpEnrolment: begun } = await person.ask(START)
    const app = new Authenticator(server, begun.id, begun.secret)
    const source = freshSource()
    const confirm = (code: string) =>
      ask(
        server.url,
        CONFIRM,
        { input: { enrolmentId: begun.id, code } },
        { authorization: `Bearer ${person.accessToken}`, 'x-forwarded-for': source },
      )
    for (let time = 0; time < 5; time += 1)
      await expect(confirm(app.wrong())).rejects.toBeRefused(...CODE_INVALID)
    await expect(confirm(app.code())).rejects.toBeRefused('RATE_LIMITED')
    server.clock.advance({ seconds: 31 })
    const code = app.code()
    await confirm(code)
    const { token } = await challenge(server, person.email)
    await expect(verify(server, token, code)).rejects.toBeRefused(...CODE_INVALID)
    await verify(server, token, app.code(1))
  })
})

describe('a session that never proved the factor of its account', () => {
  test('adds none and renews no recovery codes', async () => {
    const { person, app } = await somebody()
    await server.database.owner(`update platform_settings set mfa_enabled = false`)
    const session = await signIn(server, person.email)
    await server.database.owner(`update platform_settings set mfa_enabled = true`)
    await session.ask(MFA)
    await expect(session.ask(START)).rejects.toBeRefused('MFA_REQUIRED')
    await expect(
      session.ask(`mutation { regenerateRecoveryCodes { recoveryCodes } }`),
    ).rejects.toBeRefused('MFA_REQUIRED')
    const { reauthenticate } = await session.ask(
      `mutation ($code: String!) { reauthenticate(input: { code: $code }) { accessToken } }`,
      { code: app.fresh() },
    )
    session.accessToken = reauthenticate.accessToken
    await session.ask(START)
  })
})

test('the name of the platform stands in the address that an app reads', async () => {
  await server.database.owner(`update platform_settings set mfa_issuer = 'Acme: Ärzte & Co'`)
  try {
    const { startTotpEnrolment: begun } = await (await newcomer()).ask(START)
    const uri = new URL(begun.uri)
    expect(uri.searchParams.get('issuer')).toBe('Acme: Ärzte & Co')
    expect(uri.pathname).toContain(`${encodeURIComponent('Acme: Ärzte & Co')}:`)
  } finally {
    await server.database.owner(`update platform_settings set mfa_issuer = 'Gatehouse'`)
  }
})

describe('signing in', () => {
  test('asks for the second factor, and the session says so in its tokens', async () => {
    const { person, app } = await somebody()
    const asked = await challenge(server, person.email)
    expect(asked).toMatchObject({ __typename: 'MfaChallenge', methods: ['TOTP', 'RECOVERY_CODE'] })
    const left = new Date(asked.expiresAt).getTime() - server.clock.now().getTime()
    expect(left).toBeGreaterThan(290_000)
    expect(left).toBeLessThanOrEqual(300_000)
    const code = app.fresh()
    const session = await verify(server, asked.token, `${code.slice(0, 3)} ${code.slice(3)}`)
    expect(decodeJwt(session.accessToken)).toMatchObject({
      amr: ['pwd', 'otp', 'mfa'],
      acr: '2',
      org: admin.organisationId,
    })
    await expect(verify(server, asked.token, app.fresh())).rejects.toBeRefused(...TOKEN_INVALID)
  })

  test('takes codes of the step before, the present and the next one, and no others', async () => {
    const { person, app } = await somebody()
    for (const [steps, taken] of [
      [-2, false],
      [2, false],
      [-1, true],
      [0, true],
      [1, true],
    ] as const) {
      if (steps === -1) server.clock.advance({ seconds: 90 })
      const { token } = await challenge(server, person.email)
      const answer = verify(server, token, app.code(steps))
      if (taken) await answer
      else await expect(answer).rejects.toBeRefused(...CODE_INVALID)
    }
  })

  test('takes a recovery code once, however it is written, and says so by mail', async () => {
    const { person, codes } = await somebody()
    const { token } = await challenge(server, person.email)
    const typed = ` ${codes[0]!.toUpperCase().replace('-', ' – ')} `
    await expect(verify(server, token, typed)).rejects.toBeRefused(...CODE_INVALID)
    const session = await verify(server, token, typed, { method: 'RECOVERY_CODE' })
    expect((await session.ask(MFA)).me.mfa.recoveryCodesRemaining).toBe(9)
    const mails = await mailsTo(server, person.email, 4)
    const mail = mails.find(({ subject }) => subject === 'A recovery code was used')
    expect(mail!.text).toContain('9 left')
    const next = await challenge(server, person.email)
    await expect(
      verify(server, next.token, codes[0]!, { method: 'RECOVERY_CODE' }),
    ).rejects.toBeRefused(...CODE_INVALID)
    await verify(server, next.token, codes[1]!, { method: 'RECOVERY_CODE' })
  })

  test('a challenge is bound to its account, runs out, and is no token of any other kind', async () => {
    const { person, app } = await somebody()
    const { app: strange } = await somebody()
    const { token } = await challenge(server, person.email)
    await expect(verify(server, token, strange.code())).rejects.toBeRefused(...CODE_INVALID)
    await expect(
      ask(server.url, MFA, {}, { authorization: `Bearer ${token}` }),
    ).rejects.toMatchObject({ status: 401 })
    for (const document of [
      `refreshSession(input: { refreshToken: $t }) { accessToken }`,
      `acceptInvitation(input: { token: $t }) { member { id } }`,
      `resetPassword(input: { token: $t, newPassword: "${PASSWORD} anew" }) { email }`,
    ])
      await expect(
        ask(server.url, `mutation ($t: String!) { ${document} }`, { t: token }),
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^(UNAUTHENTICATED|BAD_USER_INPUT)$/),
      })
    await expect(verify(server, person.refreshToken, app.fresh())).rejects.toBeRefused(
      ...TOKEN_INVALID,
    )
    server.clock.advance({ seconds: 301 })
    await expect(verify(server, token, app.fresh())).rejects.toBeRefused(...TOKEN_INVALID)
  })

  test('a lock, a suspension and a removal since the password was right are refused like a wrong login', async () => {
    for (const verb of ['lockMember', 'suspendMember', 'removeMember']) {
      const { person, app } = await somebody()
      const { token } = await challenge(server, person.email, {
        organisationId: admin.organisationId,
      })
      await admin.ask(`mutation ($id: ID!) { ${verb}(id: $id) { __typename } }`, {
        id: person.memberId,
      })
      await expect(verify(server, token, app.fresh())).rejects.toBeRefused(
        'UNAUTHENTICATED',
        'CREDENTIALS_INVALID',
      )
    }
  })

  test('a password that was replaced since ends the challenge', async () => {
    const { person, app } = await somebody()
    const { token } = await challenge(server, person.email)
    await server.database.owner(`update user_account set password_changed_at = $2 where id = $1`, [
      person.userId,
      server.clock.now(),
    ])
    await expect(verify(server, token, app.fresh())).rejects.toBeRefused(...TOKEN_INVALID)
  })
})

describe('proving again', () => {
  const REAUTHENTICATE = `mutation ($input: ReauthenticateInput!) { reauthenticate(input: $input) { accessToken session { mfaVerifiedAt } } }`

  test('takes a code of an account that has a second factor, and not its password', async () => {
    const { person, app, codes } = await somebody()
    await expect(person.ask(REAUTHENTICATE, { input: { password: PASSWORD } })).rejects.toBeRefused(
      'MFA_REQUIRED',
    )
    await expect(person.ask(REAUTHENTICATE, { input: { code: app.wrong() } })).rejects.toBeRefused(
      ...CODE_INVALID,
    )
    for (const code of [app.fresh(), codes[3]!]) {
      const { reauthenticate } = await person.ask(REAUTHENTICATE, { input: { code } })
      person.accessToken = reauthenticate.accessToken
    }
    const other = await newcomer()
    await expect(other.ask(REAUTHENTICATE, { input: { code: app.code() } })).rejects.toBeRefused(
      ...CODE_INVALID,
    )
    await expect(other.ask(REAUTHENTICATE, { input: {} })).rejects.toBeRefused(
      'BAD_USER_INPUT',
      'REQUIRED',
    )
  })

  test('is refused to who is locked, here or everywhere, whatever they prove', async () => {
    const { person, app } = await somebody()
    await admin.ask(`mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, {
      id: person.memberId,
    })
    await expect(person.ask(REAUTHENTICATE, { input: { code: app.fresh() } })).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    const plain = await newcomer()
    const careful = await somebody()
    for (const { userId } of [plain, careful.person])
      await server.database.owner(`update user_account set locked_at = now() where id = $1`, [
        userId,
      ])
    await expect(plain.ask(REAUTHENTICATE, { input: { password: PASSWORD } })).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
    await expect(
      careful.person.ask(REAUTHENTICATE, { input: { code: careful.app.fresh() } }),
    ).rejects.toBeRefused('UNAUTHENTICATED', 'CREDENTIALS_INVALID')
  })
})

describe('managing factors', () => {
  const REMOVE = `mutation ($id: ID!, $code: String!) { removeMfaFactor(id: $id, code: $code) { mfa { enabled recoveryCodesRemaining factors { id } } recoveryCodes } }`

  test('a second authenticator does as well as the first, brings no codes, and goes by a code of its own', async () => {
    const { person, app } = await somebody()
    const { app: tablet, recoveryCodes } = await enrol(person, 'Tablet')
    expect(recoveryCodes).toBeNull()
    const again = await signInWith(server, person.email, tablet)
    await signInWith(server, person.email, app)
    await expect(again.ask(REMOVE, { id: tablet.id, code: app.code(1) })).rejects.toBeRefused(
      ...CODE_INVALID,
    )
    const { removeMfaFactor } = await again.ask(REMOVE, { id: tablet.id, code: tablet.fresh() })
    expect(removeMfaFactor).toEqual({
      mfa: { enabled: true, recoveryCodesRemaining: 10, factors: [{ id: app.id }] },
      recoveryCodes: null,
    })
    const [row] = await server.database.owner(`select sealed_seed from totp_factor where id = $1`, [
      tablet.id,
    ])
    expect(row!.sealed_seed).toBe('')
    const { token } = await challenge(server, person.email)
    await expect(verify(server, token, tablet.fresh())).rejects.toBeRefused(...CODE_INVALID)
  })

  test('a code goes for one thing: what proved somebody removes nothing, and what removed one proves nothing', async () => {
    const { person, app, codes } = await somebody()
    const { app: tablet } = await enrol(person, 'Tablet')
    const prove = (code: string) =>
      person.ask(
        `mutation ($code: String!) { reauthenticate(input: { code: $code }) { accessToken } }`,
        { code },
      )
    const code = tablet.fresh()
    person.accessToken = (await prove(code)).reauthenticate.accessToken
    await expect(person.ask(REMOVE, { id: tablet.id, code })).rejects.toBeRefused(...CODE_INVALID)
    await person.ask(REMOVE, { id: tablet.id, code: codes[0]! })
    await expect(prove(codes[0]!)).rejects.toBeRefused(...CODE_INVALID)
    const last = app.fresh()
    await prove(last)
    const { token } = await challenge(server, person.email)
    await expect(verify(server, token, last)).rejects.toBeRefused(...CODE_INVALID)
  })

  test('the last one takes the recovery codes with it, and signing in asks for no more', async () => {
    const { person, app, codes } = await somebody()
    const other = await signInWith(server, person.email, app)
    await expect(other.ask(REMOVE, { id: person.userId, code: app.code(1) })).rejects.toBeRefused(
      'NOT_FOUND',
    )
    const stranger = await somebody()
    await expect(
      stranger.person.ask(REMOVE, { id: app.id, code: stranger.app.fresh() }),
    ).rejects.toBeRefused('NOT_FOUND')
    const { removeMfaFactor } = await other.ask(REMOVE, { id: app.id, code: codes[9]! })
    expect(removeMfaFactor.mfa).toEqual({ enabled: false, recoveryCodesRemaining: 0, factors: [] })
    await expect(person.ask(MFA)).rejects.toMatchObject({ status: 401 })
    expect((await challenge(server, person.email)).__typename).toBe('Authenticated')
    const subjects = (await mailsTo(server, person.email, 4)).map(mail => mail.subject)
    expect(subjects).toContain('Two-step sign-in was turned off')
  })

  test('fresh recovery codes void all earlier ones; without a factor there are none', async () => {
    const { person, app, codes } = await somebody()
    const RENEW = `mutation { regenerateRecoveryCodes { recoveryCodes mfa { recoveryCodesRemaining } } }`
    const { regenerateRecoveryCodes: renewed } = await person.ask(RENEW)
    expect(renewed.recoveryCodes).toHaveLength(10)
    expect(renewed.mfa.recoveryCodesRemaining).toBe(10)
    const { token } = await challenge(server, person.email)
    const answer = { method: 'RECOVERY_CODE' } as const
    await expect(verify(server, token, codes[0]!, answer)).rejects.toBeRefused(...CODE_INVALID)
    await verify(server, token, renewed.recoveryCodes[0], answer)
    await expect((await newcomer()).ask(RENEW)).rejects.toBeRefused('CONFLICT', 'STATE_MISMATCH')
    server.clock.advance({ seconds: 601 })
    const stale = await signInWith(server, person.email, app)
    server.clock.advance({ seconds: 601 })
    await refreshed(stale)
    await expect(stale.ask(RENEW)).rejects.toBeRefused('STEP_UP_REQUIRED')
  })

  test('a neighbour, an administrator and an operator do not see a seed or a code anywhere', async () => {
    const { person } = await somebody()
    const { node } = await person.ask(`query ($id: ID!) { node(id: $id) { id } }`, {
      id: person.userId,
    })
    expect(node.id).toBe(person.userId)
  })
})

test('switched off on the platform, nobody is asked, and nobody enrols', async () => {
  const { person } = await somebody()
  await server.database.owner(`update platform_settings set mfa_enabled = false`)
  try {
    const answer = await challenge(server, person.email)
    expect(answer.__typename).toBe('Authenticated')
    const plain = await signIn(server, person.email)
    await expect(plain.ask(START)).rejects.toBeRefused('FORBIDDEN', 'POLICY_FORBIDS')
  } finally {
    await server.database.owner(`update platform_settings set mfa_enabled = true`)
  }
})

test('a guess from a blocked source is not looked at', async () => {
  const { person, app } = await somebody()
  const source = freshSource()
  for (let time = 0; time < 5; time += 1) {
    const { token } = await challenge(server, person.email, { source: freshSource() })
    await expect(verify(server, token, app.wrong(), { source })).rejects.toBeRefused(
      ...CODE_INVALID,
    )
  }
  const { token } = await challenge(server, person.email)
  const answer = (from: string) => verify(server, token, app.code(1), { source: from })
  await expect(answer(source)).rejects.toBeRefused('RATE_LIMITED')
  await answer(freshSource())
  await expect(guess(server, person.email, { password: 'no', source })).rejects.toBeRefused(
    'UNAUTHENTICATED',
  )
})
