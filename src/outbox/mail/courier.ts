import type { Attempt } from '../jobs.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { MAIL_SEAL, type MailOrder, type QueuedMail } from './mail.service.ts'
import { render } from './templates.ts'
import type { MailTransport } from './transport.ts'

export interface CourierOptions {
  keys: KeyRing
  transport: MailTransport
  from: string
  publicUrl: string
  now: () => Date
  onSkipped: (reason: string, job: string) => void
}

/**
 * Delivers queued mails. A mail that the server refuses is tried again by the queue; one whose link has run out is
 * not sent. The Message-ID comes from the job, so that a repetition is recognised as the same mail.
 */
export const createCourier =
  ({ keys, transport, from, publicUrl, now, onSkipped }: CourierOptions) =>
  async (queued: QueuedMail, { job, signal }: Attempt): Promise<void> => {
    const order = JSON.parse(keys.open(MAIL_SEAL, queued.sealed)) as MailOrder
    if (order.expiresAt && new Date(order.expiresAt) <= now())
      return onSkipped('its link has run out', job)
    const rendered = render(order.mail, order.locale)
    const mail = {
      // as an object, so that an address is never parsed as a list of them
      to: { name: '', address: order.to },
      from,
      ...rendered,
      messageId: `<${job}@${new URL(publicUrl).hostname}>`,
    }
    await transport.send(mail, signal)
  }
