import {
  can,
  inOrganisation,
  inSession,
  operatorOf,
  selfOf,
  tenantOf,
  type TenantViewer,
  type Viewer,
} from '../../access/viewer.ts'
import { findNotification } from '../../accounts/notifications/notification.loaders.ts'
import { getUser } from '../../accounts/users/user.loaders.ts'
import { apiKeyColumns } from '../../credentials/api-keys/api-key.loaders.ts'
import { serviceAccountColumns } from '../../credentials/service-accounts/service-account.loaders.ts'
import type { SessionCeilings } from '../../tenancy/policies/session-end.ts'
import { ownSessions, SESSION_FIELDS } from '../../credentials/sessions/session.loaders.ts'
import { FACTOR_COLUMNS, FACTOR_IN_FORCE } from '../../credentials/totp/mfa.loaders.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, join, sql, type Queries, type Statement } from '../../database/sql.ts'
import { INVITATION_FIELDS } from '../../flows/invitations/invitation.loaders.ts'
import type { Caller } from '../../credentials/callers/caller.ts'
import { enterContext, type DatabaseContext } from '../../database/context.ts'
import { sharedReads } from '../../database/shared-reads.ts'
import { AppError, badInput, notFound } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { findItem, findReview } from '../access-reviews/access-review.loaders.ts'
import { findEvent } from '../audit/audit.list.ts'
import { findDelivery, findWebhook } from '../webhooks/webhook.loaders.ts'
import { findRun, findWorkflow } from '../workflows/workflow.loaders.ts'
import { getOrganisation } from '../platform/platform.list.ts'
import { readVisibleMember } from '../../tenancy/memberships/member.list.ts'
import { mayRead } from '../../tenancy/memberships/member.service.ts'
import { ownInProject } from '../../tenancy/projects/project-access.service.ts'
import { getVisibleProject } from '../../tenancy/projects/project.list.ts'
import { PROJECT_ACCESS_FIELDS } from '../../tenancy/projects/project.loaders.ts'
import type { ProjectAccess } from '../../tenancy/projects/project.type.ts'
import { ROLE_FIELDS } from '../../tenancy/roles/role.loaders.ts'

/** What of an operation a look-up needs. */
export interface Looker {
  viewer: Viewer | null
  caller: Caller | null
  ceilings: SessionCeilings
  now: Date
  read: (context: DatabaseContext) => Queries
  readSelf: (userId: string) => Queries
}

/** The same look-ups for many ids of one operation, in as many statements as for one. */
export function lookingTogether(context: Looker): Looker {
  const reads = new Map<string, Queries>()
  const shared = (key: string, queries: () => Queries): Queries => {
    const known = reads.get(key) ?? sharedReads(queries())
    reads.set(key, known)
    return known
  }
  const { viewer, caller, ceilings, now } = context
  return {
    viewer,
    caller,
    ceilings,
    now,
    read: place => shared(enterContext(place), () => context.read(place)),
    readSelf: userId => shared(userId, () => context.readSelf(userId)),
  }
}

type Found = { __typename: string; id: string }

/**
 * Anything by id, under the same rules as every other way of reaching it. One statement asks all tables by primary
 * key, bound by row-level security; then the kind's own rule decides. What may not be seen answers like what is not.
 *
 * @throws {AppError} `BAD_USER_INPUT` for what is no id, `NOT_FOUND` for everything else that is not shown.
 */
export async function findNode(context: Looker, id: string): Promise<Found> {
  if (!isId(id)) throw badInput(['id'], 'INVALID_FORMAT', 'Ids are UUIDs.')
  const { viewer } = context
  if (viewer?.credential === 'SESSION') {
    const own = await findOwn(context, id)
    if (own) return own
  }
  if (viewer?.operator) {
    const seen = await findAsOperator(context, id)
    if (seen) return seen
  }
  if (!viewer?.organisationId) throw notFound('node')
  const inside = inOrganisation(viewer)
  const queries = context.read(tenantOf(inside))
  const kind = await firstRow<{ kind: keyof typeof READERS }>(queries, probe(id))
  if (!kind) throw notFound('node')
  try {
    const found = await READERS[kind.kind](context, queries, inside, id)
    if (found) return { ...found, id, __typename: kind.kind }
  } catch (error) {
    // a door that is shut and a thing that is not there answer alike
    if (!(error instanceof AppError)) throw error
  }
  throw notFound('node')
}

