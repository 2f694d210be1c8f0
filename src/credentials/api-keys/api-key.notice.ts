import type { Work } from '../../access/work.ts'
import { notify } from '../../accounts/notifications/notification.service.ts'
import { firstRow, sql } from '../../database/sql.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'

/** Tells the owner of a personal key that it was made or renewed; machines have no mailbox. */
export async function notifyOwner(
  work: Work,
  owner: Member,
  keyName: string,
  what: 'created' | 'renewed',
): Promise<void> {
  const { kind, userId, organisationId } = owner
  if (kind !== 'MEMBER' || !userId) return
  const organisation = await firstRow<{ name: string }>(
    work.db,
    sql`select name from organisation where id = ${organisationId}`,
  )
  await notify(work, {
    userId,
    topic: what === 'created' ? 'api_key.created' : 'api_key.renewed',
    organisationId,
    // a key that was made in the owner's own name may have been made by whoever took their session
    security: work.viewer?.userId === userId,
    text: {
      template: 'newKey',
      data: {
        organisation: organisation?.name ?? '',
        keyName,
        what,
        by: work.viewer?.name ?? '',
      },
    },
  })
}
