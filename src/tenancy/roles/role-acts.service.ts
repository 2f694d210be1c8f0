import { catalogue, isAdministrative, type AccessLevel } from '../../access/permissions.ts'
import { must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { badInput, conflict, forbidden } from '../../shared/errors.ts'
import { fold } from '../../shared/normalise.ts'
import { newId } from '../../shared/tokens.ts'
import { lockAdministration, lockOrganisation } from '../organisations/administration.ts'
import { readDescriptionLine, readTitle } from '../../shared/titles.ts'
import {
  getAssignableRole,
  getRole,
  mustBeWithinOwn,
  mustStillBeDefined,
  permissionUnknown,
} from './role.service.ts'
import type { CreateRoleInput, Role, UpdateRoleInput } from './role.type.ts'

const DESCRIPTION = ['input', 'description']
const PERMISSIONS = ['input', 'permissions']

/** Defines a role that holds nothing its author lacks. */
export async function createRole(work: Work, input: CreateRoleInput): Promise<Role> {
  const viewer = must(work.viewer, 'manageRole')
  const name = readTitle(input.name, ['input', 'name'])
  const draft = {
    builtIn: false,
    level: input.level,
    permissions: readPermissions(viewer, input.permissions, input.level),
    visibility: input.visibility,
  }
  mustBeWithinOwn(viewer, draft, name)
  await lockOrganisation(work, viewer.organisationId)
  await mustStillBeDefined(work, viewer, input.permissions, PERMISSIONS)
  await mustBeFree(work, viewer, draft.level, name, null)
  const id = newId()
  await work.db.rows(sql`
    insert into role (id, created_at, updated_at, organisation_id, name, sort_name, description, level, permissions, visibility)
    values (${id}, ${work.now}, ${work.now}, ${viewer.organisationId}, ${name}, ${fold(name)},
      ${readDescriptionLine(input.description, DESCRIPTION)}, ${draft.level}, ${draft.permissions}::text[], ${draft.visibility})`)
  await record(work, 'role.created', {
    organisationId: viewer.organisationId,
    target: { kind: 'Role', id, name },
    changes: [{ field: 'permissions', before: null, after: draft.permissions.join(' ') }],
  })
  return getRole(work, viewer, id)
}

/** Changes a role; its holders feel it on their next request. Neither what it was nor what it becomes may be beyond the author. */
export async function updateRole(work: Work, id: string, input: UpdateRoleInput): Promise<Role> {
  const viewer = must(work.viewer, 'manageRole')
  const keepAdministrator = await lockAdministration(work, viewer.organisationId)
  const role = await getChangeableRole(work, viewer, id)
  const after = {
    name: input.name === undefined ? role.name : readTitle(input.name ?? '', ['input', 'name']),
    description:
      input.description === undefined
        ? role.description
        : readDescriptionLine(input.description, DESCRIPTION),
    permissions: input.permissions
      ? readPermissions(viewer, input.permissions, role.level)
      : role.permissions,
    visibility: input.visibility ?? role.visibility,
  }
  mustBeWithinOwn(viewer, { ...role, ...after }, after.name)
  if (input.permissions) await mustStillBeDefined(work, viewer, input.permissions, PERMISSIONS)
  await mustBeFree(work, viewer, role.level, after.name, role.id)
  if (isAdministrative({ ...role, ...after }) && (await isDefault(work, role.id)))
    throw forbidden('POLICY_FORBIDS', 'A default role cannot become an administrative one.')
  await work.db.rows(sql`
    update role set name = ${after.name}, sort_name = ${fold(after.name)}, description = ${after.description},
      permissions = ${after.permissions}::text[], visibility = ${after.visibility}, updated_at = ${work.now}
    where id = ${role.id}`)
  await keepAdministrator()
  await record(work, 'role.updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'Role', id: role.id, name: after.name },
    changes: changesBetween(role, after),
  })
  return getRole(work, viewer, role.id)
}

