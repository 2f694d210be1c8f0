import { catalogue, everything, granted, withImplied } from '../../access/permissions.ts'
import { can, inOrganisation, inSession, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { badInput, forbidden } from '../../shared/errors.ts'
import { getProject } from '../../tenancy/projects/project.service.ts'
import { readTitle } from '../../tenancy/projects/titles.ts'
import { getManagedKey, readKey, type Owner } from './managed-key.service.ts'
import type { ApiKey, UpdateApiKeyInput } from './api-key.type.ts'
import { isNarrower, readRanges } from './ip-ranges.ts'

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

async function readProjects(
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
  for (const id of wanted) await getProject(work, viewer, id)
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

/** Renames a key or narrows it. Limits only ever shrink: null or an empty list never widens one. */
export async function updateApiKey(
  work: Work,
  id: string,
  input: UpdateApiKeyInput,
): Promise<ApiKey> {
  const viewer = inOrganisation(inSession(work.viewer))
  const { key, owner } = await getManagedKey(work, viewer, id)
  if (input.name !== undefined)
    await renameApiKey(work, viewer, key, readTitle(input.name ?? '', ['input', 'name']))
  const scopes = input.scopes === undefined ? null : narrowedScopes(key, input.scopes)
  const ranges =
    input.allowedIpRanges === undefined ? null : narrowedRanges(key, input.allowedIpRanges)
  if (scopes || ranges)
    await work.db.rows(sql`
      update api_key set scopes = coalesce(${scopes}::text[], scopes),
        allowed_ip_ranges = coalesce(${ranges}::text[], allowed_ip_ranges), updated_at = ${work.now}
      where id = ${key.id}`)
  if (input.projectIds !== undefined) await confine(work, viewer, owner, key, input.projectIds)
  await record(work, 'api_key.updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'ApiKey', id: key.id, name: key.name },
    changes: scopes
      ? [{ field: 'scopes', before: key.scopes.join(' '), after: scopes.join(' ') }]
      : [],
  })
  return readKey(work, key.id)
}

const cannotClear = (field: string) =>
  badInput(['input', field], 'REQUIRED', 'Limits of a key only shrink: one cannot be cleared.')

function narrowedScopes(key: ApiKey, wanted: string[] | null): string[] {
  if (!wanted) throw cannotClear('scopes')
  const at = wanted.findIndex(scope => !key.scopes.includes(scope))
  if (at >= 0)
    throw badInput(['input', 'scopes', at], 'OUT_OF_RANGE', 'Scopes of a key only shrink.')
  return [...new Set(wanted)]
}

function narrowedRanges(key: ApiKey, wanted: string[] | null): string[] {
  if (!wanted) throw cannotClear('allowedIpRanges')
  const ranges = readRanges(wanted, ['input', 'allowedIpRanges'])
  if (key.allowedIpRanges && !isNarrower(ranges, key.allowedIpRanges))
    throw badInput(
      ['input', 'allowedIpRanges'],
      'OUT_OF_RANGE',
      'Network ranges of a key only shrink.',
    )
  return ranges
}

async function confine(
  work: Work,
  viewer: TenantViewer,
  owner: Owner,
  key: ApiKey,
  wanted: string[] | null,
) {
  if (!wanted) throw cannotClear('projectIds')
  if (key.confined) {
    const kept = await work.db.rows<{ projectId: string }>(
      sql`select project_id as "projectId" from api_key_project where api_key_id = ${key.id}`,
    )
    const at = wanted.findIndex(id => !kept.some(row => row.projectId === id))
    if (at >= 0)
      throw badInput(['input', 'projectIds', at], 'OUT_OF_RANGE', 'Projects of a key only shrink.')
  } else await readProjects(work, viewer, owner, wanted)
  await work.db.rows(
    sql`delete from api_key_project where api_key_id = ${key.id} and project_id <> all(${wanted}::uuid[])`,
  )
  if (!key.confined && wanted.length)
    await work.db.rows(sql`
      insert into api_key_project (organisation_id, api_key_id, project_id)
      select ${viewer.organisationId}, ${key.id}, project from unnest(${[...new Set(wanted)]}::uuid[]) as project`)
  await work.db.rows(
    sql`update api_key set confined = true, updated_at = ${work.now} where id = ${key.id}`,
  )
}

/** Renames a key. */
async function renameApiKey(
  work: Work,
  viewer: TenantViewer,
  key: ApiKey,
  name: string,
): Promise<void> {
  await work.db.rows(
    sql`update api_key set name = ${name}, updated_at = ${work.now} where id = ${key.id}`,
  )
  await record(work, 'api_key.updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'ApiKey', id: key.id, name },
    changes: changesBetween({ name: key.name }, { name }),
  })
}
