import { importJWK, type CryptoKey, type JWK } from 'jose'
import { sql, type Queries } from '../../database/sql.ts'
import { toDate } from '../../database/columns.ts'
import { ConfigError } from '../../shared/config.ts'
import { NoKeyError, type KeyRing } from '../../shared/seal.ts'
import { ALGORITHM, createFirstKey, OVERLAP_MS, SEAL } from './rotation.ts'

const RELOAD_MS = 60_000
/** Tokens that name unknown keys make a node look again, but no oftener than this. */
const LOOK_AGAIN_MS = 2_000

export interface VerifyingKey {
  kid: string
  jwk: JWK
  key: CryptoKey
  /** Signs until then; null for the newest. */
  retiredAt: Date | null
}

interface KeyRow {
  id: string
  publicKey: JWK
  sealedPrivateKey: string
  retiredAt: string | null
}

/**
 * The key pairs that sign access tokens (Ed25519, RFC 8037), shared by all nodes through the database. A node reads
 * them every minute, so that it knows of a new key before that signs.
 */
export class SigningKeys {
  readonly #system: Queries
  readonly #ring: KeyRing
  readonly #clock: () => Date
  #rows: KeyRow[] = []
  #keys = new Map<string, VerifyingKey>()
  readonly #private = new Map<string, CryptoKey>()
  #loadedAt = 0
  #reading: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param system queries that run as *system*. */
  constructor(system: Queries, ring: KeyRing, clock: () => Date) {
    this.#system = system
    this.#ring = ring
    this.#clock = clock
  }

  /**
   * Reads the keys; the first node to find none makes one.
   *
   * @throws {ConfigError} where another `SECRET_KEY` sealed them.
   */
  async load(): Promise<void> {
    await this.read().catch(sayWrongSecret)
    if (!this.#keys.size) {
      await createFirstKey(this.#system, this.#ring, this.#clock())
      await this.read()
    }
    await this.#sealAnew()
  }

  start(onError: (error: unknown) => void): void {
    this.#timer = setInterval(() => void this.read().catch(onError), RELOAD_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** The key that signs now: of those that still sign, the oldest. */
  async signer(): Promise<{ kid: string; key: CryptoKey }> {
    const row = this.#rows.find(each => this.#mayStillSign(each))
    if (!row) throw new Error('There is no signing key.')
    return { kid: row.id, key: await this.#open(row) }
  }

  /** The key that a token names, or null: an unknown one is looked for again, though not for every token. */
  async find(kid: string): Promise<VerifyingKey | null> {
    if (!this.#keys.has(kid)) {
      if (Date.now() - this.#loadedAt > LOOK_AGAIN_MS) await this.read()
      else await this.#reading
    }
    return this.holds(kid) ? this.#keys.get(kid)! : null
  }

  /** Whether tokens of a key are still taken, as far as this node knows. */
  holds(kid: string): boolean {
    const key = this.#keys.get(kid)
    return key !== undefined && !isOver(key, this.#clock())
  }

  /** Public keys as a JWK set (RFC 7517), those that are yet to sign included. */
  published(): { keys: JWK[] } {
    const now = this.#clock()
    return {
      keys: [...this.#keys.values()]
        .filter(key => !isOver(key, now))
        .map(({ kid, jwk }) => ({ ...jwk, kid, use: 'sig', alg: ALGORITHM })),
    }
  }

  /** Reads the keys anew; those who ask meanwhile wait for the same answer. */
  read(): Promise<void> {
    this.#loadedAt = Date.now()
    this.#reading ??= this.#readRows().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #readRows(): Promise<void> {
    const rows = await this.#system.rows<KeyRow>(sql`
      select id, public_key as "publicKey", sealed_private_key as "sealedPrivateKey", retired_at as "retiredAt"
      from signing_key order by created_at, id`)
    const keys = new Map<string, VerifyingKey>()
    for (const { id, publicKey, retiredAt } of rows) {
      const known = this.#keys.get(id)
      const key = known?.key ?? ((await importJWK(publicKey, ALGORITHM)) as CryptoKey)
      keys.set(id, {
        kid: id,
        jwk: publicKey,
        key,
        retiredAt: retiredAt ? toDate(retiredAt) : null,
      })
    }
    this.#rows = rows
    this.#keys = keys
    for (const kid of this.#private.keys()) if (!keys.has(kid)) this.#private.delete(kid)
    // opened before they are needed, so that a secret that is missing is noticed in time
    for (const row of rows) if (this.#mayStillSign(row)) await this.#open(row)
  }

  #mayStillSign({ retiredAt }: KeyRow): boolean {
    return !retiredAt || toDate(retiredAt) > this.#clock()
  }

  async #open({ id, sealedPrivateKey }: KeyRow): Promise<CryptoKey> {
    const known = this.#private.get(id)
    if (known) return known
    const jwk = JSON.parse(this.#ring.open(SEAL, sealedPrivateKey)) as JWK
    const key = (await importJWK(jwk, ALGORITHM)) as CryptoKey
    this.#private.set(id, key)
    return key
  }

  /** Seals what an older secret sealed with the newest, so that the older can be given up. */
  async #sealAnew(): Promise<void> {
    for (const { id, sealedPrivateKey } of this.#rows)
      if (!this.#ring.sealedByNewest(sealedPrivateKey)) {
        const sealed = this.#ring.seal(SEAL, this.#ring.open(SEAL, sealedPrivateKey))
        await this.#system.rows(sql`
          update signing_key set sealed_private_key = ${sealed}
          where id = ${id} and sealed_private_key = ${sealedPrivateKey}`)
      }
  }
}

function sayWrongSecret(error: unknown): never {
  if (!(error instanceof NoKeyError)) throw error
  throw new ConfigError([
    `SECRET_KEY is not the one that this database goes with. ${error.message} Set that one; to replace it, set the new one, a comma, and that one.`,
  ])
}

const isOver = ({ retiredAt }: VerifyingKey, now: Date): boolean =>
  retiredAt !== null && now.getTime() >= retiredAt.getTime() + OVERLAP_MS
