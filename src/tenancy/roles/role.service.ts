import type { AccessLevel } from '../../access/permissions.ts'
import { withinOwn, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { badInput, forbidden, notFound, type Path } from '../../shared/errors.ts'
import { fold } from '../../shared/normalise.ts'
import { isId, newId } from '../../shared/tokens.ts'
import { ROLE_FIELDS } from './role.loaders.ts'
import type { Role } from './role.type.ts'

/** @throws {AppError} `FORBIDDEN` / `EXCEEDS_OWN_PERMISSIONS` where the role is beyond what the viewer holds. */
export function mustBeWithinOwn(
  viewer: TenantViewer,
  role: Pick<Role, 'builtIn' | 'level' | 'permissions' | 'visibility'>,
  name: string,
  ownInProject: ReadonlySet<string> | null = null,
  path?: Path,
): void {
  if (!withinOwn(viewer, role, ownInProject ?? undefined))
    throw forbidden('EXCEEDS_OWN_PERMISSIONS', `The role "${name}" holds more than you do.`, path)
}

/**
 * A role of the organisation in use that the viewer may hand out, held against change until the transaction ends.
 *
 * @param ownInProject what the viewer holds in the project it is for; null where it is for none in particular.
 * @param path where its id stands in the input.
 * @throws {AppError} `NOT_FOUND`, `BAD_USER_INPUT` / `ROLE_LEVEL_MISMATCH` or `FORBIDDEN` / `EXCEEDS_OWN_PERMISSIONS`.
 */
export async function getAssignableRole(
  work: Work,
  viewer: TenantViewer,
  id: string,
  level: AccessLevel,
  ownInProject: ReadonlySet<string> | null,
  path: Path,
): Promise<Role> {
  return (await findAssignableRoles(work, viewer, [id]))(id, level, ownInProject, path)
}

/** Several of them; what is returned answers for one as `getAssignableRole` does. */
export async function findAssignableRoles(work: Work, viewer: TenantViewer, ids: string[]) {
  const rows = ids.length
    ? await work.db.rows<Role>(sql`
        select ${columns('r', ROLE_FIELDS)} from role r
        where r.id = any(${ids.filter(isId)}::uuid[]) and r.organisation_id = ${viewer.organisationId} and r.deleted_at is null
        order by r.id for share`)
    : []
  const roles = new Map(rows.map(role => [role.id, role]))
  return (
    id: string,
    level: AccessLevel,
    ownInProject: ReadonlySet<string> | null,
    path: Path,
  ): Role => {
    const role = roles.get(id)
    if (!role) throw notFound('role', path)
    if (role.level !== level)
      throw badInput(path, 'ROLE_LEVEL_MISMATCH', `Name a role of the level ${level} here.`)
    mustBeWithinOwn(viewer, role, role.name, ownInProject, path)
    return role
  }
}

/** Names no permission that there is here. The name is not repeated: it may be anything. */
export const permissionUnknown = (path: Path) =>
  badInput(
    path,
    'PERMISSION_UNKNOWN',
    'There is no such permission here. `organisation.permissions` lists them.',
  )

/**
 * Sees to it that nothing is named which was retired since the viewer was read, be it by a field earlier in the same
 * document: it would come back to life with its name. With the organisation locked nothing is retired meanwhile.
 *
 * @throws {AppError} `BAD_USER_INPUT` / `PERMISSION_UNKNOWN`.
 */
export async function mustStillBeDefined(
  work: Work,
  viewer: TenantViewer,
  names: string[],
  path: Path,
): Promise<void> {
  const own = names.filter(name => viewer.ownCatalogue.some(each => each.name === name))
  if (!own.length) return
  const there = await work.db.rows<{ name: string }>(sql`
    select name from permission where organisation_id = ${viewer.organisationId} and name = any(${own}::text[])`)
  const gone = own.find(name => !there.some(each => each.name === name))
  if (gone) throw permissionUnknown([...path, names.indexOf(gone)])
}

/** A live role of the organisation in use. */
export async function getRole(
  work: Work,
  viewer: TenantViewer,
  id: string,
  lock = false,
): Promise<Role> {
  const role = isId(id)
    ? await firstRow<Role>(
        work.db,
        sql`select ${columns('r', ROLE_FIELDS)} from role r
          where r.id = ${id} and r.organisation_id = ${viewer.organisationId} and r.deleted_at is null ${lock ? sql`for update` : sql`for share`}`,
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
