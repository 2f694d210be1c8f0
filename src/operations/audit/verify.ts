import { firstRow, sql, type Queries, type Sql } from '../../database/sql.ts'
import { PLATFORM } from '../../outbox/events/event.service.ts'
import {
  commitActor,
  commitTarget,
  type ActorHalf,
  type TargetHalf,
} from '../../outbox/events/person.ts'
import { digestOf, leafOf, SEALED_COLUMNS, type Seal, type SealedEvent } from './chain.ts'

const SEALS_AT_ONCE = 20
const CHAINS_AT_ONCE = 1_000
const ADDED = 'the event was added past the chain'
const GONE_UNSEALED = 'the event was removed before it was sealed'

/** Where a chain is broken, and by what. */
export interface Break {
  /** The organisation, or `PLATFORM`. */
  chain: string
  seal: number | null
  event: string | null
  what: string
}

/** What was found. */
export interface Verdict {
  /** The first break of each chain that has one. */
  breaks: Break[]
  seals: number
  events: number
  unsealed: number
  /** Halves of events that tell of nobody any more. */
  erased: number
  /** Events with lesser ids may have been dropped. */
  keptSince: string | null
  heads: { chain: string; number: number; digest: string }[]
}

interface Chain {
  chain: string
  number: number
  digest: string
  checkpointNumber: number
  checkpointDigest: string
}

type EventWithPeople = SealedEvent &
  ActorHalf &
  TargetHalf & { actorSalt: string | null; targetSalt: string | null; beside: string | null }

/**
 * Computes every chain anew from the events and what stands beside them, seal by seal, in the order of the chain.
 *
 * @param queries run as *system*, all in one snapshot: what is written meanwhile is not seen.
 */
export async function verifyTrail(queries: Queries): Promise<Verdict> {
  const platform = await firstRow<{ keptSince: string | null }>(
    queries,
    sql`select kept_since as "keptSince" from event_chain where chain = ${PLATFORM}`,
  )
  const verdict: Verdict = {
    breaks: [],
    seals: 0,
    events: 0,
    unsealed: 0,
    erased: 0,
    keptSince: platform?.keptSince ?? null,
    heads: [],
  }
  for (let after: string | null = null; ;) {
    const chains: Chain[] = await queries.rows<Chain>(sql`
      select chain, number, digest, checkpoint_number as "checkpointNumber", checkpoint_digest as "checkpointDigest"
      from event_chain ${after ? sql`where chain > ${after}` : sql``} order by chain limit ${CHAINS_AT_ONCE}`)
    for (const chain of chains) {
      const broken = await new Walk(queries, chain, verdict).verify()
      if (broken) verdict.breaks.push(broken)
    }
    if (chains.length < CHAINS_AT_ONCE) break
    after = chains.at(-1)!.chain
  }
  const stray = await findStray(queries)
  if (stray) verdict.breaks.push(stray)
  return verdict
}

/** Something in a chain that has no head. */
async function findStray(queries: Queries): Promise<Break | null> {
  const headless = (column: Sql) =>
    sql`not exists (select from event_chain c where c.chain = ${column})`
  const seal = await firstRow<{ chain: string; number: number }>(
    queries,
    sql`select chain, number from event_seal s where ${headless(sql`s.chain`)} order by 1, 2 limit 1`,
  )
  if (seal)
    return { chain: seal.chain, seal: seal.number, event: null, what: 'its chain has no head' }
  const gone = await firstRow<{ id: string; chain: string }>(
    queries,
    sql`select event_id as id, chain from event_unsealed u where ${headless(sql`u.chain`)}
      and not exists (select from event e where e.id = u.event_id) order by 1 limit 1`,
  )
  if (gone) return { chain: gone.chain, seal: null, event: gone.id, what: GONE_UNSEALED }
  const event = await firstRow<{ id: string; chain: string }>(
    queries,
    sql`select e.id, coalesce(e.organisation_id, ${PLATFORM}) as chain from event e
      where ${headless(sql`coalesce(e.organisation_id, ${PLATFORM})`)}
        and not exists (select from event_unsealed u where u.event_id = e.id) limit 1`,
  )
  return event ? { chain: event.chain, seal: null, event: event.id, what: ADDED } : null
}

/** One chain, from its checkpoint to its head. */
class Walk {
  readonly #queries: Queries
  readonly #chain: Chain
  readonly #verdict: Verdict
  #broken: Break | null = null
  /** Sealed events that are there. */
  #present = 0

  constructor(queries: Queries, chain: Chain, verdict: Verdict) {
    this.#queries = queries
    this.#chain = chain
    this.#verdict = verdict
  }

