import { can, isAbove, refusal, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns, rowAt } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { conflict, forbidden, notFound } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { MEMBER_FIELDS } from '../../tenancy/memberships/member.loaders.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { readOrganisationPolicy } from '../../tenancy/policies/policy.ts'
import { ROLE_FIELDS } from '../../tenancy/roles/role.loaders.ts'
import type { Role } from '../../tenancy/roles/role.type.ts'
import { apiKeyColumns } from './api-key.loaders.ts'
import type { ApiKey } from './api-key.type.ts'

/** Somebody who owns keys, with their role. */
export interface Owner extends Member {
  role: Role
  /** A member by registration who has yet to prove their address. */
  unproven: boolean
}

/** A key that the viewer may manage, with its row locked; revoked ones only where asked for. */
export async function getManagedKey(
  work: Work,
  viewer: TenantViewer,
  id: string,
  revokedToo = false,
) {
  const key = isId(id)
    ? await firstRow<ApiKey>(
        work.db,
        sql`select ${apiKeyColumns('k')} from api_key k where k.id = ${id} and k.organisation_id = ${viewer.organisationId} for update`,
      )
    : undefined
  if (!key) throw notFound('API key')
  const owner = await getOwner(work, viewer, key.ownerId, 'API key')
  if (owner.id !== viewer.principalId) {
    // a key that one may not even see is unknown
    if (!can(viewer, owner.kind === 'MEMBER' ? 'manageUser' : 'manageServiceAccount'))
      throw notFound('API key')
    await mustManage(work, viewer, owner)
  }
  if (key.revokedAt && !revokedToo)
    throw conflict('STATE_MISMATCH', 'This key was revoked. Create another.')
  return { key, owner }
}

/** A live principal of the organisation in use; hidden and removed ones are unknown. */
export async function getOwner(
  work: Work,
  viewer: TenantViewer,
  id: string,
  what = 'member or service account',
): Promise<Owner> {
  const found = isId(id)
    ? await firstRow<Record<string, unknown>>(
        work.db,
        sql`select ${columns('m', MEMBER_FIELDS, 'm.')}, ${columns('r', ROLE_FIELDS, 'r.')},
            m.unproven_project_id is not null as unproven
          from principal m join role r on r.id = m.role_id
          where m.id = ${id} and m.organisation_id = ${viewer.organisationId} and m.removed_at is null for share of m`,
      )
    : undefined
  const owner = found && rowAt<Member>(found, 'm.', MEMBER_FIELDS)
  if (!found || !owner) throw notFound(what)
  return {
    ...owner,
    role: rowAt<Role>(found, 'r.', ROLE_FIELDS)!,
    unproven: found.unproven as boolean,
  }
}

/** Somebody who may make and manage the keys of an owner: themselves where the organisation allows it, or whoever manages them. */
export async function mustManage(work: Work, viewer: TenantViewer, owner: Owner): Promise<void> {
  if (owner.status === 'INVITED')
    throw conflict('STATE_MISMATCH', 'This person has not accepted yet.')
  if (owner.id === viewer.principalId) {
    const policy = await readOrganisationPolicy(work.db, viewer.organisationId)
    if (!policy.apiKeySelfService && !can(viewer, 'manageUser'))
      throw forbidden(
        'POLICY_FORBIDS',
        'The organisation does not let members create keys for themselves.',
      )
    return
  }
  const permission = owner.kind === 'MEMBER' ? 'manageUser' : 'manageServiceAccount'
  if (!can(viewer, permission)) throw refusal(viewer, permission)
  if (!isAbove(viewer, owner.role))
    throw forbidden(
      'EXCEEDS_OWN_PERMISSIONS',
      'The owner of this key holds permissions that you do not hold.',
    )
}

/** A key as it now stands, whoever owns it. */
export async function readKey(work: Work, id: string): Promise<ApiKey> {
  const key = await firstRow<ApiKey>(
    work.db,
    sql`select ${apiKeyColumns('k')} from api_key k where k.id = ${id}`,
  )
  if (!key) throw notFound('API key')
  return key
}
