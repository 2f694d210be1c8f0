import { type SessionTask, type TenantViewer, type Viewer } from '../../access/viewer.ts'
import {
  childLoaders,
  readChildren,
  type ChildList,
  type ChildLoaders,
  type Parent,
} from '../../database/child-pages.ts'
import { columns } from '../../database/columns.ts'
import { readPage } from '../../database/keyset.ts'
import type { ReadIn } from '../../database/loader.ts'
import { join, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { visible } from '../../tenancy/memberships/member.list.ts'
import {
  SESSION_WITH_LIMITS,
  sessionEnds,
  type SessionCeilings,
} from '../../tenancy/policies/session-end.ts'
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

/** On whose behalf the sessions of members are read, and when. */
interface SessionsOf {
  viewer: TenantViewer
  ceilings: SessionCeilings
  now: Date
}

const sessionColumns = (ceilings: SessionCeilings): Sql => {
  const ends = sessionEnds(ceilings)
  return sql`${columns('s', SESSION_FIELDS)}, ${ends.idle} as "idleExpiresAt", ${ends.absolute} as "expiresAt"`
}

const isLive = (ceilings: SessionCeilings, now: Date): Sql => {
  const ends = sessionEnds(ceilings)
  return sql`s.ended_at is null and ${ends.idle} > ${now}::timestamptz and ${ends.absolute} > ${now}::timestamptz`
}

const LATEST_FIRST = {
  id: raw('s.id'),
  sort: {
    column: raw('s.last_active_at'),
    type: 'timestamptz' as const,
    key: (row: Session) => String(row.lastActiveAt),
  },
  descending: true,
}

/** The live sessions of one member that act in the organisation. */
const SESSIONS_OF: ChildList<Session, SessionsOf> = {
  ...LATEST_FIRST,
  select: ({ ceilings }) => sessionColumns(ceilings),
  from: ({ viewer, ceilings, now }, member) => sql`from ${SESSION_WITH_LIMITS}
    where s.principal_id = ${member} and ${join(actingHere(viewer), ' and ')} and ${isLive(ceilings, now)}`,
  order: raw('found."lastActiveAt" desc, found.id desc'),
  parentOf: row => row.principalId!,
}

export const createSessionLoaders = (read: ReadIn) => ({
  sessionsOf: childLoaders(read, SESSIONS_OF),
})

/** Live sessions of one member, latest activity first. */
export const listSessionsOf = (
  read: ReadIn,
  loaders: ChildLoaders<Session, SessionsOf>,
  ring: KeyRing,
  parent: Parent<SessionsOf>,
  args: PageArgs,
): Promise<Page<Session>> =>
  readChildren({
    read,
    ring,
    identity: ['sessionsOf', parent.organisationId, parent.id],
    list: SESSIONS_OF,
    loaders,
    parent,
    args,
    shape: row => describeSession(row, parent.scope.viewer),
  })

/** Which live sessions to list: a person's everywhere, or those acting in the organisation in use. */
export type SessionScope =
  | { of: 'user'; viewer: Viewer | null; userId: string; boundToId: string | null }
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
  const matching = join(
    [
      ...(own ? ownSessions(scope) : actingHere(scope.viewer, scope.principalId)),
      isLive(ceilings, now),
    ],
    ' and ',
  )
  return readPage<Session>({
    ...LATEST_FIRST,
    queries,
    ring,
    list,
    args,
    select: sessionColumns(ceilings),
    from: sql`from ${SESSION_WITH_LIMITS} where ${matching}`,
    shape: row => describeSession(row, scope.viewer),
  })
}

/** A person's own sessions; of one that was begun for an organisation, those alone that act there. */
export const ownSessions = ({
  userId,
  boundToId,
}: {
  userId: string
  boundToId: string | null
}): Sql[] => [
  sql`s.user_id = ${userId}`,
  ...(boundToId ? [sql`s.organisation_id = ${boundToId}`] : []),
]

const actingHere = (viewer: TenantViewer, principalId?: string | null): Sql[] => [
  sql`s.organisation_id = ${viewer.organisationId}`,
  ...visible(viewer, raw('s.principal_id')),
  ...(principalId == null ? [] : [sql`s.principal_id = ${principalId}`]),
]

/** Adds what a stored session implies. */
export const describeSession = (row: Session, viewer: Viewer | null): Session => ({
  ...row,
  tasks: tasksOf(row, viewer),
  current: row.id === viewer?.sessionId,
})

/** Of the session in use it is known what it owes; of others, whether they have a place. */
function tasksOf({ id, principalId }: Session, viewer: Viewer | null): SessionTask[] {
  if (viewer && id === viewer.sessionId) return viewer.tasks
  return principalId ? [] : ['CHOOSE_ORGANISATION']
}
