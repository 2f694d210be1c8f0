import { raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import {
  SESSION_WITH_LIMITS,
  sessionEnds,
  type SessionCeilings,
} from '../../tenancy/policies/session-end.ts'
import { deleteRetiredKeys } from '../signing-keys/rotation.ts'

const DAY_MS = 86_400_000
const BATCH = 1_000

/** How long rows are kept after they have lost their use, in days. */
const KEPT = {
  // a refresh token that comes back in the meantime is recognised as one that was good once
  session: 30,
  link: 7,
  challenge: 1,
  factor: 1,
  image: 1,
  // as long as a repeated request is answered
  idempotency: 1,
  // a device that was not seen for longer is a new one
  sighting: 400,
  delivery: 30,
  // what was read; what never was is given up much later
  notice: 30,
  unreadNotice: 365,
  run: 30,
}

export interface PurgeOptions {
  /** Queries that run as *system*. */
  system: Queries
  ceilings: SessionCeilings
  now: Date
  signal: AbortSignal
}

/**
 * Ends sessions that ran out, and deletes what nobody will ask for again: old sessions, links, challenges, factors that
 * count for nothing, attempts, sightings, deliveries, notices, runs of workflows, images that were sent and not used, and
 * signing keys. In batches that others do not wait for; what one run leaves, the next one finds.
 *
 * @returns how many rows were ended or deleted, by table.
 */
export async function purge(options: PurgeOptions): Promise<Record<string, number>> {
  const { system, ceilings, now } = options
  const before = (days: number) => sql`${new Date(now.getTime() - days * DAY_MS)}::timestamptz`
  const remove = (table: string, stale: Sql) =>
    inBatches(
      options,
      sql`delete from ${raw(table)} where ctid in (select ctid from ${raw(table)} where ${stale}
        limit ${BATCH} for update skip locked) returning 1`,
    )
  const { idle, absolute } = sessionEnds(ceilings)
  const end = sql`least(${idle}, ${absolute})`
  const counts = {
    ranOut: await inBatches(
      options,
      sql`update session set ended_at = over.at, end_reason = 'it ran out' from (
          select s.id, ${end} as at from ${SESSION_WITH_LIMITS} where s.ended_at is null and ${end} <= ${now}::timestamptz
          limit ${BATCH} for update of s skip locked) as over
        where session.id = over.id returning 1`,
    ),
    sessions: await remove('session', sql`ended_at < ${before(KEPT.session)}`),
    links: await remove('link', sql`expires_at < ${before(KEPT.link)}`),
    challenges: await remove('challenge', sql`expires_at < ${before(KEPT.challenge)}`),
    // begun and never confirmed, or removed
    factors: await remove(
      'totp_factor',
      sql`coalesce(removed_at, expires_at) < ${before(KEPT.factor)}`,
    ),
    attempts: await remove('attempt', sql`forgotten_at < ${now}::timestamptz`),
    sightings: await remove(
      'sighting',
      sql`last_seen_at < ${before(KEPT.sighting)}
        or user_id in (select id from user_account where deleted_at is not null)`,
    ),
    idempotency: await remove('idempotency', sql`created_at < ${before(KEPT.idempotency)}`),
    uploads: await remove('avatar_upload', sql`expires_at < ${before(KEPT.image)}`),
    deliveries: await remove(
      'webhook_delivery',
      sql`created_at < ${before(KEPT.delivery)} and status <> 'PENDING'`,
    ),
    notices: await remove('notification', sql`read_at < ${before(KEPT.notice)} and due_at is null`),
    unreadNotices: await remove(
      'notification',
      sql`created_at < ${before(KEPT.unreadNotice)}
        or user_id in (select id from user_account where deleted_at is not null)`,
    ),
    runs: await remove('workflow_run', sql`finished_at < ${before(KEPT.run)}`),
    workflows: await remove(
      'workflow',
      sql`deleted_at < ${before(KEPT.run)} and not exists (
        select from workflow_run r where r.workflow_id = workflow.id)`,
    ),
    webhooks: await remove(
      'webhook',
      sql`deleted_at < ${before(KEPT.delivery)} and not exists (
        select from webhook_delivery d where d.webhook_id = webhook.id)`,
    ),
    // sent and never used
    images: await remove(
      'avatar_image',
      sql`created_at < ${before(KEPT.image)} and not exists (
        select from user_account u where u.avatar_key = avatar_image.key)`,
    ),
  }
  await deleteRetiredKeys(system, now)
  return counts
}

async function inBatches({ system, signal }: PurgeOptions, statement: Sql): Promise<number> {
  let count = 0
  for (;;) {
    signal.throwIfAborted()
    const rows = await system.rows(statement)
    count += rows.length
    if (rows.length < BATCH) return count
  }
}
