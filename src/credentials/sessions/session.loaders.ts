import {
  selfOf,
  tenantOf,
  type Person,
  type TenantViewer,
  type Viewer,
} from '../../access/viewer.ts'
import type { DatabaseContext } from '../../database/context.ts'
import { columns, toDate } from '../../database/columns.ts'
import { readPage } from '../../database/keyset.ts'
import { join, sql, type Queries, raw } from '../../database/sql.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
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

type Read = (context: DatabaseContext) => Queries

/** Which live sessions to list: one's own everywhere, or those acting in the organisation in use. */
export type SessionScope =
  | { of: 'self'; viewer: Person }
  | { of: 'organisation'; viewer: TenantViewer; principalId?: string | null }

/** Live sessions, latest activity first. */
export async function listSessions(
  read: Read,
  ring: KeyRing,
  scope: SessionScope,
  args: PageArgs,
  ceilings: { idle: number },
  now: Date,
): Promise<Page<Session>> {
  const own = scope.of === 'self'
  const list = [
    'sessions',
    own ? scope.viewer.userId : [scope.viewer.organisationId, scope.principalId ?? ''],
  ]
  const queries = read(own ? selfOf(scope.viewer) : tenantOf(scope.viewer))
  const matching = join(
    [
      own
        ? sql`s.user_id = ${scope.viewer.userId}`
        : sql`s.organisation_id = ${scope.viewer.organisationId}`,
      ...(own || !scope.principalId ? [] : [sql`s.principal_id = ${scope.principalId}`]),
      // members that the viewer's role does not show are not shown by their sessions either
      ...(own ? [] : [sql`s.principal_id in (select m.id from principal m)`]),
      sql`s.ended_at is null`,
      sql`s.expires_at > ${now}`,
    ],
    ' and ',
  )
  return readPage<Session>({
    queries,
    ring,
    list,
    args,
    select: columns('s', SESSION_FIELDS),
    from: sql`from session s where ${matching}`,
    id: raw('s.id'),
    sort: {
      column: raw('s.last_active_at'),
      type: 'timestamptz',
      key: row => String(row.lastActiveAt),
    },
    descending: true,
    shape: row => describeSession(row, scope.viewer, ceilings),
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
