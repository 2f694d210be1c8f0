import { randomBytes } from 'node:crypto'
import type { Request } from 'autocannon'
import type { Client } from 'pg'
import { refreshToken } from '../../src/credentials/sessions/refresh-token.ts'
import { KeyRing } from '../../src/shared/seal.ts'
import { digest, newId } from '../../src/shared/tokens.ts'
import type { Caller } from './callers.ts'
import type { Scenario } from './load.ts'
import type { ServerProcess } from './processes.ts'

/** Requests are prepared before they are sent: the tokens of as many sessions more are taken. */
const SPARE = 200
const REFRESH = `mutation ($t: String!) { refreshSession(input: { refreshToken: $t }) { accessToken refreshToken } }`

interface Answer {
  errors?: unknown
  data?: { refreshSession: { accessToken: string; refreshToken: string } | null }
}

const sound = (body: unknown): boolean => {
  const { errors, data } = body as Answer
  return errors === undefined && data?.refreshSession?.refreshToken.startsWith('gr_') === true
}

export interface RefreshingOptions {
  server: ServerProcess
  admin: Client
  /** What the server derives refresh tokens from. */
  secret: Buffer
  /** Whose sessions are multiplied. */
  people: Caller[]
}

/** Sessions that renew themselves over and over. */
export const refreshing = (options: RefreshingOptions, connections: number): Scenario => ({
  name: '`refreshSession`',
  server: options.server,
  connections,
  method: 'POST',
  path: '/graphql',
  headers: () => ({}),
  // anew for each run, for what a run cuts off leaves its session without the newest token
  requests: async () => goingOn(await begin(options, connections * 2)),
  sound,
})

/** Many sessions that all renew themselves once, within one second. */
export const refreshingAtOnce = (options: RefreshingOptions, sessions: number): Scenario => ({
  ...refreshing(options, SPARE / 2),
  name: `${sessions.toLocaleString('en')} sessions refresh within a second`,
  burst: sessions,
  requests: async () => once(await begin(options, sessions + SPARE)),
})

const bodyOf = (t: string): string => JSON.stringify({ query: REFRESH, variables: { t } })

/** A session whose token was taken is free again, with the next token, once the answer is there. */
const goingOn = (tokens: string[]): Request[] => [
  {
    method: 'POST',
    setupRequest: request => ({ ...request, body: bodyOf(tokens.shift() ?? '') }),
    onResponse: (_status, body) => {
      const { data } = JSON.parse(body) as Answer
      if (data?.refreshSession) tokens.push(data.refreshSession.refreshToken)
    },
  },
]

const once = (tokens: string[]): Request[] => [
  {
    method: 'POST',
    setupRequest: request => ({ ...request, body: bodyOf(tokens.shift() ?? '') }),
  },
]

/** Writes sessions as a sign-in would, without its hashes, and brings their refresh tokens. */
async function begin(
  { admin, secret, people }: RefreshingOptions,
  count: number,
): Promise<string[]> {
  const ring = new KeyRing([secret])
  const sessions = Array.from({ length: count }, (_, n) => {
    const [id, seed] = [newId(), randomBytes(32).toString('base64url')]
    return { id, seed, token: refreshToken(ring, id, 0, seed), like: people[n % people.length]! }
  })
  await admin.query(
    `insert into session (id, created_at, user_id, organisation_id, principal_id, method, authenticated_at,
       last_active_at, expires_at, refresh_seed, refresh_digest, ip_address, user_agent)
     select n.id, now(), s.user_id, s.organisation_id, s.principal_id, s.method, now(), now(),
       now() + interval '30 days', n.seed, n.digest, s.ip_address, s.user_agent
     from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) as n (id, seed, digest, model)
     join session s on s.id = n.model`,
    [
      sessions.map(each => each.id),
      sessions.map(each => each.seed),
      sessions.map(each => digest(each.token)),
      sessions.map(each => each.like.sessionId),
    ],
  )
  return sessions.map(each => each.token)
}
