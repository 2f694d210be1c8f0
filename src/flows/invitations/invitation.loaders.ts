import DataLoader from 'dataloader'
import { tenantOf, type TenantViewer } from '../../access/viewer.ts'
import { columns, toDate } from '../../database/columns.ts'
import type { DatabaseContext } from '../../database/context.ts'
import type { ReadIn } from '../../database/loader.ts'
import { readPage } from '../../database/keyset.ts'
import { join, sql, type Queries, type Sql, raw } from '../../database/sql.ts'
import { few } from '../../shared/filters.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { visible } from '../../tenancy/memberships/member.list.ts'
import type { Invitation, InvitationFilter, InvitationStatus } from './invitation.type.ts'

export const INVITATION_FIELDS = [
  'id',
  'organisationId',
  'principalId',
  'email',
  'message',
  'inviterId',
  'sentAt',
  'expiresAt',
  'closedAt',
  'outcome',
  'createdAt',
] as const

export const createInvitationLoaders = (read: ReadIn) => ({
  /** The latest invitation of a member. */
  latestInvitation: new DataLoader<
    { organisationId: string; id: string },
    Invitation | null,
    string
  >(
    async members => {
      const groups = [...Map.groupBy(members, member => member.organisationId)]
      const rows = await Promise.all(
        groups.map(([organisationId, some]) =>
          read(organisationId).rows<Invitation>(sql`
            select distinct on (i.principal_id) ${columns('i', INVITATION_FIELDS)} from invitation i
            where i.principal_id = any(${some.map(member => member.id)}::uuid[])
            order by i.principal_id, i.id desc`),
        ),
      )
      const byMember = new Map(rows.flat().map(row => [row.principalId, row]))
      return members.map(member => byMember.get(member.id) ?? null)
    },
    { cacheKeyFn: member => member.id },
  ),
})

/** How far an invitation has come. */
export function statusOf(invitation: Invitation, now: Date): InvitationStatus {
  if (invitation.outcome) return invitation.outcome
  return toDate(invitation.expiresAt) <= now ? 'EXPIRED' : 'SENT'
}

/** Invitations of the organisation in use, the newest first, as far as the viewer's role shows whom they are for. */
export async function listInvitations(
  read: (context: DatabaseContext) => Queries,
  ring: KeyRing,
  viewer: TenantViewer,
  args: PageArgs & { filter?: InvitationFilter | null },
  now: Date,
): Promise<Page<Invitation>> {
  const matching = join(
    [sql`i.organisation_id = ${viewer.organisationId}`, ...visible(viewer, raw('i.principal_id'))],
    ' and ',
  )
  return readPage<Invitation>({
    queries: read(tenantOf(viewer)),
    ring,
    list: ['invitations', viewer.organisationId, args.filter ?? {}],
    args,
    select: columns('i', INVITATION_FIELDS),
    from: sql`from invitation i where ${matching}`,
    id: raw('i.id'),
    descending: true,
    narrowed: args.filter && {
      table: raw('invitation i'),
      by: conditions(args.filter, now),
    },
  })
}

function conditions(filter: InvitationFilter | null | undefined, now: Date): Sql[] {
  const some: Sql[] = []
  if (filter?.status) some.push(hasStatus(filter.status, now))
  if (filter?.emails) some.push(sql`i.email = any(${few(filter.emails, 'emails')}::text[])`)
  if (filter?.createdAt?.from) some.push(sql`i.created_at >= ${toDate(filter.createdAt.from)}`)
  if (filter?.createdAt?.to) some.push(sql`i.created_at < ${toDate(filter.createdAt.to)}`)
  return some
}

/** Written so that each status is found by an index of its own. */
function hasStatus(statuses: InvitationStatus[], now: Date): Sql {
  const closed = statuses.filter(status => status !== 'SENT' && status !== 'EXPIRED')
  const some: Sql[] = []
  if (closed.length === 1) some.push(sql`i.outcome = ${closed[0]}`)
  if (closed.length > 1) some.push(sql`i.outcome = any(${closed}::text[])`)
  if (statuses.includes('SENT')) some.push(sql`(i.closed_at is null and i.expires_at > ${now})`)
  if (statuses.includes('EXPIRED')) some.push(sql`(i.closed_at is null and i.expires_at <= ${now})`)
  return some.length ? sql`(${join(some, ' or ')})` : sql`false`
}

/**
 * Open invitations to a person's proven address, the newest first; read as *self*.
 *
 * @param only of one organisation; null for all.
 */
export const listOpenInvitations = (
  queries: Queries,
  ring: KeyRing,
  userId: string,
  args: PageArgs,
  now: Date,
  only: string | null,
): Promise<Page<Invitation>> =>
  readPage<Invitation>({
    queries,
    ring,
    list: ['openInvitations', userId],
    args,
    select: columns('i', INVITATION_FIELDS),
    from: sql`from invitation i join organisation o on o.id = i.organisation_id and o.deleted_at is null and o.suspended_at is null
      where i.email = (select u.email from user_account u where u.id = ${userId} and u.email_verified_at is not null)
        and i.closed_at is null and i.expires_at > ${now}
        ${only ? sql`and i.organisation_id = ${only}` : sql``}`,
    id: raw('i.id'),
    descending: true,
  })
