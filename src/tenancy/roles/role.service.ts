import { contains, granted, type AccessLevel } from '../../access/permissions.ts'
import type { TenantViewer, Visibility } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { badInput, forbidden, notFound } from '../../shared/errors.ts'
import { fold } from '../../shared/normalise.ts'
import { isId, newId } from '../../shared/tokens.ts'
import { ROLE_FIELDS } from './role.loaders.ts'
import type { Role } from './role.type.ts'

const BREADTH: Record<Visibility, number> = { SELF: 0, SHARED_PROJECTS: 1, ORGANISATION: 2 }

/**
 * Containment: nobody hands out, or acts on, more than they hold. Every path that grants or rules asks here.
 * On an organisation role its permissions and its visibility count; on a project role, `ownInProject`.
 */
export function withinOwn(
  viewer: Pick<TenantViewer, 'permissions' | 'visibility'>,
  role: Pick<Role, 'level' | 'permissions' | 'builtIn' | 'visibility'>,
  ownInProject: ReadonlySet<string>,
): boolean {
  if (role.level === 'PROJECT') return contains(ownInProject, granted(role))
  return (
    contains(viewer.permissions, granted(role)) &&
    BREADTH[role.visibility] <= BREADTH[viewer.visibility]
  )
}

/**
 * A role of the organisation in use that the viewer may hand out, held against change until the transaction ends.
 *
 * @param path where its id stands in the input.
 * @throws {AppError} `NOT_FOUND`, `BAD_USER_INPUT` / `ROLE_LEVEL_MISMATCH` or `FORBIDDEN` / `EXCEEDS_OWN_PERMISSIONS`.
 */
export async function getAssignableRole(
  work: Work,
  viewer: TenantViewer,
  id: string,
  level: AccessLevel,
  ownInProject: ReadonlySet<string>,
  path: (string | number)[],
): Promise<Role> {
  const role = await getRole(work, viewer, id)
  if (role.level !== level)
    throw badInput(path, 'ROLE_LEVEL_MISMATCH', `Name a role of the level ${level} here.`)
  if (!withinOwn(viewer, role, ownInProject))
    throw forbidden('EXCEEDS_OWN_PERMISSIONS', `The role "${role.name}" holds more than you do.`)
  return role
}

/** A live role of the organisation in use. */
export async function getRole(work: Work, viewer: TenantViewer, id: string): Promise<Role> {
  const role = isId(id)
    ? await firstRow<Role>(
        work.db,
        sql`select ${columns('r', ROLE_FIELDS)} from role r
          where r.id = ${id} and r.organisation_id = ${viewer.organisationId} and r.deleted_at is null for share`,
      )
    : undefined
  if (!role) throw notFound('role')
  return role
}

const FIRST_ROLES = [
  {
    key: 'administrator',
    name: 'Administrator',
    level: 'ORGANISATION',
    permissions: [],
    builtIn: true,
  },
  {
    key: 'member',
    name: 'Member',
    level: 'ORGANISATION',
    permissions: ['viewUser'],
    builtIn: false,
  },
  {
    key: 'projectAdministrator',
    name: 'Project administrator',
    level: 'PROJECT',
    permissions: ['manageProjectAccess'],
    builtIn: false,
  },
  { key: 'viewer', name: 'Viewer', level: 'PROJECT', permissions: [], builtIn: false },
] as const

export type FirstRoles = Record<(typeof FIRST_ROLES)[number]['key'], string>

/** The four roles that every organisation begins with; as *system*. */
export async function createFirstRoles(work: Work, organisationId: string): Promise<FirstRoles> {
  const made: Partial<FirstRoles> = {}
  for (const { key, name, level, permissions, builtIn } of FIRST_ROLES) {
    const id = newId()
    await work.db.rows(sql`
      insert into role (id, created_at, updated_at, organisation_id, name, sort_name, level, permissions, built_in)
      values (${id}, ${work.now}, ${work.now}, ${organisationId}, ${name}, ${fold(name)}, ${level},
        ${[...permissions]}::text[], ${builtIn})`)
    made[key] = id
  }
  return made as FirstRoles
}
