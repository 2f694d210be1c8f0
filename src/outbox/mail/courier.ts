import type { Attempt } from '../jobs.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { MAIL_SEAL, type MailOrder, type MailReader, type QueuedMail } from './mail.service.ts'
import { stopUrlOf } from './stop-link.ts'
import { render } from './templates.ts'
import type { MailTransport } from './transport.ts'

export interface CourierOptions {
  keys: KeyRing
  transport: MailTransport
  from: string
  publicUrl: string
  now: () => Date
  /** Whether an account is still there, and its owner still wants what a mail brings. */
  isWanted: (reader: MailReader) => Promise<boolean>
  onSkipped: (reason: string, job: string) => void
}

/**
 * Delivers queued mails. A mail that the server refuses is tried again by the queue; one whose link has run out, or
 * that is not wanted any more, is not sent. The Message-ID comes from the job, so that a repetition is recognised as
 * the same mail.
 */
export const createCourier =
  ({ keys, transport, from, publicUrl, now, isWanted, onSkipped }: CourierOptions) =>
  async (queued: QueuedMail, { job, signal }: Attempt): Promise<void> => {
    const order = JSON.parse(keys.open(MAIL_SEAL, queued.sealed)) as MailOrder
    const { to, locale, reader } = order
    if (order.expiresAt && new Date(order.expiresAt) <= now())
      return onSkipped('its link has run out', job)
    if (reader && !(await isWanted(reader))) return onSkipped('nobody wants it any more', job)
    const stopUrl = reader?.categories.length ? stopUrlOf(keys, publicUrl, reader) : null
    const mail = {
      // as an object, so that an address is never parsed as a list of them
      to: { name: '', address: to },
      from,
      ...render(order.mail, locale, stopUrl),
      messageId: `<${job}@${new URL(publicUrl).hostname}>`,
      headers: headersOf(stopUrl),
    }
    await transport.send(mail, signal)
  }

const headersOf = (stopUrl: string | null): Record<string, string> => ({
  // no vacation notices in reply (RFC 3834)
  'Auto-Submitted': 'auto-generated',
  // one click, by the mail program itself (RFC 8058)
  ...(stopUrl && {
    'List-Unsubscribe': `<${stopUrl}>`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  }),
})
