import { catalogue, everything, granted, withImplied } from '../../access/permissions.ts'
import { can, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { badInput, forbidden } from '../../shared/errors.ts'
import { getProject, mustSeeProject } from '../../tenancy/projects/project.service.ts'
import type { Owner } from './managed-key.service.ts'

const MOST_PROJECTS = 500

/** Scopes and projects of a new key, none beyond its owner's or its maker's own. */
export async function readLimits(
  work: Work,
  viewer: TenantViewer,
  owner: Owner,
  input: { scopes: string[]; projectIds?: string[] | null },
): Promise<{ scopes: string[]; projectIds: string[] | null }> {
  const scopes = [...new Set(input.scopes)]
  const known = catalogue(viewer.ownCatalogue)
  for (const [index, scope] of scopes.entries())
    if (!known.some(each => each.name === scope))
      throw badInput(
        ['input', 'scopes', index],
        'PERMISSION_UNKNOWN',
        'Name permissions of the catalogue.',
      )
  const ownersOwn = await reachOf(work, viewer, owner.id, owner.role)
  const makersOwn =
    owner.id === viewer.principalId
      ? ownersOwn
      : await reachOf(work, viewer, viewer.principalId, null)
  const beyond = scopes.find(scope => !ownersOwn.has(scope) || !makersOwn.has(scope))
  if (beyond)
    throw forbidden(
      'EXCEEDS_OWN_PERMISSIONS',
      `\`${beyond}\` is beyond the owner of the key, or beyond you.`,
    )
  if (!input.projectIds) return { scopes, projectIds: null }
  return { scopes, projectIds: await readProjects(work, viewer, owner, input.projectIds) }
}

/** Everything that somebody holds: on the organisation, and in any project. */
export async function reachOf(
  work: Work,
  viewer: TenantViewer,
  principalId: string,
  role: Owner['role'] | null,
): Promise<ReadonlySet<string>> {
  const { ownCatalogue } = viewer
  const reach = new Set(role ? granted(role, ownCatalogue) : viewer.permissions)
  const all = role ? role.builtIn : viewer.administrator || can(viewer, 'manageProject')
  if (all) for (const name of everything('PROJECT', ownCatalogue)) reach.add(name)
  const rows = await work.db.rows<{ permissions: string[] }>(sql`
    select r.permissions from project_access a join role r on r.id = a.role_id where a.principal_id = ${principalId}`)
  for (const row of rows) for (const name of withImplied(row.permissions)) reach.add(name)
  return reach
}

/** Projects of the organisation in use that the owner of a key can enter. */
export async function readProjects(
  work: Work,
  viewer: TenantViewer,
  owner: Owner,
  ids: string[],
): Promise<string[]> {
  if (ids.length > MOST_PROJECTS)
    throw badInput(
      ['input', 'projectIds'],
      'OUT_OF_RANGE',
      `Name at most ${MOST_PROJECTS} projects.`,
    )
  const wanted = [...new Set(ids)]
  for (const id of wanted) {
    await getProject(work, viewer, id)
    await mustSeeProject(work, viewer, id)
  }
  if (owner.role.builtIn) return wanted
  const open = await work.db.rows<{ projectId: string }>(sql`
    select project_id as "projectId" from project_access where principal_id = ${owner.id} and project_id = any(${wanted}::uuid[])`)
  if (open.length < wanted.length)
    throw forbidden(
      'EXCEEDS_OWN_PERMISSIONS',
      'A key is confined to projects that its owner can enter.',
    )
  return wanted
}
