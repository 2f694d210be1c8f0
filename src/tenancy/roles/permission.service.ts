import { BUILT_IN, type AccessLevel, type PermissionInfo } from '../../access/permissions.ts'
import { must, withinOwn } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, conflict, forbidden, notFound } from '../../shared/errors.ts'
import { lockAdministration } from '../organisations/administration.ts'
import { readDescriptionLine } from '../../shared/titles.ts'
import { ROLE_FIELDS } from './role.loaders.ts'
import { mustBeWithinOwn } from './role.service.ts'
import type { CreatePermissionInput, Role } from './role.type.ts'

const MOST_OWN = 100
const OWN_NAME = /^[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z0-9]+)*$/
const LONGEST_NAME = 64

/** Gives a name to something that applications will check; at most a hundred, counted under the organisation's lock. */
export async function createPermission(
  work: Work,
  input: CreatePermissionInput,
): Promise<PermissionInfo> {
  const viewer = must(work.viewer, 'manageRole')
  const { name, level } = input
  if (!OWN_NAME.test(name) || name.length > LONGEST_NAME)
    throw badInput(
      ['input', 'name'],
      'INVALID_FORMAT',
      'A name is made of letters, digits and dots, such as `invoice.approve`.',
    )
  const description = readDescriptionLine(input.description, ['input', 'description'])
  if (!description) throw badInput(['input', 'description'], 'REQUIRED', 'Say what it allows.')
  await lockAdministration(work, viewer.organisationId)
  const own = await work.db.rows<{ name: string }>(
    sql`select name from permission where organisation_id = ${viewer.organisationId}`,
  )
  if (own.length >= MOST_OWN)
    throw conflict(
      'STATE_MISMATCH',
      `An organisation has at most ${MOST_OWN} permissions of its own.`,
    )
  if (BUILT_IN.some(each => each.name === name) || own.some(each => each.name === name))
    throw conflict('ALREADY_EXISTS', `There is a permission \`${name}\` already.`, [
      'input',
      'name',
    ])
  await work.db.rows(sql`
    insert into permission (organisation_id, name, description, level, created_at)
    values (${viewer.organisationId}, ${name}, ${description}, ${level}, ${work.now})`)
  await record(work, 'permission.created', {
    organisationId: viewer.organisationId,
    changes: [{ field: 'name', before: null, after: name }],
  })
  return { name, description, level, builtIn: false }
}

/**
 * Retires a permission of the organisation's own, in every role and key. Taking it away is a change of each of those
 * roles, and of what the Administrator holds: neither may be beyond the author's own.
 */
export async function deletePermission(work: Work, name: string): Promise<void> {
  const viewer = must(work.viewer, 'manageRole')
  if (!OWN_NAME.test(name)) throw notFound('permission', ['name'])
  await lockAdministration(work, viewer.organisationId)
  const [gone] = await work.db.rows<{ level: AccessLevel }>(
    sql`delete from permission where organisation_id = ${viewer.organisationId} and name = ${name} returning level`,
  )
  if (!gone) throw notFound('permission', ['name'])
  const itself = { builtIn: false, permissions: [name], visibility: 'SELF', ...gone } as const
  if (!withinOwn(viewer, itself))
    throw forbidden('EXCEEDS_OWN_PERMISSIONS', `You do not hold \`${name}\` yourself.`)
  const changed = await work.db.rows<Role>(sql`
    select ${columns('r', ROLE_FIELDS)} from role r
    where r.organisation_id = ${viewer.organisationId} and ${name} = any(r.permissions) and r.deleted_at is null
    order by r.id for update`)
  for (const role of changed) mustBeWithinOwn(viewer, role, role.name)
  // keys of members that the viewer's role does not show lose it too
  await work.as({ role: 'system' }, async () => {
    await work.db.rows(sql`
      update role set permissions = array_remove(permissions, ${name}), updated_at = ${work.now}
      where organisation_id = ${viewer.organisationId} and ${name} = any(permissions)`)
    await work.db.rows(sql`
      update api_key set scopes = array_remove(scopes, ${name}), updated_at = ${work.now}
      where organisation_id = ${viewer.organisationId} and ${name} = any(scopes)`)
  })
  await record(work, 'permission.deleted', {
    organisationId: viewer.organisationId,
    changes: [{ field: 'name', before: name, after: null }],
  })
}
