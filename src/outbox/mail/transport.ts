import { createTransport } from 'nodemailer'

export interface OutgoingMail {
  to: { name: string; address: string }
  from: string
  subject: string
  text: string
  html: string
  messageId: string
}

/** Where mail leaves. */
export interface MailTransport {
  send(mail: OutgoingMail): Promise<void>
  close(): void
}

/** Sends over SMTP (RFC 5321); a server that hangs is given up on. */
export function smtpTransport(url: string): MailTransport {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 4,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 20_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as Parameters<typeof createTransport>[0])
  return {
    send: async mail => void (await transport.sendMail(mail)),
    close: () => transport.close(),
  }
}
