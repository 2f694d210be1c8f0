import { AppError, forbidden, unauthenticated } from '../shared/errors.ts'
import type { DatabaseContext } from '../database/context.ts'
import {
  everything,
  isContained,
  type AccessLevel,
  type Permission,
  type PermissionInfo,
} from './permissions.ts'

export type Visibility = 'ORGANISATION' | 'SHARED_PROJECTS' | 'SELF'
export type SessionTask = 'VERIFY_EMAIL' | 'ENROL_MFA' | 'CHOOSE_ORGANISATION'
/** What a session owes before it is good for anything but paying it. */
export type Owed = 'VERIFY_EMAIL' | 'ENROL_MFA' | 'PROVE_MFA'

/** Who calls: read afresh for every request, so that what was changed a moment ago already holds. */
export interface Viewer {
  credential: 'SESSION' | 'API_KEY'
  /** The account; null for service accounts. */
  userId: string | null
  sessionId: string | null
  apiKeyId: string | null
  name: string
  email: string
  emailVerified: boolean
  /** A mailbox of the account was once proven, be it the present one or not. */
  proven: boolean
  /** A platform operator, in a session that owes nothing and is not confined to one organisation. */
  operator: boolean
  /** Where the caller acts; null until an organisation was chosen. */
  organisationId: string | null
  principalId: string | null
  principalKind: 'MEMBER' | 'SERVICE_ACCOUNT'
  projectId: string | null
  /** What the role grants on the organisation, with what that implies. */
  rolePermissions: ReadonlySet<string>
  /** The same, narrowed by a key's scopes: what holds. */
  permissions: ReadonlySet<string>
  /** A key's scopes; null for sessions, which are not narrowed. */
  scopes: ReadonlySet<string> | null
  /** The projects that a key, or a member who has yet to prove their address, is confined to; null for all. */
  confinedTo: ReadonlySet<string> | null
  /** The permissions that the organisation has defined itself. */
  ownCatalogue: readonly PermissionInfo[]
  /** True for whoever holds every permission of the organisation: only they are above an Administrator. */
  holdsEverything: boolean
  /** The role is the Administrator: everything in every project. */
  administrator: boolean
  visibility: Visibility
  tasks: SessionTask[]
  /** Until it is paid the session acts nowhere; null for keys. */
  owes: Owed | null
  /** The only organisation that the session may act in: it was begun on a page of one of its projects. */
  boundToId: string | null
  /** Whether the platform or the organisation of the session insists on a second factor. */
  mfaRequired: boolean
  authenticatedAt: Date
}

/** A viewer who acts in an organisation. */
export type TenantViewer = Viewer & { organisationId: string; principalId: string }

/** A person in a session. */
export type Person = Viewer & { userId: string; sessionId: string }

/** True where the viewer acts in an organisation and holds `permission` there. Pure: it reads nothing but the viewer. */
export function can(
  viewer: Pick<Viewer, 'organisationId' | 'principalId' | 'permissions'> | null,
  permission: Permission,
): boolean {
  return (
    viewer?.organisationId != null &&
    viewer.principalId != null &&
    viewer.permissions.has(permission)
  )
}

/** Why `can` said no. */
export function refusal(viewer: Viewer | null, permission: Permission): AppError {
  if (!viewer) return unauthenticated()
  const owed = unfinished(viewer)
  if (owed) return owed
  if (!viewer.organisationId) return organisationNotChosen()
  if (viewer.rolePermissions.has(permission))
    return forbidden('SCOPE_MISSING', `This key lacks the scope \`${permission}\`.`)
  return forbidden(
    'PERMISSION_MISSING',
    `This needs the permission \`${permission}\` in the organisation in use.`,
  )
}

/** @throws {AppError} where the viewer may not; else the viewer, known to act in an organisation. */
export function must(viewer: Viewer | null, permission: Permission): TenantViewer {
  if (!can(viewer, permission)) throw refusal(viewer, permission)
  return viewer as TenantViewer
}

/**
 * Asked where something concerns one project alone, or, without one, the organisation as a whole.
 *
 * @throws {AppError} `FORBIDDEN` / `SCOPE_MISSING` for a key that is confined to other projects.
 */
export function mustReach(viewer: TenantViewer, projectId: string | null): void {
  if (viewer.confinedTo && !(projectId && viewer.confinedTo.has(projectId)))
    throw forbidden(
      'SCOPE_MISSING',
      'This key is confined to some projects, and this goes beyond them.',
    )
}

/** What somebody may hand out, whether they ask now or once sent an invitation. */
export type Authority = Pick<
  Viewer,
  | 'organisationId'
  | 'principalId'
  | 'permissions'
  | 'scopes'
  | 'confinedTo'
  | 'ownCatalogue'
  | 'holdsEverything'
  | 'administrator'
  | 'visibility'
>

/**
 * Containment: nobody hands out, or acts on, more than they hold. Every path that grants or rules asks here. Of a role
 * on the organisation its permissions and its visibility count, of one in a project what the viewer holds there; the
 * Administrator's comes with everything in every project.
 */
export function withinOwn(
  viewer: Authority,
  role: RoleReach & { visibility: Visibility },
  ownInProject: ReadonlySet<string> = inEveryProject(viewer),
): boolean {
  if (role.level === 'PROJECT') return isContained(role, ownInProject)
  const reach = role.builtIn ? everything('PROJECT', viewer.ownCatalogue) : new Set<string>()
  return (
    isAbove(viewer, role) &&
    reach.isSubsetOf(ownInProject) &&
    BREADTH[role.visibility] <= BREADTH[viewer.visibility]
  )
}

interface RoleReach {
  builtIn: boolean
  level: AccessLevel
  permissions: readonly string[]
}

