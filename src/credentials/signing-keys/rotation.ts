import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import type { KeyRing } from '../../shared/seal.ts'

export const SEAL = 'signing key'
export const ALGORITHM = 'EdDSA'
const DAY_MS = 86_400_000

/** A key signs for this long before a scheduled rotation replaces it. */
const LIFE_MS = 30 * DAY_MS
/** A new key is published for this long before it signs, so that no service meets a token whose key it cannot find. */
const NOTICE_MS = 600_000
/** A key is published for this long after it has signed its last token: longer than any access token lives. */
export const OVERLAP_MS = 3_900_000

/** What a rotation has done. */
export interface Rotation {
  kid: string
  signsFrom: Date
}

/** Makes the first key, where there is none; of nodes that start at once, each may make one. */
export const createFirstKey = (system: Queries, ring: KeyRing, now: Date): Promise<unknown> =>
  insertKey(
    system,
    ring,
    now,
    sql`select where not exists (select from signing_key where retired_at is null)`,
  )

/** Replaces the key in force, if it has signed for as long as a key should; null where it has not. */
export const rotateIfDue = (system: Queries, ring: KeyRing, now: Date): Promise<Rotation | null> =>
  rotate(system, ring, now, new Date(now.getTime() - LIFE_MS))

/** Replaces the key in force: the new one is published at once and signs in ten minutes. Null while it is yet to sign. */
export const rotateKeys = (system: Queries, ring: KeyRing, now: Date): Promise<Rotation | null> =>
  rotate(system, ring, now, new Date(now.getTime() - NOTICE_MS))

async function rotate(
  system: Queries,
  ring: KeyRing,
  now: Date,
  madeBefore: Date,
): Promise<Rotation | null> {
  const signsFrom = new Date(now.getTime() + NOTICE_MS)
  // of rotations at once, one finds the key that the others have retired meanwhile, and makes none
  const kid = await insertKey(
    system,
    ring,
    now,
    sql`update signing_key set retired_at = ${signsFrom} where retired_at is null
      and not exists (select from signing_key where retired_at is null and created_at > ${madeBefore})
      returning 1`,
  )
  return kid === null ? null : { kid, signsFrom }
}

/**
 * Drops every key and makes a new one that signs at once, for when a key has leaked. Access tokens issued so far stop
 * within a minute; sessions go on.
 */
export async function replaceLeakedKeys(
  system: Queries,
  ring: KeyRing,
  now: Date,
): Promise<Rotation | null> {
  const kid = await insertKey(system, ring, now, sql`delete from signing_key returning 1`)
  return kid === null ? null : { kid, signsFrom: now }
}

/** Deletes keys whose last tokens have run out. */
export const deleteRetiredKeys = (system: Queries, now: Date): Promise<unknown> =>
  system.rows(
    sql`delete from signing_key where retired_at <= ${new Date(now.getTime() - OVERLAP_MS)}::timestamptz`,
  )

/** Inserts a new key pair if `cause` returns anything, in one statement with it; null where it does not. */
async function insertKey(
  system: Queries,
  ring: KeyRing,
  now: Date,
  cause: ReturnType<typeof sql>,
): Promise<string | null> {
  const pair = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true })
  const jwk = await exportJWK(pair.publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  const sealed = ring.seal(SEAL, JSON.stringify(await exportJWK(pair.privateKey)))
  const inserted = await firstRow<{ id: string }>(
    system,
    sql`with cause as (${cause})
      insert into signing_key (id, public_key, sealed_private_key, created_at)
      select ${kid}, ${JSON.stringify(jwk)}::jsonb, ${sealed}, ${now}::timestamptz where exists (select from cause)
      returning id`,
  )
  return inserted?.id ?? null
}
