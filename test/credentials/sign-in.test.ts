import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, post } from '../support/client.ts'
import { delayOf, freshSource, guess, INVALID, SIGN_IN, WRONG } from '../support/guesses.ts'
import { freshEmail, invite, organisation, PASSWORD, type Person } from '../support/people.ts'
import { OPERATOR, startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let admin: Person
let away: Person

beforeAll(async () => {
  // hashes as in production, so that one left out would show in the time
  server = await startServer({
    settings: { ARGON2_MEMORY_KIB: '19456', ARGON2_TIME: '2', TRUST_PROXY: '1' },
  })
  admin = await organisation(server)
  away = await organisation(server)
})
afterAll(() => server.stop())

interface Try {
  email: string
  organisationId?: string
  password?: string
}

/** People who may not come in, each for another reason, though they know their password. */
async function barred(): Promise<[string, Try][]> {
  const owner = async (text: string) => {
    const person = await admin.bring()
    await server.database.owner(text, [
      text.includes('principal') ? person.memberId : person.userId,
    ])
    return { email: person.email }
  }
  const removed = await admin.bring()
  await admin.ask(`mutation ($id: ID!) { removeMember(id: $id) { deletedId } }`, {
    id: removed.memberId,
  })
  const { email, token } = await invite(admin)
  const linkOnly = `mutation ($t: String!) { acceptInvitation(input: { token: $t, newAccount: { firstName: "A", lastName: "" } }) { member { id } } }`
  await ask(server.url, linkOnly, { t: token })
  const plain = (await admin.bring()).email
  return [
    ['a locked member', await owner(`update principal set locked_at = now() where id = $1`)],
    ['a suspended member', await owner(`update principal set status = 'SUSPENDED' where id = $1`)],
    ['an inactive member', await owner(`update principal set status = 'INACTIVE' where id = $1`)],
    ['a locked account', await owner(`update user_account set locked_at = now() where id = $1`)],
    [
      'a suspended account',
      await owner(`update user_account set status = 'SUSPENDED' where id = $1`),
    ],
    [
      'an inactive account',
      await owner(`update user_account set status = 'INACTIVE' where id = $1`),
    ],
    ['a removed member', { email: removed.email, organisationId: admin.organisationId }],
    ['one who was removed everywhere', { email: removed.email }],
    ['an account without a password', { email }],
    ['a member of another organisation', { email: plain, organisationId: away.organisationId }],
  ]
}

test('a sign-in lands in the organisation asked for, else where the person last was', async () => {
  const person = await admin.bring()
  await away.add({ email: person.email })
  const at = async (organisationId?: string) =>
    (await guess(server, person.email, { organisationId })).signIn.session.member.organisation.id
  expect(await at()).toBe(admin.organisationId)
  expect(await at(away.organisationId.toUpperCase())).toBe(away.organisationId)
  expect(await at()).toBe(away.organisationId)
})

test('every failure is the same answer to the last byte, and takes as long as a wrong password', async () => {
  const known = await admin.bring()
  const closed = await barred()
  const cases: [string, Try][] = [
    ['an unknown login', { email: freshEmail('nobody') }],
    ['a wrong password', { email: known.email, password: WRONG }],
    ['an empty password', { email: known.email, password: '' }],
    ...closed,
  ]
  const bodies = new Set<string>()
  const time = async ({ email, organisationId, password = PASSWORD }: Try): Promise<number> => {
    const body = JSON.stringify({
      query: SIGN_IN,
      variables: { input: { email, password, organisationId } },
    })
    const begun = performance.now()
    const answer = await post(server.url, body, { 'x-forwarded-for': freshSource() })
    const taken = performance.now() - begun
    bodies.add(`${answer.status} ${answer.text.replace(answer.headers.get('x-request-id')!, '')}`)
    return taken
  }
  for (const [, each] of cases) await time(each)
  expect(bodies.size).toBe(1)
  expect([...bodies][0]).toContain('"code":"UNAUTHENTICATED","reason":"CREDENTIALS_INVALID"')

  const timed = new Map(
    cases
      .filter(([name]) => /unknown|wrong|locked|without/.test(name))
      .map(([name]) => [name, [] as number[]]),
  )
  for (let round = 0; round < 9; round += 1)
    for (const [name, each] of cases) timed.get(name)?.push(timed.has(name) ? await time(each) : 0)
  const medians = [...timed.values()].map(times => times.toSorted((a, b) => a - b)[4]!)
  expect(medians).toHaveLength(5)
  expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(3)
}, 60_000)

test.each([
  [
    'two aliases',
    `mutation ($i: SignInInput!) { a: signIn(input: $i) { __typename } b: signIn(input: $i) { __typename } }`,
  ],
  [
    'a fragment',
    `mutation ($i: SignInInput!) { ...F a: signIn(input: $i) { __typename } } fragment F on Mutation { signIn(input: $i) { __typename } }`,
  ],
  [
    'two kinds',
    `mutation ($i: SignInInput!) { signIn(input: $i) { __typename } reauthenticate(input: { password: "x" }) { accessToken } }`,
  ],
  [
    'an inline fragment',
    `mutation ($i: SignInInput!) { a: signIn(input: $i) { __typename } ... on Mutation { ... { b: signIn(input: $i) { __typename } } } }`,
  ],
  [
    'two operations',
    `mutation A($i: SignInInput!) { signIn(input: $i) { __typename } } mutation B($i: SignInInput!) { signIn(input: $i) { __typename } }`,
  ],
])(
  'several guesses in one document, by %s, are refused before any is tried',
  async (_how, query) => {
    const email = freshEmail()
    const body = JSON.stringify({
      query,
      operationName: query.includes(' A(') ? 'A' : undefined,
      variables: { i: { email, password: PASSWORD } },
    })
    const { status, json } = await post(server.url, body)
    expect(status).toBe(400)
    expect(json.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
    expect(json.data).toBeUndefined()
  },
)

const GUESSES: Record<string, string> = {
  signIn: `(input: { email: "a@example.com", password: "x" }) { __typename }`,
  verifyMfa: `(input: { challenge: "x", code: "x" }) { __typename }`,
  signInWithMagicLink: `(input: { token: "x" }) { __typename }`,
  reauthenticate: `(input: { password: "x" }) { __typename }`,
  changePassword: `(input: { currentPassword: "x", newPassword: "x" }) { __typename }`,
  resetPassword: `(input: { token: "x", newPassword: "x" }) { __typename }`,
  verifyEmail: `(input: { token: "x" }) { __typename }`,
  removeMfaFactor: `(id: "x", code: "x") { __typename }`,
  confirmTotpEnrolment: `(input: { enrolmentId: "x", code: "x" }) { __typename }`,
  acceptInvitation: `(input: { token: "x" }) { __typename }`,
}

test.each(Object.keys(GUESSES))('%s is tried at most once a document', async name => {
  const another = name === 'signIn' ? 'verifyMfa' : 'signIn'
  for (const other of [name, another]) {
    const query = `mutation { a: ${name}${GUESSES[name]} b: ${other}${GUESSES[other]} }`
    const { status, json } = await post(server.url, JSON.stringify({ query }))
    expect(status).toBe(400)
    expect(json.errors[0].message).toContain('one credential')
  }
  const alone = JSON.stringify({ query: `mutation { ${name}${GUESSES[name]} }` })
  expect((await post(server.url, alone)).json.data).toEqual({ [name]: null })
})

test('what is sensitive needs a recent proof, which renews the tokens', async () => {
  const session = (await guess(server, OPERATOR.email, { password: OPERATOR.password })).signIn
  const bearer = (accessToken: string) => ({
    authorization: `Bearer ${accessToken}`,
    'x-forwarded-for': freshSource(),
  })
  const update = (token: string) =>
    ask(
      server.url,
      `mutation { updatePlatformSettings(input: { failedSignInLimit: 5 }) { settings { failedSignInLimit } } }`,
      {},
      bearer(token),
    )
  const prove = (token: string, password: string | null, headers = bearer(token)) =>
    ask(
      server.url,
      `mutation ($p: String) { reauthenticate(input: { password: $p }) { accessToken refreshToken } }`,
      { p: password },
      headers,
    )
  await update(session.accessToken)
  server.clock.advance({ seconds: 601 })
  const { refreshSession } = await ask(
    server.url,
    `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { accessToken } }`,
    { t: session.refreshToken },
  )
  const stale = refreshSession.accessToken
  await expect(update(stale)).rejects.toBeRefused('STEP_UP_REQUIRED')
  await expect(prove(stale, null)).rejects.toBeRefused('BAD_USER_INPUT', 'REQUIRED')
  await expect(
    ask(server.url, `mutation { reauthenticate(input: { password: "x" }) { accessToken } }`),
  ).rejects.toBeRefused('UNAUTHENTICATED')
  const headers = bearer(stale)
  for (let time = 0; time < 5; time += 1)
    await expect(prove(stale, 'wrong', headers)).rejects.toBeRefused(...INVALID)
  await delayOf(prove(stale, OPERATOR.password, headers))
  const { reauthenticate } = await prove(stale, OPERATOR.password)
  await expect(update(stale)).rejects.toMatchObject({ status: 401 })
  await update(reauthenticate.accessToken)
})

test('proving and reading go together in one document', async () => {
  await admin
    .take((await guess(server, admin.email)).signIn)
    .ask(
      `mutation ($p: String!) { a: updateOrganisation(input: {}) { organisation { members { totalCount } } } reauthenticate(input: { password: $p }) { accessToken } }`,
      { p: PASSWORD },
    )
})
