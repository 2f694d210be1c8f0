import { withImplied } from '../../access/permissions.ts'
import type { TenantViewer } from '../../access/viewer.ts'
import type { Instant } from '../../database/columns.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { PRINCIPAL_COLUMNS, readPrincipal, type PrincipalTexts } from './caller.ts'
import {
  isOver,
  KEY_PROJECTS,
  mayBeActedFor,
  OWNER_COLUMNS,
  viewerFor,
  type OwnerRow,
} from './owner.ts'

/** Whose place something takes, and the key that they had set it going with. */
export interface Principal {
  principalId: string
  apiKeyId: string | null
}

interface DeputyRow extends PrincipalTexts, OwnerRow {
  scopes: string[] | null
  confined: boolean | null
  keyInForce: boolean | null
  expiresAt: Instant | null
  projectIds: string[]
}

/**
 * Somebody as a viewer while they are away, with what they may do at this moment and not what they once might: for what
 * acts in their name later. As *system*.
 *
 * @returns null for whoever left, is barred or locked, or whose key is no more.
 */
export async function findDeputy(
  system: Queries,
  { principalId, apiKeyId }: Principal,
  now: Date,
): Promise<TenantViewer | null> {
  const row = await firstRow<DeputyRow>(
    system,
    sql`select k.scopes, k.confined, k.digest is not null and k.revoked_at is null as "keyInForce",
        k.expires_at as "expiresAt", ${KEY_PROJECTS} as "projectIds", ${OWNER_COLUMNS}, ${PRINCIPAL_COLUMNS}
      from principal m
      join organisation o on o.id = m.organisation_id
      join role r on r.id = m.role_id
      left join user_account u on u.id = m.user_id
      left join api_key k on k.id = ${apiKeyId} and k.owner_id = m.id
      where m.id = ${principalId}`,
  )
  const principal = row && readPrincipal(row)
  if (!principal || !mayBeActedFor(row, principal, now)) return null
  if (apiKeyId && (!row.keyInForce || isOver(row.expiresAt, now))) return null
  return viewerFor(row, principal, {
    apiKeyId,
    scopes: apiKeyId ? withImplied(row.scopes ?? []) : null,
    confinedTo: row.confined ? new Set(row.projectIds) : null,
  })
}
