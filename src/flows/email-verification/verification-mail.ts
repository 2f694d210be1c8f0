import type { Work } from '../../access/work.ts'
import { findAccount, type Account } from '../../accounts/users/user.service.ts'
import type { LinkPlace } from '../../credentials/links/link.service.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { mailLink } from '../mail-requests/link-mail.ts'
import type { MailRequest } from '../mail-requests/mail-request.service.ts'

/** A project that proving an address lets into, in words. */
export interface Registration extends LinkPlace {
  name: string
  organisation: string
}

/** Mails the link that confirms the login of an account; as *system*. */
export const mailConfirmation = (
  work: Work,
  account: Account,
  registration: Registration | null,
): Promise<void> =>
  mailLink(
    work,
    account,
    { kind: 'VERIFY_EMAIL', email: account.email, place: registration },
    data => ({
      template: 'verifyEmail',
      data: {
        ...data,
        changed: account.provenAt != null,
        project: registration && {
          name: registration.name,
          organisation: registration.organisation,
        },
      },
    }),
  )

/** Mails a fresh link where an address waits to be confirmed; as *system*. It keeps what was registered for. */
export async function mailVerification(work: Work, { email }: MailRequest): Promise<void> {
  const account = await findAccount(work, email)
  if (!account || account.emailVerifiedAt) return
  const latest = await firstRow<Registration | Record<keyof Registration, null>>(
    work.db,
    sql`select l.organisation_id as "organisationId", l.project_id as "projectId", p.name, o.name as organisation
      from link l left join project p on p.id = l.project_id left join organisation o on o.id = l.organisation_id
      where l.user_id = ${account.id} and l.kind = 'VERIFY_EMAIL' and l.email = ${email}
      order by l.created_at desc limit 1`,
  )
  await mailConfirmation(work, account, latest?.projectId ? latest : null)
}
