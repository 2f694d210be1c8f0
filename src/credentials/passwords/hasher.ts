import { hash as argon2id, parseOptions, verify } from '@node-rs/argon2'
import pLimit, { type LimitFunction } from 'p-limit'
import { unavailable } from '../../shared/errors.ts'

export interface HasherOptions {
  /** KiB. */
  memory: number
  passes: number
  /** Hashes computed at once. */
  concurrency: number
}

const QUEUE_PER_SLOT = 200

/**
 * Hashes and compares passwords with argon2id (RFC 9106). A hash takes memory and a core on purpose, so few run at
 * once and only so many wait: beyond that callers are asked to come back, and everything else stays fast.
 */
export class PasswordHasher {
  readonly #options: HasherOptions
  readonly #limit: LimitFunction
  #decoy: Promise<string> | undefined
  readonly #renewals = new Set<Promise<unknown>>()

  constructor(options: HasherOptions) {
    this.#options = options
    this.#limit = pLimit(options.concurrency)
  }

  /** @throws {AppError} `SERVICE_UNAVAILABLE` while too many wait. */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => this.#hash(password))
  }

  /**
   * Compares; without a hash it compares with a decoy, so that an unknown login takes as long as a known one.
   *
   * @throws {AppError} `SERVICE_UNAVAILABLE` while too many wait.
   */
  async verify(hash: string | null | undefined, password: string): Promise<boolean> {
    this.#decoy ??= this.#hash('a decoy, which nobody ever set')
    const against = hash ?? (await this.#decoy)
    const same = await this.#inTurn(() => verify(against, password))
    return same && hash != null
  }

  /**
   * Has a password that was right hashed anew where the settings have grown since, beside the request: nobody waits for
   * it. What `keep` writes must be one statement that leaves a password set meanwhile alone.
   */
  renew(hash: string, password: string, keep: (fresh: string) => Promise<unknown>): void {
    if (!this.#hasGrownSince(hash)) return
    const work = (async () => {
      const fresh = await this.#inTurn(() => this.#hash(password))
      await keep(fresh)
    })()
      // the old hash is as right as before, and the next sign-in tries again
      .catch(() => undefined)
      .finally(() => this.#renewals.delete(work))
    this.#renewals.add(work)
  }

  /** How many hashes are computed at the moment, and how many wait. */
  get load(): { active: number; waiting: number } {
    return { active: this.#limit.activeCount, waiting: this.#limit.pendingCount }
  }

  /** Waits for what goes on beside requests. */
  async settle(): Promise<void> {
    await Promise.all(this.#renewals)
  }

  #hasGrownSince(hash: string): boolean {
    const { memoryCost, timeCost } = parseOptions(hash)
    return memoryCost < this.#options.memory || timeCost < this.#options.passes
  }

  #hash(password: string): Promise<string> {
    const { memory, passes } = this.#options
    return argon2id(password, { memoryCost: memory, timeCost: passes, parallelism: 1 })
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#limit.pendingCount >= this.#options.concurrency * QUEUE_PER_SLOT) throw unavailable(2)
    return this.#limit(work)
  }
}