const probe = (id: string): Statement => sql`
  select 'Organisation' as kind from organisation where id = ${id} and deleted_at is null
  union all select case kind when 'MEMBER' then 'Member' else 'ServiceAccount' end from principal where id = ${id}
  union all select 'Role' from role where id = ${id} and deleted_at is null
  union all select 'Project' from project where id = ${id} and deleted_at is null
  union all select 'ProjectAccess' from project_access where id = ${id}
  union all select 'Invitation' from invitation where id = ${id}
  union all select 'Session' from session where id = ${id}
  union all select 'ApiKey' from api_key where id = ${id}
  union all select 'Webhook' from webhook where id = ${id}
  union all select 'WebhookDelivery' from webhook_delivery where id = ${id}
  union all select 'AccessReview' from access_review where id = ${id}
  union all select 'AccessReviewItem' from access_review_item where id = ${id}

  union all select 'Workflow' from workflow where id = ${id}
  union all select 'WorkflowRun' from workflow_run where id = ${id}
  union all select 'AuditEvent' from event where id = ${id}`

type ReadNode = (
  context: Looker,
  queries: Queries,
  viewer: TenantViewer,
  id: string,
) => Promise<object | null | undefined>

const READERS = {
  Organisation: async ({ caller }) => caller?.organisation,
  Member: (_context, queries, viewer, id) => readVisibleMember(queries, mayRead(viewer, id), id),
  ServiceAccount: async (_context, queries, viewer, id) =>
    can(viewer, 'manageServiceAccount')
      ? firstRow(
          queries,
          sql`select ${serviceAccountColumns} from principal m where m.id = ${id} and m.removed_at is null`,
        )
      : null,
  Role: (_context, queries, _viewer, id) =>
    firstRow(queries, sql`select ${columns('r', ROLE_FIELDS)} from role r where r.id = ${id}`),
  Project: ({ read }, _queries, viewer, id) => getVisibleProject(read, viewer, id),
  // seen with its principal, or with its project by those who say who enters there
  ProjectAccess: async (_context, queries, viewer, id) => {
    const access = await firstRow<ProjectAccess & { kind: string }>(
      queries,
      sql`select ${columns('a', PROJECT_ACCESS_FIELDS)}, m.kind from project_access a
        join project p on p.id = a.project_id and p.deleted_at is null join principal m on m.id = a.principal_id
        where a.id = ${id}`,
    )
    if (!access || (viewer.confinedTo && !viewer.confinedTo.has(access.projectId))) return null
    if (access.principalId === viewer.principalId) return access
    if (can(viewer, access.kind === 'MEMBER' ? 'viewUser' : 'manageServiceAccount')) return access
    const own = await ownInProject({ db: queries }, viewer, access.projectId)
    return own.has('manageProjectAccess') ? access : null
  },
  Invitation: async (_context, queries, viewer, id) =>
    can(viewer, 'manageUser')
      ? firstRow(
          queries,
          sql`select ${columns('i', INVITATION_FIELDS)} from invitation i join principal m on m.id = i.principal_id where i.id = ${id}`,
        )
      : null,
  Session: async (context, queries, viewer, id) => {
    if (viewer.credential !== 'SESSION' || !can(viewer, 'manageUser')) return null
    return firstRow(
      queries,
      sql`select ${columns('s', SESSION_FIELDS)}, array[]::text[] as tasks, false as current,
          s.last_active_at + make_interval(secs => ${context.ceilings.idle}) as "idleExpiresAt"
        from session s join principal m on m.id = s.principal_id
        where s.id = ${id} and s.ended_at is null and s.expires_at > ${context.now}`,
    )
  },
  AuditEvent: async (_context, queries, viewer, id) =>
    can(viewer, 'viewAudit') ? findEvent(queries, id) : null,
  AccessReview: async (_context, queries, viewer, id) =>
    can(viewer, 'reviewAccess') ? findReview(queries, viewer, id) : null,
  AccessReviewItem: async (_context, queries, viewer, id) =>
    can(viewer, 'reviewAccess') ? findItem(queries, viewer, id) : null,
  Webhook: async (_context, queries, viewer, id) =>
    can(viewer, 'manageIntegration') ? findWebhook(queries, viewer, id) : null,
  WebhookDelivery: async (_context, queries, viewer, id) =>
    can(viewer, 'manageIntegration') ? findDelivery(queries, viewer, id) : null,
  Workflow: async (_context, queries, viewer, id) =>
    can(viewer, 'manageIntegration') ? findWorkflow(queries, viewer, id) : null,
  WorkflowRun: async (_context, queries, viewer, id) =>
    can(viewer, 'manageIntegration') ? findRun(queries, viewer, id) : null,
  ApiKey: async (_context, queries, viewer, id) =>
    firstRow(
      queries,
      sql`select ${apiKeyColumns('k')} from api_key k join principal m on m.id = k.owner_id
        where k.id = ${id} and (k.owner_id = ${viewer.principalId}
          or (m.kind = 'MEMBER' and ${can(viewer, 'manageUser')})
          or (m.kind = 'SERVICE_ACCOUNT' and ${can(viewer, 'manageServiceAccount')}))`,
    ),
} satisfies Record<string, ReadNode>

