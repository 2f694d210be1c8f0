import { createHmac, randomBytes } from 'node:crypto'
import {
  exportSPKI,
  generateKeyPair,
  importJWK,
  SignJWT,
  UnsecuredJWT,
  type CryptoKey,
  type JWK,
} from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask, post } from '../support/client.ts'
import { organisation, signIn, type Person } from '../support/people.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
let person: Person
let published: JWK & { kid: string }
let signer: CryptoKey

beforeAll(async () => {
  server = await startServer()
  person = await organisation(server)
  const set = (await (await fetch(`${server.url}/.well-known/jwks.json`)).json()) as {
    keys: (JWK & { kid: string })[]
  }
  published = set.keys[0]!
  // a node's own key, so that each token below is wrong in one respect alone
  const jwk = JSON.parse(
    server.app.node.server.keys.open(
      'signing key',
      String(
        (await server.database.owner(`select sealed_private_key from signing_key`))[0]!
          .sealed_private_key,
      ),
    ),
  ) as JWK
  signer = (await importJWK(jwk, 'EdDSA')) as CryptoKey
})
afterAll(() => server.stop())

const BODY = JSON.stringify({ query: '{ viewer { operator } }' })
const send = (authorization: string) => post(server.url, BODY, { authorization })

async function expectRefused(authorization: string) {
  const { status, headers, json } = await send(authorization)
  expect(status, authorization.slice(0, 200)).toBe(401)
  expect(headers.get('www-authenticate')).toMatch(/^Bearer\b/)
  expect(json).toEqual({
    errors: [
      {
        message: expect.any(String),
        extensions: {
          code: 'UNAUTHENTICATED',
          reason: 'SESSION_ENDED',
          requestId: headers.get('x-request-id'),
        },
      },
    ],
  })
}

interface Changes {
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
  key?: CryptoKey | Uint8Array
}

/** A token like the person's own, but for some changes. */
function forge({ claims = {}, header = {}, key = signer }: Changes = {}): Promise<string> {
  const now = Math.floor(server.clock.now().getTime() / 1000)
  const own = {
    sub: person.userId,
    sid: person.sessionId,
    gen: 0,
    iss: server.url,
    aud: server.url,
    iat: now,
    exp: now + 600,
  }
  return new SignJWT({ ...own, ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: published.kid, ...header })
    .sign(key, { crit: { 'urn:x': true } })
}