/** Whether the viewer may act on a principal with this role. How much the other sees does not protect them. */
export const isAbove = (viewer: Authority, role: RoleReach): boolean =>
  role.builtIn ? viewer.holdsEverything : isContained(role, viewer.permissions)

const BREADTH: Record<Visibility, number> = { SELF: 0, SHARED_PROJECTS: 1, ORGANISATION: 2 }

/** What the viewer holds in each and every project, or at least in `projectId`, whatever their place in it. */
export function inEveryProject(viewer: Authority, projectId = ''): ReadonlySet<string> {
  if (viewer.confinedTo && !viewer.confinedTo.has(projectId)) return new Set()
  const all = viewer.administrator ? everything('PROJECT', viewer.ownCatalogue) : new Set<string>()
  const narrowed = viewer.scopes ? all.intersection(viewer.scopes) : all
  return can(viewer, 'manageProject') ? narrowed.union(new Set(['manageProjectAccess'])) : narrowed
}

/** What holds of some permissions in a project: all of them for people, those within the scopes for keys. */
export function inProject(
  viewer: Pick<Viewer, 'scopes' | 'confinedTo'>,
  projectId: string,
  names: ReadonlySet<string>,
): ReadonlySet<string> {
  if (viewer.confinedTo && !viewer.confinedTo.has(projectId)) return new Set()
  const { scopes } = viewer
  return scopes ? names.intersection(scopes) : names
}

/** Why a session that owes something is refused; null for whoever owes nothing. */
export function unfinished(viewer: Pick<Viewer, 'owes'> | null): AppError | null {
  switch (viewer?.owes) {
    case 'VERIFY_EMAIL':
      return forbidden('POLICY_FORBIDS', 'Prove your address first, by the link mailed to you.')
    case 'ENROL_MFA':
      return new AppError(
        'MFA_REQUIRED',
        'Add a second factor first, with `startTotpEnrolment`: it is required here.',
      )
    case 'PROVE_MFA':
      return new AppError(
        'MFA_REQUIRED',
        'Prove your second factor first, with `reauthenticate`: it is required here.',
      )
    default:
      return null
  }
}

/** A session that was begun on a page of a tenant, who sees what is done there, acts for that tenant alone. */
export const begunElsewhere = () =>
  forbidden(
    'POLICY_FORBIDS',
    'This session was begun for one organisation. Sign in anew to act for your account.',
  )

/** Who was locked does not let themselves in again. */
export const ownLock = () =>
  forbidden('POLICY_FORBIDS', 'Nobody lifts a lock from themselves. Ask somebody else.')

export const organisationNotChosen = () =>
  forbidden('ORGANISATION_NOT_CHOSEN', 'Choose an organisation first with `switchOrganisation`.')

export const keyNotAllowed = () =>
  forbidden('KEY_NOT_ALLOWED', 'Only people can do this, in a session; not API keys.')

export const operatorsOnly = () =>
  forbidden('PERMISSION_MISSING', 'Only operators of the platform can do this.')

/** @throws {AppError} where the viewer acts in no organisation, or owes something; else the viewer, known to act in one. */
export function inOrganisation(viewer: Viewer | null): TenantViewer {
  if (!viewer) throw unauthenticated()
  const owed = unfinished(viewer)
  if (owed) throw owed
  if (!viewer.organisationId || !viewer.principalId) throw organisationNotChosen()
  return viewer as TenantViewer
}

const NOBODY = '00000000-0000-0000-0000-000000000000'

/**
 * In whose place an organisation's settings, lists and look-ups are read: as the viewer where they act in it, as an
 * operator who looks in from the platform otherwise.
 *
 * @throws {AppError} `FORBIDDEN` / `ORGANISATION_NOT_ACTIVE` for one's own organisation that is not the one in use.
 */
export function inside(viewer: Viewer | null, organisationId: string): TenantViewer {
  if (viewer?.organisationId === organisationId) return inOrganisation(viewer)
  if (!viewer) throw unauthenticated()
  if (!viewer.operator)
    throw forbidden(
      'ORGANISATION_NOT_ACTIVE',
      'Switch to this organisation first with `switchOrganisation`.',
    )
  const all = everything('ORGANISATION', [])
  return {
    ...viewer,
    organisationId,
    principalId: NOBODY,
    permissions: all,
    rolePermissions: all,
    visibility: 'ORGANISATION',
    administrator: true,
    ownCatalogue: [],
  }
}

/** @throws {AppError} for strangers and API keys; else the viewer, known to be a person in a session. */
export function inSession(viewer: Viewer | null): Person {
  if (!viewer) throw unauthenticated()
  if (!viewer.userId || !viewer.sessionId) throw keyNotAllowed()
  return viewer as Person
}

/** @throws {AppError} where the viewer is no person in a session who looks after the platform. */
export function asOperator(viewer: Viewer | null): Person {
  const person = inSession(viewer)
  if (!person.operator) throw operatorsOnly()
  return person
}

/** The database context in which a viewer's own organisation is read and changed. */
export const tenantOf = (viewer: TenantViewer): DatabaseContext => ({
  role: 'tenant',
  organisationId: viewer.organisationId,
  userId: viewer.userId,
  principalId: viewer.principalId,
  visibility: viewer.visibility,
})

/** The database context in which a person's own rows are read and changed, wherever they are. */
export const selfOf = (viewer: Person): DatabaseContext => ({ role: 'self', userId: viewer.userId })

/**
 * The database context in which operators read and change accounts and organisations.
 *
 * @throws {AppError} for anybody else.
 */
export const operatorOf = (viewer: Viewer | null): DatabaseContext => ({
  role: 'operator',
  userId: asOperator(viewer).userId,
})
