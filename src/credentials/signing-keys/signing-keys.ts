import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose'
import { sql, type Queries } from '../../database/sql.ts'
import type { KeyRing } from '../../shared/seal.ts'

const SEAL = 'signing key'
export const ALGORITHM = 'EdDSA'
const RELOAD_AFTER_MS = 2_000

export interface VerifyingKey {
  kid: string
  jwk: JWK
  key: CryptoKey
}

interface KeyRow {
  id: string
  publicKey: JWK
  sealedPrivateKey: string
  retiredAt: string | null
}

/** The key pairs that sign access tokens (Ed25519, RFC 8037), shared by all nodes through the database. */
export class SigningKeys {
  readonly #system: Queries
  readonly #ring: KeyRing
  #keys = new Map<string, VerifyingKey>()
  #signer: { kid: string; key: CryptoKey } | undefined
  #loadedAt = 0

  /** @param system queries that run as *system*. */
  constructor(system: Queries, ring: KeyRing) {
    this.#system = system
    this.#ring = ring
  }

  /** Reads the keys; the first node to find none makes one. */
  async load(now: Date): Promise<void> {
    await this.#read()
    if (this.#signer) return
    await this.#create(now)
    await this.#read()
  }

  async signer(): Promise<{ kid: string; key: CryptoKey }> {
    if (!this.#signer) throw new Error('There is no signing key.')
    return this.#signer
  }

  /** The key that a token names, or null: an unknown one is looked for again, though not for every token. */
  async find(kid: string): Promise<VerifyingKey | null> {
    if (!this.#keys.has(kid) && Date.now() - this.#loadedAt > RELOAD_AFTER_MS) await this.#read()
    return this.#keys.get(kid) ?? null
  }

  /** Public keys as a JWK set (RFC 7517). */
  published(): { keys: JWK[] } {
    return {
      keys: [...this.#keys.values()].map(({ kid, jwk }) => ({
        ...jwk,
        kid,
        use: 'sig',
        alg: ALGORITHM,
      })),
    }
  }

  async #read(): Promise<void> {
    this.#loadedAt = Date.now()
    const rows = await this.#system.rows<KeyRow>(sql`
      select id, public_key as "publicKey", sealed_private_key as "sealedPrivateKey", retired_at as "retiredAt"
      from signing_key order by created_at, id`)
    const keys = new Map<string, VerifyingKey>()
    for (const row of rows) {
      const known = this.#keys.get(row.id)
      const key = known?.key ?? ((await importJWK(row.publicKey, ALGORITHM)) as CryptoKey)
      keys.set(row.id, { kid: row.id, jwk: row.publicKey, key })
    }
    this.#keys = keys
    const newest = rows.findLast(row => !row.retiredAt)
    if (newest && newest.id !== this.#signer?.kid) {
      const jwk = JSON.parse(this.#ring.open(SEAL, newest.sealedPrivateKey)) as JWK
      this.#signer = { kid: newest.id, key: (await importJWK(jwk, ALGORITHM)) as CryptoKey }
    }
  }

  async #create(now: Date): Promise<void> {
    const pair = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true })
    const jwk = await exportJWK(pair.publicKey)
    const kid = await calculateJwkThumbprint(jwk)
    const sealed = this.#ring.seal(SEAL, JSON.stringify(await exportJWK(pair.privateKey)))
    await this.#system.rows(sql`
      insert into signing_key (id, public_key, sealed_private_key, created_at)
      select ${kid}, ${JSON.stringify(jwk)}::jsonb, ${sealed}, ${now}::timestamptz
      where not exists (select from signing_key where retired_at is null)`)
  }
}