test('a token that is right in every respect is taken, so that those below fail for what is wrong with them', async () => {
  expect((await send(`Bearer ${await forge()}`)).json.data.viewer).toEqual({ operator: false })
  expect((await send(`bearer ${person.accessToken}`)).status).toBe(200)
  expect(published).toMatchObject({ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' })
  expect(published).not.toHaveProperty('d')
})

test.each<[string, () => Changes]>([
  ['type', () => ({ header: { typ: 'JWT' } })],
  ['type left out', () => ({ header: { typ: undefined } })],
  ['issuer', () => ({ claims: { iss: 'https://evil.example' } })],
  ['issuer left out', () => ({ claims: { iss: undefined } })],
  ['audience', () => ({ claims: { aud: 'https://other.example' } })],
  ['audience left out', () => ({ claims: { aud: undefined } })],
  ['end, which has passed', () => ({ claims: { exp: 1 } })],
  ['end left out', () => ({ claims: { exp: undefined } })],
  ['end that is no number', () => ({ claims: { exp: 'never' } })],
  ['session', () => ({ claims: { sid: '01920000-0000-7000-8000-000000000000' } })],
  ['session that is no id', () => ({ claims: { sid: "' or true --" } })],
  ['session that is a list', () => ({ claims: { sid: [person.sessionId] } })],
  ['person', () => ({ claims: { sub: '01920000-0000-7000-8000-000000000000' } })],
  ['person left out', () => ({ claims: { sub: undefined } })],
  ['generation', () => ({ claims: { gen: 1 } })],
  ['generation as text', () => ({ claims: { gen: '0' } })],
  ['key id', () => ({ header: { kid: 'foreign' } })],
  ['key id left out', () => ({ header: { kid: undefined } })],
  ['key id that is no text', () => ({ header: { kid: { toString: 'x' } } })],
  [
    'beginning, which is to come',
    () => ({ claims: { nbf: Math.floor(server.clock.now().getTime() / 1000) + 600 } }),
  ],
  ['critical header', () => ({ header: { crit: ['urn:x'], 'urn:x': 1 } })],
])('a token with another %s is refused', async (_what, changes) => {
  await expectRefused(`Bearer ${await forge(changes())}`)
})

test('a token signed by another key, by none, or by the public key as a secret is refused', async () => {
  const foreign = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
  await expectRefused(`Bearer ${await forge({ key: foreign.privateKey })}`)
  await expectRefused(
    `Bearer ${await forge({ key: foreign.privateKey, header: { jwk: published } })}`,
  )
  // a key that the token itself brings, or says where to fetch, is never looked at
  for (const name of ['jku', 'x5u'])
    await expectRefused(
      `Bearer ${await forge({
        key: foreign.privateKey,
        header: { [name]: `${server.url}/.well-known/jwks.json`, kid: 'theirs' },
      })}`,
    )
  const [head, claims] = (await forge()).split('.') as [string, string]
  const payload = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>
  await expectRefused(`Bearer ${new UnsecuredJWT(payload).encode()}`)
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const publicKey = (await importJWK(published, 'EdDSA')) as CryptoKey
  const secrets = [
    await exportSPKI(publicKey),
    published.x!,
    Buffer.from(published.x!, 'base64url'),
    JSON.stringify(published),
    published.kid,
  ]
  for (const alg of ['HS256', 'EdDSA', 'none', 'None', 'ES256']) {
    const header = encode({ alg, typ: 'at+jwt', kid: published.kid })
    await expectRefused(`Bearer ${header}.${claims}.`)
    for (const secret of secrets)
      await expectRefused(
        `Bearer ${header}.${claims}.${createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url')}`,
      )
  }
  await expectRefused(
    `Bearer ${head}.${encode({ ...payload, sub: 'x' })}.${(await forge()).split('.')[2]}`,
  )
})

test('two hundred malformed headers are refused alike, and none is a fault of ours', async () => {
  const token = person.accessToken
  const some = [
    '',
    ' ',
    'Bearer',
    'Bearer ',
    `Basic ${Buffer.from('a:b').toString('base64')}`,
    token,
    `Token ${token}`,
    `Bearer  ${token}`,
  ]
  some.push(
    `Bearer ${token} `.repeat(2),
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${token}.`,
    `Bearer .${token}`,
    'Bearer ..',
    'Bearer a.b.c',
  )
  some.push(
    `Bearer ${token.replaceAll('.', '..')}`,
    `Bearer ${'a'.repeat(9_000)}`,
    `Bearer ${'.'.repeat(500)}`,
    'Bearer null',
    'Bearer undefined',
  )
  some.push(
    'Bearer eyJ9.e30.',
    `Bearer ${Buffer.from('{"alg":"EdDSA"').toString('base64url')}.e30.x`,
    `Bearer ${person.refreshToken}`,
  )
  for (let cut = 1; some.length < 130; cut += 7) some.push(`Bearer ${token.slice(0, -cut)}`)
  // a change in the last character of a part may leave its bytes as they are
  for (let at = 2; some.length < 180; at += 9)
    some.push(`Bearer ${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`)
  while (some.length < 200)
    some.push(`Bearer ${randomBytes(1 + some.length).toString('base64url')}`)
  const statuses = await Promise.all(some.map(async header => (await send(header)).status))
  expect(statuses.filter(status => status !== 401)).toEqual([])
  for (const header of some.slice(0, 24)) await expectRefused(header)
  expect(server.log.filter(line => line.includes('a request failed'))).toEqual([])
})

test('a token is refused once its time or its session is over, though it was taken before', async () => {
  const session = await signIn(server, person.email)
  await session.ask(`{ viewer { operator } }`)
  server.clock.advance({ seconds: 590 })
  await session.ask(`{ viewer { operator } }`)
  server.clock.advance({ seconds: 10 })
  await expectRefused(`Bearer ${session.accessToken}`)
  person.take({ ...(await renew(person.refreshToken)) })
})

const renew = async (refreshToken: string) =>
  (
    await ask(
      server.url,
      `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) {
    accessToken refreshToken session { id member { id organisation { id } } } } }`,
      { t: refreshToken },
    )
  ).refreshSession

test('what is no refresh token of ours is refused, and harms no session', async () => {
  const victim = await signIn(server, person.email)
  const bytes = Buffer.from(victim.refreshToken.slice(3), 'base64url')
  const changed = (at: number, by = 1) => {
    const copy = Buffer.from(bytes)
    copy[at] = copy[at]! ^ by
    return `gr_${copy.toString('base64url')}`
  }
  const later = Buffer.from(bytes)
  later.writeUInt32BE(7, 16)
  const some = [
    '',
    'gr_',
    victim.accessToken,
    `gr_${randomBytes(52).toString('base64url')}`,
    `gk_${victim.refreshToken.slice(3)}`,
  ]
  some.push(
    victim.refreshToken.slice(3),
    victim.refreshToken.slice(0, -2),
    `${victim.refreshToken}AA`,
    `gr_${later.toString('base64url')}`,
  )
  some.push(...[0, 8, 15, 16, 19, 20, 36, 51].map(at => changed(at)), '\u0000', 'x'.repeat(50_000))
  for (const token of some)
    await expect(renew(token), token.slice(0, 100)).rejects.toBeRefused(
      'UNAUTHENTICATED',
      'CREDENTIALS_INVALID',
    )
  await victim.ask(`{ viewer { operator } }`)
  await renew(victim.refreshToken)
  // a stale access token beside it is refused first: clients leave it out
  await expect(
    ask(
      server.url,
      `mutation { refreshSession { accessToken } }`,
      {},
      { authorization: 'Bearer stale' },
    ),
  ).rejects.toMatchObject({ status: 401, code: 'UNAUTHENTICATED' })
})