  /** The first break, if there is one. */
  async verify(): Promise<Break | null> {
    const { chain, number, digest, checkpointNumber, checkpointDigest } = this.#chain
    let [last, previous] = [checkpointNumber, checkpointDigest]
    for (;;) {
      const seals = await this.#queries.rows<Seal & { digest: string }>(sql`
        select chain, number, events::text[] as events, leaves, digest from event_seal
        where chain = ${chain} and number > ${last} order by number limit ${SEALS_AT_ONCE}`)
      for (const seal of seals) {
        if (seal.number !== last + 1) this.#note(last + 1, null, 'the seal was removed')
        else if (digestOf(previous, seal) !== seal.digest)
          this.#note(seal.number, null, 'the seal was changed')
        await this.#compare(seal)
        ;[last, previous] = [seal.number, seal.digest]
        this.#verdict.seals++
      }
      if (seals.length < SEALS_AT_ONCE) break
    }
    if (last < number) this.#note(last + 1, null, 'the seal was removed')
    else if (last > number || previous !== digest)
      this.#note(last, null, 'the seal is not the one that the chain ended with')
    await this.#count()
    this.#verdict.heads.push({ chain, number, digest })
    return this.#broken
  }

  #note(seal: number | null, event: string | null, what: string): void {
    this.#broken ??= { chain: this.#chain.chain, seal, event, what }
  }

  /** The events of a seal with their hashes, and what stands beside them with what they commit to. */
  async #compare({ number, events, leaves }: Seal): Promise<void> {
    const rows = await this.#queries.rows<EventWithPeople>(sql`
      select ${SEALED_COLUMNS}, p.id as beside, p.actor_salt as "actorSalt", p.actor_name as "actorName",
        p.ip_address as "ipAddress", p.user_agent as "userAgent", p.target_salt as "targetSalt",
        p.target_name as "targetName", p.reason, p.changes as personal
      from event e left join lateral (select * from event_person p where p.id = e.id limit 1) as p on true
      where e.id = any(${events}::uuid[])`)
    this.#present += rows.length
    this.#verdict.events += rows.length
    const found = new Map(rows.map(row => [row.id, row]))
    events.forEach((id, index) => {
      const event = found.get(id)
      const what = event ? this.#fault(event, leaves[index]!) : this.#missing(id)
      if (what) this.#note(number, id, what)
    })
  }

  #missing(id: string): string | null {
    const { keptSince } = this.#verdict
    return keptSince && id < keptSince ? null : 'the event was removed'
  }

  #fault(event: EventWithPeople, leaf: string): string | null {
    if (leafOf(event) !== leaf) return 'the event was changed'
    if (!event.beside) return 'what stood beside the event was removed'
    const { actorSalt, targetSalt, actorCommitment, targetCommitment } = event
    if (!actorSalt) this.#verdict.erased++
    else if (commitActor(actorSalt, event) !== actorCommitment)
      return 'the name, address or user agent of who did it was changed'
    if (!targetSalt) {
      if (targetCommitment) this.#verdict.erased++
    } else if (commitTarget(targetSalt, event) !== targetCommitment)
      return 'the name, reason or personal changes of whom it was done to were changed'
    return null
  }

  /** Whether there are events that are neither sealed nor wait for it, or ones that are sealed twice. */
  async #count(): Promise<void> {
    const { chain } = this.#chain
    const here =
      chain === PLATFORM ? sql`e.organisation_id is null` : sql`e.organisation_id = ${chain}`
    const gone = await firstRow<{ id: string }>(
      this.#queries,
      sql`select event_id as id from event_unsealed u where chain = ${chain}
        and not exists (select from event e where e.id = u.event_id and ${here}) order by 1 limit 1`,
    )
    if (gone) this.#note(null, gone.id, GONE_UNSEALED)
    const counts = await firstRow<{ all: number; unsealed: number }>(
      this.#queries,
      sql`select (select count(*) from event e where ${here})::int as all,
        (select count(*) from event_unsealed u where chain = ${chain})::int as unsealed`,
    )
    const { all = 0, unsealed = 0 } = counts ?? {}
    this.#verdict.unsealed += unsealed
    if (this.#broken || all === this.#present + unsealed) return
    const sealed = sql`(select unnest(events) as id from event_seal where chain = ${chain}) as sealed`
    const added = await firstRow<{ id: string }>(
      this.#queries,
      sql`select e.id from event e where ${here} and not exists (select from ${sealed} where sealed.id = e.id)
        and not exists (select from event_unsealed u where u.event_id = e.id) order by 1 limit 1`,
    )
    this.#note(null, added?.id ?? null, added ? ADDED : 'an event was sealed twice')
  }
}
