import { type TenantViewer, type Viewer } from '../../access/viewer.ts'
import { columns } from '../../database/columns.ts'
import { readPage } from '../../database/keyset.ts'
import { join, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import { visible } from '../../tenancy/memberships/member.list.ts'
import { SESSION_WITH_LIMITS, sessionEnds, type SessionCeilings } from './session-end.ts'
import type { Session } from './session.type.ts'

export const SESSION_FIELDS = [
  'id',
  'userId',
  'organisationId',
  'principalId',
  'projectId',
  'method',
  'authenticatedAt',
  'mfaVerifiedAt',
  'ipAddress',
  'userAgent',
  'createdAt',
  'lastActiveAt',
  'expiresAt',
  'endedAt',
] as const

/** Which live sessions to list: a person's everywhere, or those acting in the organisation in use. */
export type SessionScope =
  | { of: 'user'; viewer: Viewer | null; userId: string }
  | { of: 'organisation'; viewer: TenantViewer; principalId?: string | null }

/** Live sessions, latest activity first; of members whom the viewer's role shows, where they are not one's own. */
export async function listSessions(
  queries: Queries,
  ring: KeyRing,
  scope: SessionScope,
  args: PageArgs,
  ceilings: SessionCeilings,
  now: Date,
): Promise<Page<Session>> {
  const own = scope.of === 'user'
  const list = [
    'sessions',
    own ? scope.userId : [scope.viewer.organisationId, scope.principalId ?? ''],
  ]
  const ends = sessionEnds(ceilings)
  const matching = join(
    [
      ...(own ? [sql`s.user_id = ${scope.userId}`] : actingHere(scope.viewer, scope.principalId)),
      sql`s.ended_at is null`,
      sql`${ends.idle} > ${now}::timestamptz`,
      sql`${ends.absolute} > ${now}::timestamptz`,
    ],
    ' and ',
  )
  return readPage<Session>({
    queries,
    ring,
    list,
    args,
    select: sql`${columns('s', SESSION_FIELDS)}, ${ends.idle} as "idleExpiresAt", ${ends.absolute} as "expiresAt"`,
    from: sql`from ${SESSION_WITH_LIMITS} where ${matching}`,
    id: raw('s.id'),
    sort: {
      column: raw('s.last_active_at'),
      type: 'timestamptz',
      key: row => String(row.lastActiveAt),
    },
    descending: true,
    shape: row => describeSession(row, scope.viewer),
  })
}

function actingHere(viewer: TenantViewer, principalId: string | null | undefined): Sql[] {
  const shown = visible(viewer)
  return [
    sql`s.organisation_id = ${viewer.organisationId}`,
    ...(shown.length
      ? [sql`s.principal_id in (select m.id from principal m where ${join(shown, ' and ')})`]
      : []),
    ...(principalId == null
      ? []
      : [isId(principalId) ? sql`s.principal_id = ${principalId}` : sql`false`]),
  ]
}

/** Adds what a stored session implies. */
export const describeSession = (row: Session, viewer: Viewer | null): Session => ({
  ...row,
  tasks: row.principalId ? [] : ['CHOOSE_ORGANISATION'],
  current: row.id === viewer?.sessionId,
})
