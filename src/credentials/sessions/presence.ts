import { toDate } from '../../database/columns.ts'
import { sql, type Queries } from '../../database/sql.ts'
import type { Caller } from '../callers/caller.ts'

const EVERY_MS = 60_000
const FLUSH_MS = 5_000
const MOST_WAITING = 10_000

interface Seen {
  sessionId: string | null
  apiKeyId: string | null
  principalId: string | null
  address: string
  at: Date
}

/**
 * Writes down when sessions, keys and members were last seen: at most once a minute each, unless a session may rest
 * for less than two, many at once, and off the path of the requests that were made.
 */
export class Presence {
  readonly #system: Queries
  readonly #onError: (error: unknown) => void
  #waiting = new Map<string, Seen>()
  #timer: NodeJS.Timeout | undefined

  /** @param system queries that run as *system*. */
  constructor(system: Queries, onError: (error: unknown) => void) {
    this.#system = system
    this.#onError = onError
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS)
    this.#timer.unref()
  }

  note(
    { viewer, session, lastActiveAt }: Pick<Caller, 'viewer' | 'session' | 'lastActiveAt'>,
    address: string,
    now: Date,
  ): void {
    const seen = lastActiveAt.getTime()
    // a session that may rest for a minute only would otherwise run out while it is in use
    const idle = session ? toDate(session.idleExpiresAt).getTime() - seen : Infinity
    const every = Math.min(EVERY_MS, idle / 2)
    if (now.getTime() - seen < every || this.#waiting.size >= MOST_WAITING) return
    const { sessionId, apiKeyId, principalId } = viewer
    const credential = sessionId ?? apiKeyId
    if (credential)
      this.#waiting.set(credential, { sessionId, apiKeyId, principalId, address, at: now })
  }

  async flush(): Promise<void> {
    if (!this.#waiting.size) return
    const seen = [...this.#waiting.values()]
    this.#waiting = new Map()
    const members = seen.filter(each => each.principalId)
    const sessions = seen.filter(each => each.sessionId)
    const keys = seen.filter(each => each.apiKeyId)
    try {
      await this.#system.rows(sql`
        update session s set last_active_at = n.at
        from unnest(${sessions.map(each => each.sessionId)}::uuid[], ${sessions.map(each => each.at)}::timestamptz[]) as n (id, at)
        where s.id = n.id and s.last_active_at < n.at and s.ended_at is null`)
      await this.#system.rows(sql`
        update api_key k set last_used_at = n.at, last_used_ip_address = n.address
        from unnest(${keys.map(each => each.apiKeyId)}::uuid[], ${keys.map(each => each.at)}::timestamptz[],
          ${keys.map(each => each.address)}::text[]) as n (id, at, address)
        where k.id = n.id and (k.last_used_at is null or k.last_used_at < n.at)`)
      await this.#system.rows(sql`
        update principal p set last_active_at = n.at
        from unnest(${members.map(each => each.principalId)}::uuid[], ${members.map(each => each.at)}::timestamptz[]) as n (id, at)
        where p.id = n.id and p.last_active_at < n.at`)
    } catch (error) {
      this.#onError(error)
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
  }
}
