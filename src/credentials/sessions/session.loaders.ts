import type { TenantViewer, Viewer } from '../../access/viewer.ts'
import { columns, toDate } from '../../database/columns.ts'
import { join, sql, type Queries, type Sql } from '../../database/sql.ts'
import { readCursor } from '../../shared/cursor.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
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

/** Live sessions, latest activity first. */
export async function listSessions(
  queries: Queries,
  ring: KeyRing,
  scope: SessionScope,
  args: PageArgs,
  ceilings: { idle: number },
  now: Date,
): Promise<Page<Session>> {
  const size = pageSize(args)
  const own = scope.of === 'user'
  const list = [
    'sessions',
    own ? scope.userId : [scope.viewer.organisationId, scope.principalId ?? ''],
  ]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const matching = join(
    [
      own
        ? sql`s.user_id = ${scope.userId}`
        : sql`s.organisation_id = ${scope.viewer.organisationId}`,
      ...(own || !scope.principalId ? [] : [sql`s.principal_id = ${scope.principalId}`]),
      // members that the viewer's role does not show are not shown by their sessions either
      ...(own ? [] : [sql`s.principal_id in (select m.id from principal m)`]),
      sql`s.ended_at is null`,
      sql`s.expires_at > ${now}`,
    ],
    ' and ',
  )
  const beyond: Sql = after
    ? sql`and (s.last_active_at, s.id) < (${after.key}::timestamptz, ${after.id}::uuid)`
    : sql``
  const rows = await queries.rows<Session>(sql`
    select ${columns('s', SESSION_FIELDS)} from session s where ${matching} ${beyond}
    order by s.last_active_at desc, s.id desc limit ${size + 1}`)
  return pageOf({
    ring,
    list,
    args,
    rows: rows.map(row => describeSession(row, scope.viewer, ceilings)),
    position: row => ({ key: String(row.lastActiveAt), id: row.id }),
    count: async () =>
      (
        await queries.rows<{ count: number }>(
          sql`select count(*)::int as count from session s where ${matching}`,
        )
      )[0]?.count ?? 0,
  })
}

/** Adds what a stored session implies. */
export function describeSession(
  row: Session,
  viewer: Viewer | null,
  ceilings: { idle: number },
): Session {
  return {
    ...row,
    tasks: row.principalId ? [] : ['CHOOSE_ORGANISATION'],
    current: row.id === viewer?.sessionId,
    idleExpiresAt: new Date(toDate(row.lastActiveAt).getTime() + ceilings.idle * 1000),
  }
}
