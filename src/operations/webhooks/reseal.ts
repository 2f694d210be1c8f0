import { sql, type Queries } from '../../database/sql.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { openSecret, sealSecret } from './secret.ts'

const BATCH = 500

/** Seals the secrets of webhooks anew that an older secret of this server sealed, so that the older can be given up. */
export async function sealSecretsAnew(
  system: Queries,
  ring: KeyRing,
  signal: AbortSignal,
): Promise<void> {
  const { newestPrefix } = ring
  for (;;) {
    signal.throwIfAborted()
    const rows = await system.rows<{ id: string; present: string; previous: string | null }>(sql`
      select id, sealed_secret as present, sealed_previous_secret as previous from webhook
      where not starts_with(sealed_secret, ${newestPrefix})
        or not starts_with(sealed_previous_secret, ${newestPrefix}) limit ${BATCH}`)
    for (const { id, present, previous } of rows) {
      const anew = (sealed: string) => sealSecret(ring, id, openSecret(ring, id, sealed))
      await system.rows(sql`
        update webhook set sealed_secret = ${anew(present)}, sealed_previous_secret = ${previous && anew(previous)}
        where id = ${id} and sealed_secret = ${present}`)
    }
    if (rows.length < BATCH) return
  }
}