/** Deletes a role; while anything names it, a replacement that the viewer may hand out takes its place everywhere. */
export async function deleteRole(
  work: Work,
  id: string,
  replacementId: string | null,
): Promise<Role> {
  const viewer = must(work.viewer, 'manageRole')
  const keepAdministrator = await lockAdministration(work, viewer.organisationId)
  const role = await getChangeableRole(work, viewer, id)
  if (replacementId === role.id)
    throw badInput(
      ['replacementId'],
      'INVALID_FORMAT',
      'Name another role than the one to be deleted.',
    )
  const replacement = replacementId
    ? await getAssignableRole(work, viewer, replacementId, role.level, null, ['replacementId'])
    : null
  if (!replacement && (await isNamed(work, role.id)))
    throw conflict('IN_USE', 'The role is held or named somewhere. Say which one takes its place.')
  if (replacement && isAdministrative(replacement) && (await isDefault(work, role.id)))
    throw forbidden('POLICY_FORBIDS', 'A default role cannot be an administrative one.')
  if (replacement) await replaceRole(work, role.id, replacement.id)
  await work.db.rows(
    sql`update role set deleted_at = ${work.now}, updated_at = ${work.now} where id = ${role.id}`,
  )
  await keepAdministrator()
  await record(work, 'role.deleted', {
    organisationId: viewer.organisationId,
    target: { kind: 'Role', id: role.id, name: role.name },
    changes: replacement
      ? [{ field: 'replacement', before: role.name, after: replacement.name }]
      : [],
  })
  return role
}

async function replaceRole(work: Work, from: string, to: string): Promise<void> {
  // holders that the viewer's role does not show move too
  await work.as({ role: 'system' }, async () => {
    await work.db.rows(
      sql`update principal set role_id = ${to}, updated_at = ${work.now} where role_id = ${from}`,
    )
    await work.db.rows(sql`update project_access set role_id = ${to} where role_id = ${from}`)
    await work.db.rows(
      sql`update organisation set default_role_id = ${to} where default_role_id = ${from}`,
    )
    await work.db.rows(sql`
      update project set registration_default_role_id = ${to} where registration_default_role_id = ${from}`)
    await work.db.rows(sql`update workflow_step set role_id = ${to} where role_id = ${from}`)
  })
}

const isDefault = async (work: Work, id: string) =>
  (await firstRow(
    work.db,
    sql`select id from organisation where default_role_id = ${id}
      union all select id from project where registration_default_role_id = ${id} and deleted_at is null limit 1`,
  )) != null

const isNamed = (work: Work, id: string) =>
  work.as({ role: 'system' }, async () => {
    const holder = await firstRow(
      work.db,
      sql`select id from principal where role_id = ${id} and removed_at is null
        union all select id from project_access where role_id = ${id}
        union all select workflow_id from workflow_step where role_id = ${id} limit 1`,
    )
    return holder != null || (await isDefault(work, id))
  })

/** A courtesy: the unique index is the rule. */
async function mustBeFree(
  work: Work,
  viewer: TenantViewer,
  level: AccessLevel,
  name: string,
  ownId: string | null,
): Promise<void> {
  const taken = await firstRow(
    work.db,
    sql`select id from role where organisation_id = ${viewer.organisationId} and level = ${level}
      and sort_name = ${fold(name)} and deleted_at is null and id is distinct from ${ownId}`,
  )
  if (taken)
    throw conflict('ALREADY_EXISTS', `Another role of the level ${level} has this name.`, [
      'input',
      'name',
    ])
}

async function getChangeableRole(work: Work, viewer: TenantViewer, id: string): Promise<Role> {
  const role = await getRole(work, viewer, id, true)
  if (role.builtIn)
    throw forbidden('POLICY_FORBIDS', 'This role comes with every organisation and cannot change.')
  mustBeWithinOwn(viewer, role, role.name)
  return role
}

/** Names of permissions of one level, each known here. */
function readPermissions(viewer: TenantViewer, names: string[], level: AccessLevel): string[] {
  const known = catalogue(viewer.ownCatalogue)
  for (const [index, name] of names.entries()) {
    const permission = known.find(each => each.name === name)
    const path = ['input', 'permissions', index]
    if (!permission) throw permissionUnknown(path)
    if (permission.level !== level)
      throw badInput(
        path,
        'ROLE_LEVEL_MISMATCH',
        `A role of the level ${level} holds permissions of that level only.`,
      )
  }
  return [...new Set(names)]
}
