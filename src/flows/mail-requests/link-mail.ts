import type { Work } from '../../access/work.ts'
import { fullName, type Account } from '../../accounts/users/user.service.ts'
import { lockAccount } from '../../credentials/callers/standing.ts'
import { createLink, type NewLink } from '../../credentials/links/link.service.ts'
import { record } from '../../outbox/events/event.service.ts'
import { queueMail } from '../../outbox/mail/mail.service.ts'
import type { Mail } from '../../outbox/mail/templates.ts'

/** What every mail with a link says. */
export interface LinkWords {
  firstName: string
  url: string
  /** ISO 8601. */
  expiresAt: string
}

/**
 * Makes a link for an account and mails it in the language of its owner; as *system*. None for one that was deleted since
 * it was looked up.
 */
export async function mailLink(
  work: Work,
  account: Account,
  link: Omit<NewLink, 'userId'>,
  write: (words: LinkWords) => Mail,
): Promise<void> {
  const standing = await lockAccount(work, account.id)
  if (!standing || standing.deletedAt) return
  const { url, expiresAt } = await createLink(work, { userId: account.id, ...link })
  const { firstName, locale } = account
  await queueMail(work, {
    to: link.email,
    locale,
    expiresAt,
    reader: { userId: account.id, categories: [] },
    mail: write({ firstName, url, expiresAt: expiresAt.toISOString() }),
  })
  await record(work, 'user.link_mailed', {
    organisationId: null,
    target: { kind: 'User', id: account.id, name: fullName(account) },
    changes: [{ field: 'kind', before: null, after: link.kind }],
  })
}
