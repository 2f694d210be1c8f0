import { sql, type Queries } from '../../database/sql.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { openSeed, sealSeed } from './seed.ts'

const BATCH = 500

/** Seals seeds anew that an older secret sealed, so that the older can be given up. Of removed factors none is left. */
export async function sealSeedsAnew(
  system: Queries,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const rows = await system.rows<{ id: string; sealed: string }>(sql`
      select id, sealed_seed as sealed from totp_factor
      where removed_at is null and not starts_with(sealed_seed, ${ring.newestPrefix}) limit ${BATCH}`)
    for (const { id, sealed } of rows)
      await system.rows(sql`
        update totp_factor set sealed_seed = ${sealSeed(ring, id, openSeed(ring, id, sealed))}
        where id = ${id} and sealed_seed = ${sealed}`)
    if (rows.length < BATCH) return
  }
}
