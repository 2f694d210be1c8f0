import type { RequestInfo, Work } from '../../access/work.ts'
import { reserveMail } from '../../credentials/links/mail-limit.ts'
import type { Queries } from '../../database/sql.ts'

export const MAIL_REQUEST_SEAL = 'mail-request'

/** A link that somebody, who may be anybody, wants mailed to an address. */
export interface MailRequest {
  kind: 'PASSWORD_RESET' | 'VERIFY_EMAIL' | 'MAGIC_LINK'
  email: string
  /** The project whose page asked. */
  projectId: string | null
}

/** A request as it waits in the queue. Everything about it is sealed, for it names an address. */
export interface WaitingRequest {
  sealed: string
}

/** What the worker finds when it opens one. */
export interface OpenedRequest extends MailRequest {
  from: RequestInfo
  /** ISO 8601. */
  askedAt: string
}

/** What asking for a mail needs of an operation. */
export interface Asking {
  system: Queries
  request: RequestInfo
  now: Date
  /** Ends the reads of earlier fields: on PGlite they hold the only connection. */
  close(): Promise<void>
  asSystem<Result>(unit: (work: Work) => Promise<Result>): Promise<Result>
}

/**
 * Takes a request for a mail in. It is counted and queued; whether there is an account is asked by a worker later, so
 * neither the answer nor the time it takes can tell.
 *
 * @throws {AppError} `RATE_LIMITED`, whoever the address belongs to.
 */
export async function requestMail(
  asking: Asking,
  request: MailRequest,
): Promise<{ email: string }> {
  await asking.close()
  await reserveMail(asking.system, request.email, asking.request.ipAddress, asking.now)
  await asking.asSystem(work => queueRequest(work, request))
  return { email: request.email }
}

/** Queues a request in the transaction of its cause. */
export async function queueRequest(work: Work, request: MailRequest): Promise<void> {
  const full: OpenedRequest = { ...request, from: work.request, askedAt: work.now.toISOString() }
  const data: WaitingRequest = {
    sealed: work.server.keys.seal(MAIL_REQUEST_SEAL, JSON.stringify(full)),
  }
  await work.server.enqueue(work, 'mail-request', data)
}
