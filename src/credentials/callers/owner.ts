import type { TenantViewer } from '../../access/viewer.ts'
import { toDate, type Instant } from '../../database/columns.ts'
import { sql, type Sql } from '../../database/sql.ts'
import { authorityOf, type PrincipalRows } from './caller.ts'
import { accountMayEnter, membershipGoesOn, reachOf } from './standing.ts'

/** What is read of the account behind a principal: table `u`. */
export const OWNER_COLUMNS: Sql = sql`u.id as "userId", u.email, u.email_verified_at as "emailVerifiedAt",
  u.proven_at as "provenAt", u.status as "userStatus", u.suspended_until as "userSuspendedUntil",
  u.locked_at as "userLockedAt", u.deleted_at as "userDeletedAt"`

/** The projects that a confined key may act in: table `k`. */
export const KEY_PROJECTS: Sql = sql`array(select kp.project_id::text from api_key_project kp
  join project p on p.id = kp.project_id and p.deleted_at is null where kp.api_key_id = k.id)`

/** The columns above, as they arrive. */
export interface OwnerRow {
  userId: string | null
  email: string | null
  emailVerifiedAt: Instant | null
  provenAt: Instant | null
  userStatus: string
  userSuspendedUntil: Instant | null
  userLockedAt: Instant | null
  userDeletedAt: Instant | null
}

/**
 * Whether something may act in a principal's name while the principal is away: a key, or a workflow. A lock bars that,
 * though sessions go on, and so does everything that ends sessions.
 */
export function mayBeActedFor(
  row: OwnerRow,
  { member, standing }: PrincipalRows,
  now: Date,
): boolean {
  if (!membershipGoesOn(standing, now) || standing.lockedAt) return false
  if (!row.userId) return member.kind !== 'MEMBER'
  const account = {
    status: row.userStatus,
    suspendedUntil: row.userSuspendedUntil,
    lockedAt: row.userLockedAt,
    deletedAt: row.userDeletedAt,
  }
  // who may enter one project only, their address being unproven, is nobody to act for
  return accountMayEnter(account, now) && reachOf(standing, row.provenAt != null) === 'ORGANISATION'
}

export const isOver = (expiresAt: Instant | null, now: Date): boolean =>
  expiresAt != null && toDate(expiresAt) <= now

/** What narrows whoever acts in a principal's name. */
interface Limits {
  apiKeyId: string | null
  /** Permissions, those included that others imply; null for all of the role's. */
  scopes: ReadonlySet<string> | null
  /** Projects; null for all. */
  confinedTo: ReadonlySet<string> | null
}

/**
 * Something that acts in a principal's name, as a viewer. It is no session, so what is for people alone is refused, and
 * it owes no second factor.
 */
export function viewerFor(
  row: OwnerRow,
  { member, organisation, role, authority }: PrincipalRows,
  limits: Limits,
): TenantViewer {
  return {
    credential: 'API_KEY',
    userId: row.userId,
    sessionId: null,
    apiKeyId: limits.apiKeyId,
    name: member.name,
    email: row.email ?? '',
    emailVerified: row.emailVerifiedAt != null,
    proven: row.provenAt != null,
    operator: false,
    organisationId: organisation.id,
    principalId: member.id,
    principalKind: member.kind,
    projectId: null,
    ...authorityOf({ role, ownCatalogue: authority.ownCatalogue }, limits.scopes),
    scopes: limits.scopes,
    confinedTo: limits.confinedTo,
    tasks: [],
    owes: null,
    boundToId: null,
    mfaRequired: false,
    authenticatedAt: new Date(0),
  }
}
