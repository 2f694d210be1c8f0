import { forbidden, unauthenticated, type AppError } from '../shared/errors.ts'
import type { DatabaseContext } from '../database/context.ts'
import type { Permission } from './permissions.ts'

export type Visibility = 'ORGANISATION' | 'SHARED_PROJECTS' | 'SELF'
export type SessionTask = 'VERIFY_EMAIL' | 'ENROL_MFA' | 'CHOOSE_ORGANISATION'

/** Who calls: read afresh for every request, so that what was changed a moment ago already holds. */
export interface Viewer {
  userId: string
  sessionId: string
  name: string
  email: string
  emailVerified: boolean
  operator: boolean
  /** Where the session acts; null until an organisation was chosen. */
  organisationId: string | null
  principalId: string | null
  projectId: string | null
  /** Permissions on the organisation, with what they imply. */
  permissions: ReadonlySet<string>
  visibility: Visibility
  tasks: SessionTask[]
  authenticatedAt: Date
}

/** A viewer who acts in an organisation. */
export type TenantViewer = Viewer & { organisationId: string; principalId: string }

/** True where the viewer acts in an organisation and holds `permission` there. Pure: it reads nothing but the viewer. */
export function can(viewer: Viewer | null, permission: Permission): boolean {
  return (
    viewer?.organisationId != null &&
    viewer.principalId != null &&
    viewer.permissions.has(permission)
  )
}

/** Why `can` said no. */
export function refusal(viewer: Viewer | null, permission: Permission): AppError {
  if (!viewer) return unauthenticated()
  if (!viewer.organisationId) return organisationNotChosen()
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

export const organisationNotChosen = () =>
  forbidden('ORGANISATION_NOT_CHOSEN', 'Choose an organisation first with `switchOrganisation`.')

export function inOrganisation(viewer: Viewer | null): TenantViewer {
  if (!viewer) throw unauthenticated()
  if (!viewer.organisationId || !viewer.principalId) throw organisationNotChosen()
  return viewer as TenantViewer
}

/** The database context in which a viewer's own organisation is read and changed. */
export const tenantOf = (viewer: TenantViewer): DatabaseContext => ({
  role: 'tenant',
  organisationId: viewer.organisationId,
  userId: viewer.userId,
})

export const selfOf = (viewer: Viewer): DatabaseContext => ({ role: 'self', userId: viewer.userId })
