import DataLoader from 'dataloader'
import { can, type TenantViewer } from '../../access/viewer.ts'
import {
  childLoaders,
  readChildren,
  type ChildList,
  type ChildLoaders,
} from '../../database/child-pages.ts'
import { columns, toDate } from '../../database/columns.ts'
import { readPage } from '../../database/keyset.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { join, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { type Page, type PageArgs } from '../../shared/page.ts'
import { few } from '../../shared/filters.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import type { ApiKey, ApiKeyFilter, ApiKeyStatus } from './api-key.type.ts'

export const API_KEY_FIELDS = [
  'id',
  'organisationId',
  'ownerId',
  'name',
  'prefix',
  'scopes',
  'confined',
  'allowedIpRanges',
  'createdById',
  'createdAt',
  'issuedAt',
  'expiresAt',
  'expiryLimit',
  'lastUsedAt',
  'lastUsedIpAddress',
  'revokedAt',
] as const

export const apiKeyColumns = (table: string): Sql =>
  sql`${columns(table, API_KEY_FIELDS)}, 'ApiKey' as "__typename"`

/** The keys of one principal, the newest first. */
const KEYS_OF: ChildList<ApiKey, null> = {
  select: () => apiKeyColumns('k'),
  from: (_scope, owner) => sql`from api_key k where k.owner_id = ${owner}`,
  id: raw('k.id'),
  descending: true,
  order: raw('found.id desc'),
  parentOf: row => row.ownerId,
}

export const createApiKeyLoaders = (read: ReadIn) => ({
  keysOf: childLoaders(read, KEYS_OF),
  apiKey: loaderById<ApiKey>(
    read,
    ids => sql`select ${apiKeyColumns('k')} from api_key k where k.id = any(${ids}::uuid[])`,
  ),
  /** What decides whether the keys of a principal work. */
  ownerStanding: loaderById<{
    id: string
    status: string
    suspendedUntil: string | null
    lockedAt: string | null
    removedAt: string | null
  }>(
    read,
    ids =>
      sql`select ${columns('m', ['id', 'status', 'suspendedUntil', 'lockedAt', 'removedAt'])} from principal m where m.id = any(${ids}::uuid[])`,
  ),
  /** Ids of the projects that a confined key is left with. */
  keyProjects: new DataLoader<{ organisationId: string; id: string }, string[], string>(
    async keys => {
      const groups = [...Map.groupBy(keys, key => key.organisationId)]
      const rows = await Promise.all(
        groups.map(([organisationId, some]) =>
          read(organisationId).rows<{ apiKeyId: string; projectId: string }>(sql`
            select kp.api_key_id as "apiKeyId", kp.project_id as "projectId" from api_key_project kp
            join project p on p.id = kp.project_id and p.deleted_at is null
            where kp.api_key_id = any(${some.map(key => key.id)}::uuid[]) order by kp.project_id`),
        ),
      )
      const byKey = Map.groupBy(rows.flat(), row => row.apiKeyId)
      return keys.map(key => (byKey.get(key.id) ?? []).map(row => row.projectId))
    },
    { cacheKeyFn: key => key.id },
  ),
})

/** Whether an owner can use keys at the moment, in SQL over principal `m`. */
const ownerIsWell = (now: Date): Sql => sql`(m.removed_at is null and m.locked_at is null
  and (m.status = 'ACTIVE' or (m.status = 'SUSPENDED' and m.suspended_until <= ${now})))`

/** Written so that each status that few keys have is found by an index of its own. */
function hasStatus(statuses: ApiKeyStatus[], now: Date): Sql {
  const issued = sql`k.revoked_at is null and k.prefix is not null`
  const alive = sql`${issued} and (k.expires_at is null or k.expires_at > ${now})`
  const being: Record<ApiKeyStatus, Sql> = {
    REVOKED: sql`k.revoked_at is not null`,
    PENDING: sql`(k.revoked_at is null and k.prefix is null)`,
    EXPIRED: sql`(${issued} and k.expires_at <= ${now})`,
    BLOCKED: sql`(${alive} and ${ownerIsWell(now)} is not true)`,
    ACTIVE: sql`(${alive} and ${ownerIsWell(now)})`,
  }
  const some = statuses.map(status => being[status])
  return some.length ? sql`(${join(some, ' or ')})` : sql`false`
}

/** Keys of the organisation in use that the viewer may see, the newest first. */
export const listApiKeys = (
  queries: Queries,
  ring: KeyRing,
  viewer: TenantViewer,
  args: PageArgs & { filter?: ApiKeyFilter | null },
  now: Date,
): Promise<Page<ApiKey>> =>
  readPage<ApiKey>({
    queries,
    ring,
    list: ['apiKeys', viewer.organisationId, viewer.principalId, args.filter ?? {}],
    args,
    select: apiKeyColumns('k'),
    from: sql`from api_key k join principal m on m.id = k.owner_id where ${join(
      [sql`k.organisation_id = ${viewer.organisationId}`, seen(viewer)],
      ' and ',
    )}`,
    id: raw('k.id'),
    descending: true,
    narrowed: args.filter && {
      table: raw('api_key k join principal m on m.id = k.owner_id'),
      by: conditions(args.filter, now),
    },
  })

/** Keys of one member or service account, whom the viewer has been shown. */
export const listKeysOf = (
  read: ReadIn,
  loaders: ChildLoaders<ApiKey, null>,
  ring: KeyRing,
  { id, organisationId }: { id: string; organisationId: string },
  args: PageArgs,
): Promise<Page<ApiKey>> =>
  readChildren({
    read,
    ring,
    identity: ['apiKeysOf', organisationId, id],
    list: KEYS_OF,
    loaders,
    parent: { organisationId, id, scope: null },
    args,
  })

/** One's own, and those of whom one manages. */
function seen(viewer: TenantViewer): Sql {
  const some = [sql`k.owner_id = ${viewer.principalId}`]
  if (can(viewer, 'manageUser')) some.push(sql`m.kind = 'MEMBER'`)
  if (can(viewer, 'manageServiceAccount')) some.push(sql`m.kind = 'SERVICE_ACCOUNT'`)
  return sql`(${join(some, ' or ')})`
}

function conditions(filter: ApiKeyFilter | null | undefined, now: Date): Sql[] {
  const some: Sql[] = []
  if (filter?.status) some.push(hasStatus(filter.status, now))
  if (filter?.ownerIds) {
    const owners = few(filter.ownerIds, 'ownerIds').filter(isId)
    some.push(sql`k.owner_id = any(${owners}::uuid[])`)
  }
  if (filter?.unusedSince)
    some.push(sql`(k.last_used_at is null or k.last_used_at < ${toDate(filter.unusedSince)})`)
  if (filter?.expiresBefore) some.push(sql`k.expires_at < ${toDate(filter.expiresBefore)}`)
  return some
}

/**
 * Keys that a person owns; read as *self*.
 *
 * @param only in one organisation; null for all.
 */
export const listOwnKeys = (
  queries: Queries,
  ring: KeyRing,
  userId: string,
  args: PageArgs,
  only: string | null,
): Promise<Page<ApiKey>> =>
  readPage<ApiKey>({
    queries,
    ring,
    list: ['ownApiKeys', userId],
    args,
    select: apiKeyColumns('k'),
    from: sql`from api_key k join principal m on m.id = k.owner_id
      where m.user_id = ${userId} and m.removed_at is null
        ${only ? sql`and m.organisation_id = ${only}` : sql``}`,
    id: raw('k.id'),
    descending: true,
  })
