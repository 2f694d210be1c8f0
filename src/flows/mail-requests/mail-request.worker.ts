import { transact, type Server, type Work } from '../../access/work.ts'
import { lifetimeOf } from '../../credentials/links/link.service.ts'
import { SYSTEM } from '../../database/context.ts'
import type { Store } from '../../database/store.ts'
import { mailVerification } from '../email-verification/verification-mail.ts'
import { mailMagicLink } from '../magic-links/magic-link.service.ts'
import { mailPasswordReset } from '../password-reset/password-reset.service.ts'
import {
  MAIL_REQUEST_SEAL,
  type MailRequest,
  type OpenedRequest,
  type WaitingRequest,
} from './mail-request.service.ts'

const SERVE: Record<MailRequest['kind'], (work: Work, request: MailRequest) => Promise<void>> = {
  PASSWORD_RESET: mailPasswordReset,
  VERIFY_EMAIL: mailVerification,
  MAGIC_LINK: mailMagicLink,
}

export interface MailRequestOptions {
  store: Store
  server: Server
  now: () => Date
}

/** Looks up whom a request concerns and mails the link, each in one transaction; what waited too long is dropped. */
export const createMailRequestWorker =
  ({ store, server, now }: MailRequestOptions) =>
  async ({ sealed }: WaitingRequest): Promise<void> => {
    const request = JSON.parse(server.keys.open(MAIL_REQUEST_SEAL, sealed)) as OpenedRequest
    const present = now()
    const waited = present.getTime() - new Date(request.askedAt).getTime()
    // whoever asked has long given up, and may have asked again
    if (waited > lifetimeOf(request.kind, server.config) * 1000) return
    const { from } = request
    await transact(
      { store, context: SYSTEM, viewer: null, now: present, request: from, server },
      work => SERVE[request.kind](work, request),
    )
  }
