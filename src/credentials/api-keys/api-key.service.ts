import { inOrganisation, inSession, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { toDate } from '../../database/columns.ts'
import { SYSTEM } from '../../database/context.ts'
import { sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { badInput, forbidden } from '../../shared/errors.ts'
import { digest, newId } from '../../shared/tokens.ts'
import { readOrganisationPolicy } from '../../tenancy/policies/policy.ts'
import { readTitle } from '../../shared/titles.ts'
import { getManagedKey, getOwner, mustManage, readKey } from './managed-key.service.ts'
import { notifyOwner } from './api-key.notice.ts'
import type { ApiKey, CreateApiKeyInput } from './api-key.type.ts'
import { readRanges } from './ip-ranges.ts'
import { mustHoldScopes, projectsOf, readLimits } from './limits.service.ts'
import { newSecret, prefixOf } from './secret.ts'

const DAY_MS = 86_400_000
const LONGEST_OVERLAP_MINUTES = 10_080

/**
 * Makes a key. For a service account its administrator sees the secret; for oneself one sees one's own; for another
 * member the key starts `PENDING` without any secret, so that nobody but its owner ever knows one.
 */
export async function createApiKey(
  work: Work,
  input: CreateApiKeyInput,
): Promise<{ apiKey: ApiKey; secret: string | null }> {
  const viewer = inOrganisation(inSession(work.viewer))
  const owner = await getOwner(work, viewer, input.ownerId)
  await mustManage(work, viewer, owner)
  if (owner.unproven)
    throw forbidden('POLICY_FORBIDS', 'Only who has proven their address can own a key.')
  const own = owner.id === viewer.principalId
  const name = readTitle(input.name, ['input', 'name'])
  const { scopes, projectIds } = await readLimits(work, viewer, owner, input)
  const ranges = input.allowedIpRanges
    ? readRanges(input.allowedIpRanges, ['input', 'allowedIpRanges'])
    : null
  const expiresAt = await readExpiry(work, viewer, input.expiresAt ?? null, ['input', 'expiresAt'])
  const secret = own || owner.kind === 'SERVICE_ACCOUNT' ? newSecret() : null

  const id = newId()
  await work.db.rows(sql`
    insert into api_key (id, created_at, updated_at, organisation_id, owner_id, name, prefix, digest, scopes, confined,
      allowed_ip_ranges, created_by_id, issued_at, expires_at, expiry_limit)
    values (${id}, ${work.now}, ${work.now}, ${viewer.organisationId}, ${owner.id}, ${name},
      ${secret && prefixOf(secret)}, ${secret && digest(secret)}, ${scopes}::text[], ${projectIds != null},
      ${ranges}::text[], ${viewer.principalId}, ${secret ? work.now : null}, ${expiresAt}, ${own ? null : expiresAt})`)
  if (projectIds?.length)
    await work.db.rows(sql`
      insert into api_key_project (organisation_id, api_key_id, project_id)
      select ${viewer.organisationId}, ${id}, project from unnest(${projectIds}::uuid[]) as project`)
  await record(work, 'api_key.created', {
    organisationId: viewer.organisationId,
    target: { kind: 'ApiKey', id, name },
    changes: [{ field: 'scopes', before: null, after: scopes.join(' ') }],
  })
  await notifyOwner(work, owner, name, 'created')
  return { apiKey: await readKey(work, id), secret }
}

/**
 * Issues a new secret; the old one stops at once, unless given time to overlap. Renewals of one key run one after the
 * other under its row's lock, so the last of them leaves the one secret that works.
 */
export async function renewApiKey(
  work: Work,
  id: string,
  wanted: Date | null,
  overlapMinutes: number,
): Promise<{ apiKey: ApiKey; secret: string | null }> {
  const viewer = inOrganisation(inSession(work.viewer))
  if (overlapMinutes < 0 || overlapMinutes > LONGEST_OVERLAP_MINUTES)
    throw badInput(
      ['overlapMinutes'],
      'OUT_OF_RANGE',
      `\`overlapMinutes\` takes 0 to ${LONGEST_OVERLAP_MINUTES}, a week.`,
    )
  const { key, owner } = await getManagedKey(work, viewer, id)
  const own = owner.id === viewer.principalId
  if (!own) {
    const projectIds = key.confined ? await projectsOf(work, key.id) : null
    await mustHoldScopes(work, viewer, owner, { scopes: key.scopes, projectIds })
  }
  const expiresAt = await renewedExpiry(work, viewer, key, wanted, own)
  const secret = own || owner.kind === 'SERVICE_ACCOUNT' ? newSecret() : null
  // an administrator who renews somebody's own key stops it: nobody has a secret until the owner takes one
  const works = !key.expiresAt || toDate(key.expiresAt) > work.now
  const overlap =
    secret && works && overlapMinutes > 0
      ? new Date(work.now.getTime() + overlapMinutes * 60_000)
      : null
  await work.as(SYSTEM, () =>
    work.db.rows(sql`
      update api_key set previous_digest = case when ${overlap}::timestamptz is null then null else digest end,
        previous_until = ${overlap}, digest = ${secret && digest(secret)}, prefix = ${secret && prefixOf(secret)},
        issued_at = ${secret ? work.now : null}, expires_at = ${expiresAt},
        expiry_limit = case when ${own} then expiry_limit else ${expiresAt} end, updated_at = ${work.now}
      where id = ${key.id}`),
  )
  await record(work, 'api_key.renewed', {
    organisationId: viewer.organisationId,
    target: { kind: 'ApiKey', id: key.id, name: key.name },
  })
  await notifyOwner(work, owner, key.name, 'renewed')
  return { apiKey: await readKey(work, key.id), secret }
}

/** Stops a key for good. */
export async function revokeApiKey(work: Work, id: string): Promise<ApiKey> {
  const viewer = inOrganisation(inSession(work.viewer))
  const { key } = await getManagedKey(work, viewer, id, true)
  if (key.revokedAt) return key
  await work.db.rows(
    sql`update api_key set revoked_at = ${work.now}, updated_at = ${work.now} where id = ${key.id}`,
  )
  await record(work, 'api_key.revoked', {
    organisationId: viewer.organisationId,
    target: { kind: 'ApiKey', id: key.id, name: key.name },
  })
  return readKey(work, key.id)
}

/** Ends every key of some principals for good. */
export const revokeKeysOf = (work: Work, ...principalIds: string[]) =>
  work.db.rows(sql`
    update api_key set revoked_at = ${work.now}, updated_at = ${work.now}
    where owner_id = any(${principalIds}::uuid[]) and revoked_at is null`)

/** When a key runs out: in the future, and within what the organisation allows. */
async function readExpiry(
  work: Work,
  viewer: TenantViewer,
  wanted: Date | null,
  path: string[],
): Promise<Date | null> {
  const { apiKeyMaxLifetimeDays: days } = await readOrganisationPolicy(
    work.db,
    viewer.organisationId,
  )
  if (wanted && wanted <= work.now)
    throw badInput(path, 'OUT_OF_RANGE', 'An expiry lies in the future.')
  if (days == null) return wanted
  const latest = new Date(work.now.getTime() + days * DAY_MS)
  if (!wanted) return latest
  if (wanted > latest) throw badInput(path, 'OUT_OF_RANGE', `Keys live at most ${days} days here.`)
  return wanted
}

async function renewedExpiry(
  work: Work,
  viewer: TenantViewer,
  key: ApiKey,
  wanted: Date | null,
  own: boolean,
) {
  const limit = own && key.expiryLimit ? toDate(key.expiryLimit) : null
  if (limit && (limit <= work.now || (wanted && wanted > limit)))
    throw forbidden(
      'POLICY_FORBIDS',
      'An administrator has set an expiry that a renewal cannot outlive.',
    )
  const present = key.expiresAt ? toDate(key.expiresAt) : null
  if (!wanted && present && present <= work.now)
    throw badInput(
      ['expiresAt'],
      'REQUIRED',
      'The key has run out. Say until when the new secret works.',
    )
  // who asks for nothing keeps what there is, as far as the organisation still allows it
  const latest = wanted ? null : await readExpiry(work, viewer, null, ['expiresAt'])
  const kept = present ?? limit
  if (kept && latest && kept > latest) return latest
  return readExpiry(work, viewer, wanted ?? kept, ['expiresAt'])
}
