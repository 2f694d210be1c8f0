import type { TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { notifyAll, type NoticeText } from '../../accounts/notifications/notification.service.ts'
import { firstRow, sql } from '../../database/sql.ts'
import type { TopicName } from '../../outbox/events/topics.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'

/** What an act comes to for the member it is done to. */
export type Standing = 'LOCKED' | 'SUSPENDED' | 'INACTIVE' | 'REMOVED' | 'UNLOCKED' | 'ACTIVATED'

export interface StandingChange {
  topic: TopicName
  how: Standing
  /** Until when a suspension lasts; null for not until told. */
  until: Date | null
}

/**
 * Tells members that they were barred from the organisation in use, or readmitted, all in the same few statements.
 * Nobody is told what they did themselves, and nobody who has not accepted yet.
 */
export async function tellOfStanding(
  work: Work,
  viewer: TenantViewer,
  members: Member[],
  change: StandingChange,
): Promise<void> {
  const told = members.flatMap(({ kind, userId }) =>
    kind === 'MEMBER' && userId && userId !== viewer.userId ? [userId] : [],
  )
  if (!told.length) return
  const { organisationId } = viewer
  const organisation = await firstRow<{ name: string }>(
    work.db,
    sql`select name from organisation where id = ${organisationId}`,
  )
  const text = textOf(organisation?.name ?? '', change)
  await notifyAll(
    work,
    told.map(userId => ({ userId, topic: change.topic, organisationId, text })),
  )
}

const textOf = (organisation: string, { how, until }: StandingChange): NoticeText =>
  how === 'UNLOCKED' || how === 'ACTIVATED'
    ? { template: 'membershipReadmitted', data: { organisation, how } }
    : {
        template: 'membershipBarred',
        data: { organisation, how, until: until?.toISOString() ?? null },
      }
