import { toDate, columns, rowAsJson, type Instant } from '../../database/columns.ts'
import { prepared, sql, type Queries } from '../../database/sql.ts'
import { withImplied } from '../../access/permissions.ts'
import { shareLookups } from '../../shared/batch.ts'
import { digest } from '../../shared/tokens.ts'
import { API_KEY_FIELDS } from '../api-keys/api-key.loaders.ts'
import type { ApiKey } from '../api-keys/api-key.type.ts'
import { PRINCIPAL_COLUMNS, readPrincipal, type Caller, type PrincipalTexts } from './caller.ts'
import {
  isOver,
  KEY_PROJECTS,
  mayBeActedFor,
  OWNER_COLUMNS,
  viewerFor,
  type OwnerRow,
} from './owner.ts'

/** What a key's row tells beyond the key itself. */
interface KeyRow extends PrincipalTexts, OwnerRow {
  apiKey: string
  digest: string | null
  previousDigest: string | null
  previousUntil: Instant | null
  projectIds: string[]
}

const BY_DIGEST = prepared(sql`
  select ${rowAsJson('k', columns('k', API_KEY_FIELDS))} as "apiKey", k.digest, k.previous_digest as "previousDigest",
    k.previous_until as "previousUntil",
    ${KEY_PROJECTS} as "projectIds", ${OWNER_COLUMNS}, ${PRINCIPAL_COLUMNS}
  from api_key k
  join principal m on m.id = k.owner_id
  join organisation o on o.id = k.organisation_id
  join role r on r.id = m.role_id
  left join user_account u on u.id = m.user_id
  where (k.digest = any(${'digests'}::text[])
      or (k.previous_digest = any(${'digests'}::text[]) and k.previous_until > ${'now'}))
    and k.revoked_at is null`)

/**
 * Looks callers up by API key: key, principal, account, organisation and role in one statement, shared between the
 * requests of one turn of the event loop. Null for a key that does not work now, whatever the cause.
 */
export function createKeyLookup(system: Queries, clock: () => Date) {
  const shared = shareLookups<string, KeyRow | null>(async digests => {
    const wanted = [...new Set(digests)]
    const now = clock()
    const rows = await system.rows<KeyRow>(BY_DIGEST(wanted, wanted, now))
    const found = new Map(
      rows.flatMap(row => [
        // a row found by its present secret does not bring back the one before
        ...(row.previousUntil && toDate(row.previousUntil) > now
          ? [[row.previousDigest, row] as const]
          : []),
        [row.digest, row] as const,
      ]),
    )
    return digests.map(each => found.get(each) ?? null)
  })
  return async (secret: string): Promise<Caller | null> => {
    const row = await shared.load(digest(secret))
    return row && readCaller(row, clock())
  }
}

function readCaller(row: KeyRow, now: Date): Caller | null {
  const apiKey = { ...(JSON.parse(row.apiKey) as ApiKey), __typename: 'ApiKey' as const }
  const principal = readPrincipal(row)
  if (!principal || isOver(apiKey.expiresAt, now) || !mayBeActedFor(row, principal, now))
    return null
  const { member, organisation, role } = principal
  return {
    session: null,
    apiKey,
    user: null,
    member,
    organisation,
    project: null,
    role,
    generation: 0,
    lastActiveAt: apiKey.lastUsedAt ? toDate(apiKey.lastUsedAt) : new Date(0),
    viewer: viewerFor(row, principal, {
      apiKeyId: apiKey.id,
      scopes: withImplied(apiKey.scopes),
      confinedTo: apiKey.confined ? new Set(row.projectIds) : null,
    }),
  }
}
