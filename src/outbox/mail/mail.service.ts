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

/** Queues a mail in the transaction of its cause; a courier delivers it after the commit. */
export async function queueMail(
  work: Work,
  order: { to: string; locale?: string; mail: Mail; expiresAt?: Date },
): Promise<void> {
  const full: MailOrder = {
    to: order.to,
    locale: order.locale ?? 'en',
    mail: order.mail,
    expiresAt: order.expiresAt?.toISOString() ?? null,
  }
  const data: QueuedMail = { sealed: work.server.keys.seal(MAIL_SEAL, JSON.stringify(full)) }
  await work.server.enqueue(work, 'mail', data)
}
