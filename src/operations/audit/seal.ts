import { transactForServer, type ServerTools, type Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { PLATFORM } from '../../outbox/events/event.service.ts'
import { digestOf, leafOf, SEALED_COLUMNS, type Seal, type SealedEvent } from './chain.ts'

const BATCH = 1_000

export interface SealOptions extends ServerTools {
  signal: AbortSignal
  /** Hears of each seal: its digest, kept elsewhere, shows whether the chain was made anew. */
  onSealed: (seal: { chain: string; seal: number; events: number; digest: string }) => void
}

/** Seals whatever is not sealed yet, in the chain of each organisation and of the platform. */
export async function sealEvents(options: SealOptions): Promise<void> {
  const { store, signal, onSealed } = options
  const waiting = await store.system.rows<{ chain: string }>(
    sql`select distinct chain from event_unsealed`,
  )
  for (const { chain } of waiting) {
    let sealed: (Seal & { digest: string }) | null
    do {
      signal.throwIfAborted()
      sealed = await transactForServer(options, 'seal-events', work => sealBatch(work, chain))
      if (sealed) {
        const { number, events, digest } = sealed
        onSealed({ chain, seal: number, events: events.length, digest })
      }
    } while (sealed?.events.length === BATCH)
  }
}

/**
 * One more seal of a chain, with the oldest of the events that were committed by now. The row of the chain is locked,
 * so that there is one next seal; the marks that the events came with go in the same transaction, so that each is
 * sealed once.
 */
async function sealBatch(work: Work, chain: string): Promise<(Seal & { digest: string }) | null> {
  await work.db.rows(
    sql`insert into event_chain (chain, number, digest) values (${chain}, 0, '') on conflict do nothing`,
  )
  const head = await firstRow<{ number: number; digest: string }>(
    work.db,
    sql`select number, digest from event_chain where chain = ${chain} for update`,
  )
  // a mark without its event stays, for verification to find
  const rows = await work.db.rows<SealedEvent>(sql`
    with waiting as materialized (
      select u.event_id from event_unsealed u where u.chain = ${chain} order by u.event_id limit ${BATCH}),
    found as materialized (
      select w.event_id from waiting w cross join lateral (
        select from event e where e.id = w.event_id and coalesce(e.organisation_id, ${PLATFORM}) = ${chain} limit 1) as e),
    taken as (delete from event_unsealed u using found where u.event_id = found.event_id returning u.event_id)
    select e.* from taken cross join lateral (
      select ${SEALED_COLUMNS} from event e where e.id = taken.event_id limit 1) as e
    order by e.id`)
  const newest = rows.at(-1)
  if (!head || !newest) return null
  const seal = {
    chain,
    number: head.number + 1,
    events: rows.map(({ id }) => id),
    leaves: rows.map(leafOf),
  }
  const digest = digestOf(head.digest, seal)
  await work.db.rows(sql`
    insert into event_seal (chain, number, sealed_at, events, leaves, newest, digest)
    values (${chain}, ${seal.number}, ${work.now}, ${seal.events}::uuid[], ${seal.leaves}::text[], ${newest.id}, ${digest})`)
  await work.db.rows(
    sql`update event_chain set number = ${seal.number}, digest = ${digest} where chain = ${chain}`,
  )
  return { ...seal, digest }
}