/** Accounts and organisations, as `platform` shows them. */
async function findAsOperator(context: Looker, id: string): Promise<Found | null> {
  const queries = context.read(operatorOf(context.viewer))
  const kind = await firstRow<{ kind: 'User' | 'Organisation' }>(
    queries,
    sql`select 'User' as kind from user_account where id = ${id} and deleted_at is null
      union all select 'Organisation' from organisation where id = ${id} and deleted_at is null`,
  )
  if (!kind) return findFactor(queries, id)
  const found =
    kind.kind === 'User'
      ? await getUser(queries, id)
      : await getOrganisation(context.read, context.viewer, id)
  return { ...found, __typename: kind.kind }
}

/** One's own account, sessions and notices, whatever organisation is in use. */
async function findOwn(context: Looker, id: string): Promise<Found | null> {
  const person = inSession(context.viewer)
  if (id === person.userId)
    return { ...(await getUser(context.readSelf(id), id)), __typename: 'User' }
  if (id === person.sessionId) return { ...context.caller!.session!, __typename: 'Session' }
  const session = await firstRow<Found>(
    context.read(selfOf(person)),
    sql`select ${columns('s', SESSION_FIELDS)}, array[]::text[] as tasks, false as current, 'Session' as "__typename",
        s.last_active_at + make_interval(secs => ${context.ceilings.idle}) as "idleExpiresAt"
      from session s where s.id = ${id} and ${join(ownSessions(person), ' and ')} and s.ended_at is null
        and s.expires_at > ${context.now}`,
  )
  if (session) return session
  const notice = person.boundToId
    ? null
    : await findNotification(context.read(selfOf(person)), id, context.now)
  if (notice) return { ...notice, __typename: 'Notification' }
  return findFactor(context.read(selfOf(person)), id)
}

/** A confirmed second factor among those that the context shows. */
async function findFactor(queries: Queries, id: string): Promise<Found | null> {
  const factor = await firstRow<Found>(
    queries,
    sql`select ${FACTOR_COLUMNS}, 'MfaFactor' as "__typename" from totp_factor f
      where f.id = ${id} and ${FACTOR_IN_FORCE}`,
  )
  return factor ?? null
}
