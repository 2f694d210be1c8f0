import { createTransport } from 'nodemailer'
import { Refused } from '../jobs.ts'

export interface OutgoingMail {
  to: { name: string; address: string }
  from: string
  subject: string
  text: string
  html: string
  messageId: string
  /** Further headers by name. */
  headers: Record<string, string>
}

/** Where mail leaves. */
export interface MailTransport {
  /** @throws {Refused} where the recipient or the mail itself was refused for good. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<void>
  close(): void
}

/** As many as there are workers, so that no mail waits for the connection of another that hangs. */
const CONNECTIONS = 8

/** Sends over SMTP (RFC 5321); a server that hangs is given up on. */
export function smtpTransport(url: string): MailTransport {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 25_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as Parameters<typeof createTransport>[0])
  return {
    send: async (mail, signal) => {
      await transport.sendMail({ ...mail, signal }).catch(sayPlainly)
    },
    close: () => transport.close({ force: true }),
  }
}

interface SmtpFailure {
  code?: string
  command?: string
  responseCode?: number
}

const OF_THE_WAY = new Set(['ESOCKET', 'ECONNECTION', 'EDNS', 'ETIMEDOUT', 'ETLS', 'EABORT'])

/** The server's own words are kept back: they may repeat the address, or the mail with its link. */
function sayPlainly(error: Error & SmtpFailure): never {
  const { code = 'failed', command, responseCode } = error
  const words = OF_THE_WAY.has(code) && !responseCode ? error.message : undefined
  const message = [words ?? 'The mail server refused', responseCode, code, command]
    .filter(Boolean)
    .join(' ')
  throw isForGood(error) ? new Refused(message) : new Error(message)
}

/** A refusal of the sender or of the connection is about the settings, which somebody may still mend. */
const isForGood = ({ code, command = '', responseCode }: SmtpFailure) =>
  responseCode
    ? responseCode >= 500 && ['RCPT TO', 'DATA'].includes(command)
    : code === 'EENVELOPE' || code === 'EMESSAGE'
