import { firstRow, sql, type Queries } from '../../database/sql.ts'
import type { Attempt } from '../../outbox/jobs.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { writeInstant } from '../../shared/scalars.ts'
import { findEvent } from '../audit/audit.list.ts'
import { LIMIT_MS, type Answer, type Posting } from './post.ts'
import { openSecret, signatureHeaders } from './secret.ts'

/** What a job says of a delivery. */
export interface WaitingDelivery {
  delivery: string
}

/** A delivery whose turn it is. */
interface Due {
  id: string
  webhookId: string
  event: string
  url: string
  sealedSecret: string
  sealedPreviousSecret: string | null
  previousUntil: string | null
  /** Neither switched off nor deleted. */
  on: boolean
  failing: boolean
  /** No job had taken it up before. */
  fresh: boolean
}

export interface CourierOptions {
  /** Queries that run as *system*. */
  system: Queries
  keys: KeyRing
  post: (posting: Posting) => Promise<Answer>
  /** Writes down what came of an attempt; true where there is to be another. */
  settle: (
    delivery: { id: string; webhookId: string },
    answer: Answer,
    job: string,
  ) => Promise<boolean>
  /** Ends a delivery that is not attempted any more. */
  drop: (id: string) => Promise<void>
  now: () => Date
}

/**
 * Attempts one delivery. Nothing is held while the receiver is waited for; where the node dies in between, the queue
 * has it attempted again under the same id. While a receiver fails, one of its deliveries at a time is attempted, and
 * none by the workers that are there for what is new: so it holds up nobody but itself.
 */
export const createWebhookCourier =
  ({ system, keys, post, settle, drop, now }: CourierOptions) =>
  async ({ delivery }: WaitingDelivery, { job, signal }: Attempt): Promise<void> => {
    const due = await take(system, delivery, job)
    if (!due) return
    const event = due.on ? await findEvent(system, due.event) : null
    if (!event) return drop(due.id)
    const at = now()
    if (due.failing && (due.fresh || !(await takeTurn(system, due.webhookId, at))))
      throw new Error('The receiver has been failing: other deliveries to it come first.')
    const { occurredAt } = event
    const timestamp = writeInstant(occurredAt)
    const body = JSON.stringify({
      type: event.topic.name,
      timestamp,
      data: { ...event, occurredAt: timestamp },
    })
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'Gatehouse',
      ...signatureHeaders(secretsOf(keys, due, at), due.id, at, body),
    }
    const answer = await post({ url: due.url, headers, body, signal })
    // the node stops: that says nothing of the receiver
    if (answer.status === null && signal.aborted && signal.reason?.name !== 'TimeoutError')
      throw new Error('The attempt was cut short.')
    if (await settle(due, answer, job))
      throw new Error(`It was not delivered: ${answer.status ?? answer.fault}.`)
  }

/** Takes a delivery up for a job; nothing where it has ended, or is another job's. */
const take = (system: Queries, id: string, job: string): Promise<Due | undefined> =>
  firstRow<Due>(
    system,
    sql`with waiting as (
        select id, job from webhook_delivery
        where id = ${id} and status = 'PENDING' and (job is null or job = ${job}) for update),
      taken as (
        update webhook_delivery d set job = ${job} from waiting where d.id = waiting.id
        returning d.id, d.webhook_id, d.event, waiting.job is null as fresh)
      select taken.id, w.id as "webhookId", taken.event, taken.fresh, w.url, w.sealed_secret as "sealedSecret",
        w.sealed_previous_secret as "sealedPreviousSecret", w.previous_until as "previousUntil",
        w.enabled and o.deleted_at is null as "on", w.failing_since is not null as failing
      from taken join webhook w on w.id = taken.webhook_id join organisation o on o.id = w.organisation_id`,
  )

/** One attempt at a time; a node that dies in the middle of one loses the turn. */
async function takeTurn(system: Queries, webhookId: string, at: Date): Promise<boolean> {
  const until = new Date(at.getTime() + 2 * LIMIT_MS)
  const turn = await firstRow(
    system,
    sql`update webhook set attempted_until = ${until}
      where id = ${webhookId} and (attempted_until is null or attempted_until < ${at}::timestamptz or failing_since is null)
      returning 1`,
  )
  return turn !== undefined
}

function secretsOf(keys: KeyRing, due: Due, at: Date): string[] {
  const { webhookId, sealedSecret, sealedPreviousSecret: previous, previousUntil } = due
  const sealed =
    previous && previousUntil && new Date(previousUntil) > at
      ? [sealedSecret, previous]
      : [sealedSecret]
  return sealed.map(each => openSecret(keys, webhookId, each))
}
