import { isAbove, must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { changesBetween, record, recordAll } from '../../outbox/events/event.service.ts'
import { badInput, forbidden } from '../../shared/errors.ts'
import { sortKey } from '../../shared/normalise.ts'
import { newId } from '../../shared/tokens.ts'
import { endMemberships } from '../../tenancy/memberships/membership.service.ts'
import { grantAccess } from '../../tenancy/projects/project-access.service.ts'
import { readDescription, readTitle } from '../../shared/titles.ts'
import { getAssignableRole, getRole } from '../../tenancy/roles/role.service.ts'
import { revokeKeysOf } from '../api-keys/api-key.service.ts'
import { getServiceAccount } from './service-account.loaders.ts'
import type {
  CreateServiceAccountInput,
  ServiceAccount,
  UpdateServiceAccountInput,
} from './service-account.type.ts'

/** Creates an identity for a machine, which holds nothing its maker lacks. */
export async function createServiceAccount(
  work: Work,
  input: CreateServiceAccountInput,
): Promise<ServiceAccount> {
  const viewer = must(work.viewer, 'manageServiceAccount')
  const name = readTitle(input.name, ['input', 'name'])
  const role = await getAssignableRole(work, viewer, input.roleId, 'ORGANISATION', null, [
    'input',
    'roleId',
  ])
  const id = newId()
  await work.db.rows(sql`
    insert into principal (id, created_at, updated_at, organisation_id, kind, role_id, first_name, last_name, name,
      sort_name, description, status, created_by_id)
    values (${id}, ${work.now}, ${work.now}, ${viewer.organisationId}, 'SERVICE_ACCOUNT', ${role.id}, ${name}, '', ${name},
      ${sortKey(name)}, ${readDescription(input.description, ['input', 'description'])}, 'ACTIVE', ${viewer.principalId})`)
  const account = { kind: 'SERVICE_ACCOUNT', id, name }
  await grantAccess(work, viewer, account, input.projectAccess ?? [], ['input', 'projectAccess'])
  await record(work, 'service_account.created', {
    organisationId: viewer.organisationId,
    target: { kind: 'ServiceAccount', id, name },
    changes: [{ field: 'role', before: null, after: role.name }],
  })
  return getServiceAccount(work.db, viewer, id)
}

/** Changes a service account, or switches it on or off; off, its keys are blocked. */
export async function updateServiceAccount(
  work: Work,
  id: string,
  input: UpdateServiceAccountInput,
): Promise<ServiceAccount> {
  const viewer = must(work.viewer, 'manageServiceAccount')
  const account = await getManaged(work, viewer, id)
  if (input.roleId === null)
    throw badInput(['input', 'roleId'], 'REQUIRED', 'Every service account holds a role. Name one.')
  const role = input.roleId
    ? await getAssignableRole(work, viewer, input.roleId, 'ORGANISATION', null, ['input', 'roleId'])
    : null
  const after = {
    name: input.name === undefined ? account.name : readTitle(input.name ?? '', ['input', 'name']),
    description:
      input.description === undefined
        ? account.description
        : readDescription(input.description, ['input', 'description']),
    roleId: role?.id ?? account.roleId,
    status: input.enabled == null ? account.status : input.enabled ? 'ACTIVE' : 'INACTIVE',
  }
  await work.db.rows(sql`
    update principal set name = ${after.name}, first_name = ${after.name}, sort_name = ${sortKey(after.name)},
      description = ${after.description}, role_id = ${after.roleId}, status = ${after.status}, updated_at = ${work.now}
    where id = ${account.id}`)
  await record(work, 'service_account.updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'ServiceAccount', id: account.id, name: after.name },
    changes: changesBetween(account, after),
  })
  return getServiceAccount(work.db, viewer, account.id)
}

/** Deletes a service account and revokes its keys for good. */
export async function deleteServiceAccount(work: Work, id: string): Promise<string> {
  const viewer = must(work.viewer, 'manageServiceAccount')
  const account = await getManaged(work, viewer, id)
  await endServiceAccounts(work, viewer, [account], null)
  return account.id
}

/**
 * Deletes several, as decided before.
 *
 * @param reason why, in the actor's words.
 */
export async function endServiceAccounts(
  work: Work,
  { organisationId }: TenantViewer,
  accounts: { id: string; name: string }[],
  reason: string | null,
): Promise<void> {
  const ids = accounts.map(({ id }) => id)
  await revokeKeysOf(work, ...ids)
  await endMemberships(work, ids)
  await recordAll(
    work,
    accounts.map(({ id, name }) => ({
      topic: 'service_account.deleted',
      organisationId,
      target: { kind: 'ServiceAccount', id, name },
      reason,
    })),
  )
}

async function getManaged(work: Work, viewer: TenantViewer, id: string): Promise<ServiceAccount> {
  const account = await getServiceAccount(work.db, viewer, id, true)
  if (!isAbove(viewer, await getRole(work, viewer, account.roleId)))
    throw forbidden(
      'EXCEEDS_OWN_PERMISSIONS',
      'This service account holds permissions that you do not hold.',
    )
  return account
}
