import { USER_FIELDS } from '../../accounts/users/user.loaders.ts'
import type { User } from '../../accounts/users/user.type.ts'
import { columns, rowAsJson, toDate, type Instant } from '../../database/columns.ts'
import { prepared, sql, type Queries } from '../../database/sql.ts'
import { inOrder, shareLookups } from '../../shared/batch.ts'
import { PROJECT_FIELDS } from '../../tenancy/projects/project.loaders.ts'
import type { Project } from '../../tenancy/projects/project.type.ts'
import { SESSION_FIELDS } from '../sessions/session.loaders.ts'
import type { Session } from '../sessions/session.type.ts'
import { PRINCIPAL_COLUMNS, readPrincipal, type Caller, type PrincipalTexts } from './caller.ts'
import { ReadTexts } from './read-texts.ts'
import { stateOf } from './session-state.ts'
import { accountGoesOn, membershipGoesOn } from './standing.ts'

/** Ceilings of the configuration, in seconds. */
export interface SessionCeilings {
  idle: number
  lifetime: number
}

/** What the statement answers: rows as JSON texts, beside what tells them apart. */
interface SessionRow extends PrincipalTexts {
  id: string
  generation: number
  session: string
  user: string
  project: string | null
  confinedToId: string | null
  /** A mailbox of the account was once proven. */
  proven: boolean
  mfaEnabled: boolean
  /** The platform insists on a second factor. */
  mfaRequired: boolean
  /** Seconds. */
  idle: number
  lifetime: number
}

const projects = new ReadTexts<Project>(text => Object.freeze(JSON.parse(text)))

const users = new ReadTexts(text => {
  const { deletedAt, ...user } = JSON.parse(text) as User & { deletedAt: Instant | null }
  return { user: Object.freeze(user), account: Object.freeze({ ...user, deletedAt }) }
})

const sessions = new ReadTexts(text => {
  const session = JSON.parse(text) as Session
  return {
    session: Object.freeze(session),
    createdAt: toDate(session.createdAt),
    authenticatedAt: toDate(session.authenticatedAt),
    lastActiveAt: toDate(session.lastActiveAt),
    expiresAt: toDate(session.expiresAt),
  }
})

const BY_ID = prepared(sql`
  select s.id, s.generation, s.confined_to_id as "confinedToId", u.proven_at is not null as "proven",
    t.mfa_enabled as "mfaEnabled", t.mfa_required as "mfaRequired", ${rowAsJson('s', columns('s', SESSION_FIELDS))} as "session",
    ${rowAsJson(
      'u',
      sql`${columns('u', USER_FIELDS)}, btrim(u.first_name || ' ' || u.last_name) as "name",
    u.deleted_at as "deletedAt"`,
    )} as "user",
    ${PRINCIPAL_COLUMNS}, ${rowAsJson('p', columns('p', PROJECT_FIELDS))} as "project",
    least(t.session_idle_minutes, o.session_idle_minutes) * 60 as "idle",
    least(t.session_lifetime_hours, o.session_lifetime_hours) * 3600 as "lifetime"
  from session s
  join user_account u on u.id = s.user_id
  cross join platform_settings t
  left join principal m on m.id = s.principal_id
  left join organisation o on o.id = s.organisation_id
  left join role r on r.id = m.role_id
  left join project p on p.id = s.project_id and p.deleted_at is null and (r.built_in or exists (
    select from project_access a where a.project_id = p.id and a.principal_id = m.id))
  where s.id = any(${'ids'}::uuid[]) and s.ended_at is null`)

/**
 * Looks callers up by session: session, account, membership, organisation, role and project in one statement, shared
 * between the requests of one turn of the event loop. Nothing is remembered, so what was changed a moment ago already
 * holds. Null where the session is over, whatever ended it.
 */
export function createSessionLookup(system: Queries, ceilings: SessionCeilings, clock: () => Date) {
  const shared = shareLookups<string, SessionRow | null>(async ids => {
    const rows = await system.rows<SessionRow>(BY_ID([...new Set(ids)]))
    return inOrder(ids, rows, row => row.id)
  })
  return async (sessionId: string): Promise<Caller | null> => {
    const row = await shared.load(sessionId)
    return row && readCaller(row, ceilings, clock())
  }
}

function readCaller(row: SessionRow, ceilings: SessionCeilings, now: Date): Caller | null {
  const { session, createdAt, authenticatedAt, lastActiveAt, expiresAt } = sessions.read(
    row.id,
    row.session,
  )
  const { user, account } = users.read(session.userId, row.user)
  const idleEnd = lastActiveAt.getTime() + Math.min(ceilings.idle, row.idle) * 1000
  const lifeEnd = createdAt.getTime() + Math.min(ceilings.lifetime, row.lifetime) * 1000
  const end = Math.min(expiresAt.getTime(), lifeEnd)
  if (now.getTime() >= Math.min(idleEnd, end)) return null
  if (!accountGoesOn(account, now)) return null

  const standing = readPrincipal(row)
  if (standing && !membershipGoesOn(standing.standing, now)) return null
  const { projectId } = session
  const project = projectId && row.project ? projects.read(projectId, row.project) : null
  const { principal, authority, ...state } = stateOf({ ...row, session, user, standing, project })
  const place = principal ? project : null
  return {
    session: {
      ...session,
      // whoever owes something acts nowhere, and whoever was put out of the project, or saw it deleted, is in none
      organisationId: principal?.organisation.id ?? null,
      principalId: principal?.member.id ?? null,
      projectId: place?.id ?? null,
      tasks: state.tasks,
      current: true,
      idleExpiresAt: new Date(idleEnd),
      expiresAt: new Date(end),
    },
    apiKey: null,
    user,
    member: principal?.member ?? null,
    organisation: principal?.organisation ?? null,
    project: place,
    role: principal?.role ?? null,
    generation: row.generation,
    lastActiveAt,
    viewer: {
      credential: 'SESSION',
      userId: user.id,
      sessionId: session.id,
      apiKeyId: null,
      name: principal?.member.name ?? user.name,
      email: user.email,
      emailVerified: user.emailVerifiedAt != null,
      proven: row.proven,
      // what a page of a tenant received is no key to the platform
      operator: user.operator && !state.owes && row.confinedToId == null,
      organisationId: principal?.organisation.id ?? null,
      principalId: principal?.member.id ?? null,
      principalKind: 'MEMBER',
      projectId: place?.id ?? null,
      ...authority,
      scopes: null,
      ...state,
      boundToId: row.confinedToId,
      authenticatedAt,
    },
  }
}
