import { transactForServer, type ServerTools, type Work } from '../../access/work.ts'
import { notify } from '../../accounts/notifications/notification.service.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import type { Answer } from './post.ts'
import { targetOf } from './webhook.service.ts'

/** A delivery is attempted for this long, and a webhook to which nothing came through in it is switched off. */
const PATIENCE_MS = 3 * 86_400_000
/** The receiver says that it is gone for good (RFC 9110, section 15.5.11). */
const GONE = 410

export interface SettleOptions extends ServerTools {
  /** Queries that run as *system*. */
  system: Queries
}

interface Attempted {
  id: string
  webhookId: string
}

/** Writes down what came of attempts, in one statement each, and ends what has been attempted for long enough. */
export const createSettle =
  (options: SettleOptions) =>
  async (delivery: Attempted, answer: Answer, job: string): Promise<boolean> => {
    const at = options.now()
    const { status } = answer
    if (status !== null && status >= 200 && status < 300) {
      await arrived(options.system, delivery, answer, at)
      return false
    }
    const { spent, dead } = await failed(options.system, delivery, answer, at)
    const gone = status === GONE
    if (!spent && !gone) return true
    await transactForServer(options, job, async work => {
      await endDelivery(work.db, delivery.id)
      if (dead || gone) await switchOff(work, delivery.webhookId, gone)
    })
    return false
  }

/** Ends a delivery that is not attempted any more. */
export const endDelivery = async (queries: Queries, id: string): Promise<void> => {
  await queries.rows(
    sql`update webhook_delivery set status = 'FAILED' where id = ${id} and status = 'PENDING'`,
  )
}

async function arrived(system: Queries, { id }: Attempted, answer: Answer, at: Date) {
  await system.rows(sql`
    with delivered as (
      update webhook_delivery set status = 'SUCCEEDED', attempts = attempts + 1, response_status = ${answer.status},
        duration_ms = ${answer.durationMs}, last_attempt_at = ${at}, begun_at = null
      where id = ${id} and status = 'PENDING' returning webhook_id)
    update webhook w set failing_since = null, attempted_until = null from delivered
    where w.id = delivered.webhook_id and w.failing_since is not null`)
}

async function failed(system: Queries, { id }: Attempted, answer: Answer, at: Date) {
  const long = new Date(at.getTime() - PATIENCE_MS)
  const row = await firstRow<{ spent: boolean; dead: boolean }>(
    system,
    sql`with failed as (
        update webhook_delivery set attempts = attempts + 1, response_status = ${answer.status},
          duration_ms = ${answer.durationMs}, last_attempt_at = ${at}, begun_at = coalesce(begun_at, ${at}::timestamptz)
        where id = ${id} and status = 'PENDING' returning webhook_id, begun_at)
      update webhook w set failing_since = coalesce(w.failing_since, ${at}::timestamptz), attempted_until = null from failed
      where w.id = failed.webhook_id
      returning failed.begun_at <= ${long}::timestamptz as spent, w.failing_since <= ${long}::timestamptz as dead`,
  )
  return row ?? { spent: false, dead: false }
}

interface SwitchedOff {
  id: string
  url: string
  organisationId: string
  organisation: string
  userId: string | null
}

/** Switches a webhook off, once, and tells whoever made it, where that is a person who is still there. */
async function switchOff(work: Work, webhookId: string, gone: boolean): Promise<void> {
  const webhook = await firstRow<SwitchedOff>(
    work.db,
    sql`update webhook w set enabled = false, updated_at = ${work.now}
      from organisation o, webhook own
      left join principal m on m.id = own.created_by_id and m.kind = 'MEMBER' and m.removed_at is null
      left join user_account u on u.id = m.user_id and u.deleted_at is null
      where w.id = ${webhookId} and w.enabled and own.id = w.id and o.id = w.organisation_id
      returning w.id, w.url, w.organisation_id as "organisationId", o.name as organisation,
        u.id as "userId"`,
  )
  if (!webhook) return
  const { organisationId, organisation, userId } = webhook
  const target = targetOf(webhook)
  await record(work, 'webhook.switched_off', {
    organisationId,
    target,
    changes: [{ field: 'enabled', before: 'true', after: 'false' }],
    reason: gone
      ? 'The receiver said that it is gone for good.'
      : 'Nothing came through for three days.',
    bySystem: true,
  })
  if (!userId) return
  const data = { organisation, host: target.name, gone, at: work.now.toISOString() }
  await notify(work, {
    userId,
    topic: 'webhook.switched_off',
    organisationId,
    text: { template: 'webhookOff', data },
  })
}
