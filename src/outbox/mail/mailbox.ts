import type { MailTransport, OutgoingMail } from './transport.ts'

const MOST_MAILS = 500

export interface KeptMail extends OutgoingMail {
  receivedAt: Date
}

/** The development mailbox: keeps the latest mails in memory instead of sending them. */
export class Mailbox implements MailTransport {
  readonly #mails: KeptMail[] = []

  async send(mail: OutgoingMail): Promise<void> {
    this.#mails.push({ ...mail, receivedAt: new Date() })
    if (this.#mails.length > MOST_MAILS) this.#mails.shift()
  }

  /** The newest first. */
  list(): KeptMail[] {
    return this.#mails.toReversed()
  }

  close(): void {}
}
