import { selfOf, tenantOf, type TenantViewer, type Viewer } from '../../access/viewer.ts'
import type { DatabaseContext } from '../../database/context.ts'
import { columns } from '../../database/columns.ts'
import { join, sql, type Queries, type Sql } from '../../database/sql.ts'
import { readCursor } from '../../shared/cursor.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../../shared/page.ts'
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

type Read = (context: DatabaseContext) => Queries

/** Which live sessions to list: one's own everywhere, or those acting in the organisation in use. */
export type SessionScope =
  | { of: 'self'; viewer: Viewer }
  | { of: 'organisation'; viewer: TenantViewer; principalId?: string | null }

/** Live sessions, latest activity first; of members whom the viewer's role shows, where they are not one's own. */
export async function listSessions(
  read: Read,
  ring: KeyRing,
  scope: SessionScope,
  args: PageArgs,
  ceilings: SessionCeilings,
  now: Date,
): Promise<Page<Session>> {
  const size = pageSize(args)
  const own = scope.of === 'self'
  const list = [
    'sessions',
    own ? scope.viewer.userId : [scope.viewer.organisationId, scope.principalId ?? ''],
  ]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const queries = read(own ? selfOf(scope.viewer) : tenantOf(scope.viewer))
  const ends = sessionEnds(ceilings)
  const matching = join(
    [
      ...(own
        ? [sql`s.user_id = ${scope.viewer.userId}`]
        : actingHere(scope.viewer, scope.principalId)),
      sql`s.ended_at is null`,
      sql`${ends.idle} > ${now}::timestamptz`,
      sql`${ends.absolute} > ${now}::timestamptz`,
    ],
    ' and ',
  )
  const beyond: Sql = after
    ? sql`and (s.last_active_at, s.id) < (${after.key}::timestamptz, ${after.id}::uuid)`
    : sql``
  const rows = await queries.rows<Session>(sql`
    select ${columns('s', SESSION_FIELDS)}, ${ends.idle} as "idleExpiresAt", ${ends.absolute} as "expiresAt"
    from ${SESSION_WITH_LIMITS} where ${matching} ${beyond}
    order by s.last_active_at desc, s.id desc limit ${size + 1}`)
  return pageOf({
    ring,
    list,
    args,
    rows: rows.map(row => describeSession(row, scope.viewer)),
    position: row => ({ key: String(row.lastActiveAt), id: row.id }),
    count: async () =>
      (
        await queries.rows<{ count: number }>(
          sql`select count(*)::int as count from ${SESSION_WITH_LIMITS} where ${matching}`,
        )
      )[0]?.count ?? 0,
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
const describeSession = (row: Session, viewer: Viewer): Session => ({
  ...row,
  tasks: row.principalId ? [] : ['CHOOSE_ORGANISATION'],
  current: row.id === viewer.sessionId,
})
