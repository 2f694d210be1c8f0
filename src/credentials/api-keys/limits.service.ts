import { catalogue, everything, granted, withImplied } from '../../access/permissions.ts'
import { inEveryProject, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { badInput, forbidden } from '../../shared/errors.ts'
import { getProject, mustSeeProject } from '../../tenancy/projects/project.service.ts'
import { mustStillBeDefined, permissionUnknown } from '../../tenancy/roles/role.service.ts'
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
  for (const [index, scope] of input.scopes.entries())
    if (!known.some(each => each.name === scope))
      throw permissionUnknown(['input', 'scopes', index])
  await mustStillBeDefined(work, viewer, input.scopes, ['input', 'scopes'])
  const places = await placesOf(work, viewer, owner.id)
  const ownersOwn = reachOf(viewer, owner, places)
  const beyond = scopes.find(scope => !ownersOwn.has(scope))
  if (beyond)
    throw forbidden('EXCEEDS_OWN_PERMISSIONS', `\`${beyond}\` is beyond the owner of the key.`, [
      'input',
      'scopes',
      input.scopes.indexOf(beyond),
    ])
  const projectIds = input.projectIds
    ? await readProjects(work, viewer, owner, input.projectIds)
    : null
  if (owner.id !== viewer.principalId)
    await mustHoldScopes(work, viewer, owner, { scopes, projectIds })
  return { scopes, projectIds }
}

/** What a principal holds by their place in each project that they were let into. */
async function placesOf(
  work: Work,
  viewer: TenantViewer,
  principalId: string,
): Promise<Map<string, ReadonlySet<string>>> {
  const rows = await work.db.rows<{ projectId: string; permissions: string[] }>(sql`
    select a.project_id as "projectId", r.permissions from project_access a join role r on r.id = a.role_id
    join project p on p.id = a.project_id and p.deleted_at is null
    where a.principal_id = ${principalId} and a.organisation_id = ${viewer.organisationId}`)
  return new Map(rows.map(row => [row.projectId, withImplied(row.permissions)]))
}

/** Everything that the owner of a key holds: on the organisation, and in any project. */
function reachOf(
  { ownCatalogue }: TenantViewer,
  { role }: Owner,
  places: Map<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const reach = new Set(granted(role, ownCatalogue))
  if (role.builtIn) for (const name of everything('PROJECT', ownCatalogue)) reach.add(name)
  for (const held of places.values()) for (const name of held) reach.add(name)
  return reach
}

/**
 * Whoever makes or renews a key of somebody else's holds all that it will: on the organisation, and in each project in
 * which its owner holds it, for a secret acts there.
 *
 * @throws {AppError} `FORBIDDEN` / `EXCEEDS_OWN_PERMISSIONS`.
 */
export async function mustHoldScopes(
  work: Work,
  viewer: TenantViewer,
  owner: Owner,
  { scopes, projectIds }: { scopes: string[]; projectIds: string[] | null },
): Promise<void> {
  const inside = everything('PROJECT', viewer.ownCatalogue)
  const beyond =
    scopes.find(scope => !inside.has(scope) && !viewer.permissions.has(scope)) ??
    (await scopeBeyond(
      work,
      viewer,
      owner,
      scopes.filter(scope => inside.has(scope)),
      projectIds,
    ))
  if (beyond)
    throw forbidden('EXCEEDS_OWN_PERMISSIONS', `The key holds \`${beyond}\`, which you do not.`)
}

/** One of some permissions in projects that the owner of a key holds in a project where the viewer does not. */
async function scopeBeyond(
  work: Work,
  viewer: TenantViewer,
  owner: Owner,
  scopes: string[],
  projectIds: string[] | null,
): Promise<string | undefined> {
  if (!scopes.length) return undefined
  const everywhere = inEveryProject(viewer)
  const rest = scopes.filter(scope => !everywhere.has(scope))
  if (!rest.length) return undefined
  const places = await placesOf(work, viewer, owner.id)
  const own = await placesOf(work, viewer, viewer.principalId)
  const holds = (projectId: string, scope: string) => own.get(projectId)?.has(scope) ?? false
  // an Administrator holds it in every project there is, and in those to come
  if (owner.role.builtIn)
    return rest.find(scope => !projectIds || projectIds.some(id => !holds(id, scope)))
  const reached = [...places].filter(([projectId]) => !projectIds || projectIds.includes(projectId))
  return rest.find(
    scope =>
      // what the owner holds nowhere at the moment they may hold again
      !own.values().some(held => held.has(scope)) ||
      reached.some(([projectId, held]) => held.has(scope) && !holds(projectId, scope)),
  )
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
      ['input', 'projectIds'],
    )
  return wanted
}

/** The projects that a key is confined to, deleted ones included. */
export async function projectsOf(work: Work, apiKeyId: string): Promise<string[]> {
  const rows = await work.db.rows<{ projectId: string }>(
    sql`select project_id as "projectId" from api_key_project where api_key_id = ${apiKeyId}`,
  )
  return rows.map(row => row.projectId)
}
