import { everything, granted, isContained, type PermissionInfo } from '../../access/permissions.ts'
import type { Viewer } from '../../access/viewer.ts'
import { columns, rowAt, type Instant } from '../../database/columns.ts'
import { sql, type Sql } from '../../database/sql.ts'
import { MEMBER_FIELDS, memberColumns } from '../../tenancy/memberships/member.loaders.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import type { User } from '../../accounts/users/user.type.ts'
import { ORGANISATION_FIELDS } from '../../tenancy/organisations/organisation.loaders.ts'
import type { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import type { Project } from '../../tenancy/projects/project.type.ts'
import { ROLE_FIELDS } from '../../tenancy/roles/role.loaders.ts'
import type { Role } from '../../tenancy/roles/role.type.ts'
import type { ApiKey } from '../api-keys/api-key.type.ts'
import type { Session } from '../sessions/session.type.ts'
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

const MEMBER_ALL = [...MEMBER_FIELDS, 'lastActiveAt', '__typename']

/** What is read of the principal, whichever credential leads to it: tables `m`, `o` and `r`. */
export const PRINCIPAL_COLUMNS: Sql = sql`${memberColumns('m', 'm.')}, m.vouched,
  ${columns('o', ORGANISATION_FIELDS, 'o.')}, o.deleted_at as "organisationDeletedAt", ${columns('r', ROLE_FIELDS, 'r.')},
  (select jsonb_agg(jsonb_build_object('name', c.name, 'description', c.description, 'level', c.level, 'builtIn', false)
    order by c.name) from permission c where c.organisation_id = o.id) as "ownCatalogue"`

/** The rows of a principal in a joined row; null where it acts nowhere. */
export interface PrincipalRows {
  member: Member
  organisation: Organisation
  role: Role
  standing: MembershipStanding
  ownCatalogue: PermissionInfo[]
}

export function readPrincipal(row: Record<string, unknown>): PrincipalRows | null {
  const member = rowAt<Member>(row, 'm.', MEMBER_ALL)
  const organisation = rowAt<Organisation>(row, 'o.', ORGANISATION_FIELDS)
  const role = rowAt<Role>(row, 'r.', ROLE_FIELDS)
  if (!member || !organisation || !role) return null
  return {
    member,
    organisation,
    role,
    ownCatalogue: (row.ownCatalogue as PermissionInfo[] | null) ?? [],
    standing: {
      ...member,
      vouched: row.vouched as boolean,
      organisationSuspendedAt: organisation.suspendedAt,
      organisationDeletedAt: row.organisationDeletedAt as Instant | null,
    },
  }
}

/** What the role of a principal allows, narrowed by a key's scopes. */
export function authorityOf(
  principal: Pick<PrincipalRows, 'role' | 'ownCatalogue'> | null,
  scopes: ReadonlySet<string> | null,
) {
  if (!principal)
    return {
      rolePermissions: new Set<string>(),
      permissions: new Set<string>(),
      ownCatalogue: [],
      holdsEverything: false,
      administrator: false,
      visibility: 'SELF' as const,
    }
  const { role, ownCatalogue } = principal
  const rolePermissions = granted(
    { builtIn: role.builtIn, level: role.level, permissions: role.permissions },
    ownCatalogue,
  )
  const permissions = scopes
    ? new Set([...rolePermissions].filter(name => scopes.has(name)))
    : rolePermissions
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
