import type { Work } from '../../access/work.ts'
import type { Mail } from './templates.ts'

/** A mail as it waits in the queue. Everything about it is sealed, for it may hold a live link. */
export interface QueuedMail {
  sealed: string
}

/** What the courier finds when it opens a queued mail. */
export interface MailOrder {
  to: string
  locale: string
  mail: Mail
  /** Not sent after this instant: its link no longer works. */
  expiresAt: string | null
}

export const MAIL_SEAL = 'mail'

/** A mail to be sent; in English unless the locale of its reader is known. */
export interface NewMail {
  to: string
  locale?: string
  mail: Mail
  expiresAt?: Date
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
  const full: MailOrder = {
    to: order.to,
    locale: order.locale ?? 'en',
    mail: order.mail,
    expiresAt: order.expiresAt?.toISOString() ?? null,
  }
  return { sealed: work.server.keys.seal(MAIL_SEAL, JSON.stringify(full)) }
}
