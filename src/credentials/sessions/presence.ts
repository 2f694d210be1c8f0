import { sql, type Queries } from '../../database/sql.ts'

const EVERY_MS = 60_000
const FLUSH_MS = 5_000
const MOST_WAITING = 10_000

interface Seen {
  sessionId: string
  principalId: string | null
  at: Date
}

/**
 * Writes down when sessions and members were last seen: at most once a minute each, many at once, and off the path
 * of the requests that were made.
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

  note(sessionId: string, principalId: string | null, last: Date, now: Date): void {
    if (now.getTime() - last.getTime() < EVERY_MS || this.#waiting.size >= MOST_WAITING) return
    this.#waiting.set(sessionId, { sessionId, principalId, at: now })
  }

  async flush(): Promise<void> {
    if (!this.#waiting.size) return
    const seen = [...this.#waiting.values()]
    this.#waiting = new Map()
    const members = seen.filter(each => each.principalId)
    try {
      await this.#system.rows(sql`
        update session s set last_active_at = n.at
        from unnest(${seen.map(each => each.sessionId)}::uuid[], ${seen.map(each => each.at)}::timestamptz[]) as n (id, at)
        where s.id = n.id and s.last_active_at < n.at and s.ended_at is null`)
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
