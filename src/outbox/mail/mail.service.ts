import type { Work } from '../../access/work.ts'
import { raw, sql } from '../../database/sql.ts'
import { mac } from '../../shared/tokens.ts'
import { again, SCHEMA } from '../queues.ts'
import type { TopicCategory } from '../events/topic.type.ts'
import type { Mail } from './templates.ts'

/** A mail as it waits in the queue. Everything about it is sealed, for it may hold a live link. */
export interface QueuedMail {
  sealed: string
  /** Whom it is for, as digests that only this server can make: their address, and their account. */
  readers: string[]
}

/** An account, and the kinds of notices of which a mail brings it some; none where its owner cannot refuse it. */
export interface MailReader {
  userId: string
  categories: TopicCategory[]
}

/** What the courier finds when it opens a queued mail. */
export interface MailOrder {
  to: string
  locale: string
  mail: Mail
  /** Not sent after this instant: its link no longer works. */
  expiresAt: string | null
  /** Null where it is for an address, whoever that belongs to. */
  reader: MailReader | null
}

export const MAIL_SEAL = 'mail'
const READER = 'mail-reader'
const QUEUES = ['mail', again('mail')]

/** A mail to be sent; in English unless the locale of its reader is known. */
export interface NewMail {
  to: string
  locale?: string
  mail: Mail
  expiresAt?: Date
  /** The account it is for: not sent once that is gone, or its owner does not want it any more. */
  reader?: MailReader
}

/** Queues a mail in the transaction of its cause; a courier delivers it after the commit. */
export const queueMail = (work: Work, order: NewMail): Promise<void> =>
  work.server.enqueue(work, 'mail', sealed(work, order))

/** Queues many mails at once. */
export const queueMails = (work: Work, orders: NewMail[]): Promise<void> =>
  work.server.enqueueAll(
    work,
    'mail',
    orders.map(order => sealed(work, order)),
  )

function sealed(work: Work, order: NewMail): QueuedMail {
  const { keys } = work.server
  const full: MailOrder = {
    to: order.to,
    locale: order.locale ?? 'en',
    mail: order.mail,
    expiresAt: order.expiresAt?.toISOString() ?? null,
    reader: order.reader ?? null,
  }
  const [newest] = keys.derived(READER)
  const readers = [order.to, ...(order.reader ? [order.reader.userId] : [])]
  return {
    sealed: keys.seal(MAIL_SEAL, JSON.stringify(full)),
    readers: readers.map(reader => digestOf(newest!, reader)),
  }
}

const digestOf = (key: Parameters<typeof mac>[0], reader: string) =>
  mac(key, reader).toString('base64url')

/** Deletes every mail for some addresses and accounts, sent or not; as *system*. */
export async function forgetMails(work: Work, readers: string[]): Promise<void> {
  const digests = work.server.keys
    .derived(READER)
    .flatMap(key => readers.map(reader => digestOf(key, reader)))
  await work.db.rows(sql`
    delete from ${raw(SCHEMA)}.job where name = any(${QUEUES}::text[])
      and jsonb_exists_any(data->'readers', ${digests}::text[])`)
}
