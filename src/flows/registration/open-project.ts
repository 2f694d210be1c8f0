import { isAdministrative, type AccessLevel } from '../../access/permissions.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { forbidden } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { inDomains } from '../../tenancy/policies/domains.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'

interface GivenRole {
  id: string
  name: string
  level: AccessLevel
  builtIn: boolean
  permissions: string[]
}

/** A project that people may join without being asked, and as what. */
export interface OpenProject {
  projectId: string
  name: string
  organisationId: string
  organisation: string
  /** What newcomers hold on the organisation, and in the project; neither is administrative. */
  organisationRole: GivenRole
  projectRole: GivenRole
  verificationRequired: boolean
  projectDomains: string[]
  organisationDomains: string[]
  signInMethods: SignInMethod[]
}

const roleOf = (alias: 'd' | 'r') =>
  alias === 'd'
    ? sql`jsonb_build_object('id', d.id, 'name', d.name, 'level', d.level, 'builtIn', d.built_in, 'permissions', d.permissions)`
    : sql`jsonb_build_object('id', r.id, 'name', r.name, 'level', r.level, 'builtIn', r.built_in, 'permissions', r.permissions)`

/** A project whose registration is open; as *system*. Null for all others, whatever the cause. */
export async function findOpenProject(queries: Queries, id: string): Promise<OpenProject | null> {
  if (!isId(id)) return null
  const found = await firstRow<OpenProject>(
    queries,
    sql`select p.id as "projectId", p.name, o.id as "organisationId", o.name as organisation,
        ${roleOf('d')} as "organisationRole", ${roleOf('r')} as "projectRole",
        p.registration_email_verification_required as "verificationRequired",
        p.registration_allowed_email_domains as "projectDomains", o.allowed_email_domains as "organisationDomains",
        o.sign_in_methods as "signInMethods"
      from project p
      join organisation o on o.id = p.organisation_id and o.deleted_at is null and o.suspended_at is null
      join role d on d.id = o.default_role_id and d.deleted_at is null
      join role r on r.id = p.registration_default_role_id and r.deleted_at is null
      where p.id = ${id} and p.deleted_at is null and p.registration_enabled`,
  )
  if (!found || isAdministrative(found.organisationRole) || isAdministrative(found.projectRole))
    return null
  return found
}

/** Whether an address is of a mail domain that may register, for the project and for its organisation. */
export const isWelcome = (project: OpenProject, email: string): boolean =>
  inDomains(email, project.projectDomains) && inDomains(email, project.organisationDomains)

/** @throws {AppError} `FORBIDDEN` / `POLICY_FORBIDS` for an address of a mail domain that may not register. */
export function mustBeWelcome(project: OpenProject, email: string): void {
  if (!isWelcome(project, email))
    throw forbidden('POLICY_FORBIDS', 'Only people of certain mail domains may register here.')
}
