import { everything, granted, isContained, type PermissionInfo } from '../../access/permissions.ts'
import type { Viewer } from '../../access/viewer.ts'
import { columns, rowAsJson, type Instant } from '../../database/columns.ts'
import { sql, type Sql } from '../../database/sql.ts'
import { memberColumns } from '../../tenancy/memberships/member.loaders.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import type { User } from '../../accounts/users/user.type.ts'
import { ORGANISATION_FIELDS } from '../../tenancy/organisations/organisation.loaders.ts'
import type { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import type { Project } from '../../tenancy/projects/project.type.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'
import { ROLE_FIELDS } from '../../tenancy/roles/role.loaders.ts'
import type { Role } from '../../tenancy/roles/role.type.ts'
import type { ApiKey } from '../api-keys/api-key.type.ts'
import type { Session } from '../sessions/session.type.ts'
import { ReadTexts } from './read-texts.ts'
import type { MembershipStanding } from './standing.ts'

/** Everything one statement tells of a caller: the rows `viewer` answers from, and what decides. */
export interface Caller {
  viewer: Viewer
  session: Session | null
  apiKey: ApiKey | null
  user: User | null
  /** Member or service account. */
  member: Member | null
  organisation: Organisation | null
  project: Project | null
  role: Role | null
  /** Generation of the session: access tokens of another one do not hold. */
  generation: number
  /** When the credential was last seen, for the record kept off the request's path. */
  lastActiveAt: Date
}

/** What is read of the principal, whichever credential leads to it: tables `m`, `o` and `r`. */
export const PRINCIPAL_COLUMNS: Sql = sql`
  m.id as "memberId", ${rowAsJson('m', sql`${memberColumns('m')}, m.vouched, m.unproven_project_id as "unprovenProjectId"`)} as "member",
  ${rowAsJson(
    'o',
    sql`${columns('o', ORGANISATION_FIELDS)}, o.deleted_at as "deletedAt", o.sign_in_methods as "signInMethods",
    o.mfa_required as "mfaRequired"`,
  )} as "organisation",
  ${rowAsJson(
    'r',
    sql`${columns('r', ROLE_FIELDS)},
    (select json_agg(json_build_object('name', c.name, 'description', c.description, 'level', c.level, 'builtIn', false)
      order by c.name) from permission c where c.organisation_id = o.id) as "ownCatalogue"`,
  )} as "role"`

/** The columns above, as they arrive. */
export interface PrincipalTexts {
  memberId: string | null
  member: string | null
  organisation: string | null
  role: string | null
}

/** The rows of a principal; null where it acts nowhere. */
export interface PrincipalRows {
  member: Member
  organisation: Organisation
  role: Role
  standing: MembershipStanding
  authority: RoleAuthority
  /** What the organisation asks of sessions. */
  policy: SessionDemands
}

interface SessionDemands {
  signInMethods: SignInMethod[]
  mfaRequired: boolean
}

export function readPrincipal(texts: PrincipalTexts): PrincipalRows | null {
  if (!texts.memberId || !texts.member || !texts.organisation || !texts.role) return null
  const { member, membership } = members.read(texts.memberId, texts.member)
  const organisation = organisations.read(member.organisationId, texts.organisation)
  const { role, authority } = roles.read(member.roleId, texts.role)
  return {
    member,
    organisation,
    role,
    authority,
    policy: organisation,
    standing: {
      ...membership,
      organisationSuspendedAt: organisation.suspendedAt,
      organisationDeletedAt: organisation.deletedAt,
    },
  }
}

const members = new ReadTexts(text => {
  const { vouched, unprovenProjectId, ...member } = JSON.parse(text) as Member &
    Pick<MembershipStanding, 'vouched' | 'unprovenProjectId'>
  const { status, suspendedUntil, lockedAt, removedAt } = member
  const membership = { status, suspendedUntil, lockedAt, removedAt, vouched, unprovenProjectId }
  return { member: Object.freeze(member), membership: Object.freeze(membership) }
})

const organisations = new ReadTexts<Organisation & SessionDemands & { deletedAt: Instant | null }>(
  text => Object.freeze(JSON.parse(text)),
)

const roles = new ReadTexts(text => {
  const { ownCatalogue, ...role } = JSON.parse(text) as Role & {
    ownCatalogue: PermissionInfo[] | null
  }
  const authority = authorityOf({ role, ownCatalogue: ownCatalogue ?? [] }, null)
  return Object.freeze({ role: Object.freeze(role), authority: Object.freeze(authority) })
})

/** What a role allows, narrowed by a key's scopes. */
export type RoleAuthority = ReturnType<typeof authorityOf>

/** What the role of a principal allows, narrowed by a key's scopes. */
export function authorityOf(
  { role, ownCatalogue }: { role: Role; ownCatalogue: PermissionInfo[] },
  scopes: ReadonlySet<string> | null,
) {
  const rolePermissions = granted(
    { builtIn: role.builtIn, level: role.level, permissions: role.permissions },
    ownCatalogue,
  )
  const permissions = scopes ? rolePermissions.intersection(scopes) : rolePermissions
  const all = [...everything('ORGANISATION', ownCatalogue)]
  return {
    rolePermissions,
    permissions,
    ownCatalogue,
    holdsEverything: isContained(
      { builtIn: false, level: 'ORGANISATION', permissions: all },
      permissions,
    ),
    administrator: role.builtIn,
    visibility: role.visibility,
  }
}

/** What whoever acts nowhere may do: nothing. */
export const NO_AUTHORITY: RoleAuthority = Object.freeze({
  rolePermissions: new Set<string>(),
  permissions: new Set<string>(),
  ownCatalogue: [],
  holdsEverything: false,
  administrator: false,
  visibility: 'SELF' as const,
})
