import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { queueMail } from '../../outbox/mail/mail.service.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'

/** Tells the owner of a personal key that it was made or renewed; machines have no mailbox. */
export async function notifyOwner(
  work: Work,
  owner: Member,
  keyName: string,
  what: 'created' | 'renewed',
): Promise<void> {
  if (owner.kind !== 'MEMBER') return
  const organisation = await firstRow<{ name: string }>(
    work.db,
    sql`select name from organisation where id = ${owner.organisationId}`,
  )
  await queueMail(work, {
    to: owner.email,
    mail: {
      template: 'newKey',
      data: {
        organisation: organisation?.name ?? '',
        firstName: owner.firstName,
        keyName,
        what,
        by: work.viewer?.name ?? '',
      },
    },
  })
}
