import { inOrganisation, inSession, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { badInput } from '../../shared/errors.ts'
import { readTitle } from '../../shared/titles.ts'
import { getManagedKey, readKey, type Owner } from './managed-key.service.ts'
import type { ApiKey, UpdateApiKeyInput } from './api-key.type.ts'
import { isNarrower, readRanges } from './ip-ranges.ts'
import { projectsOf, readProjects } from './limits.service.ts'

/** Renames a key or narrows it. Limits only ever shrink: null or an empty list never widens one. */
export async function updateApiKey(
  work: Work,
  id: string,
  input: UpdateApiKeyInput,
): Promise<ApiKey> {
  const viewer = inOrganisation(inSession(work.viewer))
  const { key, owner } = await getManagedKey(work, viewer, id)
  const { name, scopes, allowedIpRanges } = key
  const after = {
    name: input.name === undefined ? name : readTitle(input.name ?? '', ['input', 'name']),
    scopes: input.scopes === undefined ? scopes : narrowedScopes(key, input.scopes),
    allowedIpRanges:
      input.allowedIpRanges === undefined
        ? allowedIpRanges
        : narrowedRanges(key, input.allowedIpRanges),
  }
  await work.db.rows(sql`
    update api_key set name = ${after.name}, scopes = ${after.scopes}::text[],
      allowed_ip_ranges = ${after.allowedIpRanges}::text[], updated_at = ${work.now}
    where id = ${key.id}`)
  if (input.projectIds !== undefined) await confine(work, viewer, owner, key, input.projectIds)
  await record(work, 'api_key.updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'ApiKey', id: key.id, name: after.name },
    changes: [
      ...changesBetween({ name, scopes, allowedIpRanges }, after),
      ...(input.projectIds
        ? [{ field: 'projects', before: null, after: input.projectIds.join(' ') }]
        : []),
    ],
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
    const kept = await projectsOf(work, key.id)
    const at = wanted.findIndex(id => !kept.includes(id))
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
