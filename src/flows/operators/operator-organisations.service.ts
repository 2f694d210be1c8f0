import { asOperator } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { notFound } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { ORGANISATION_FIELDS } from '../../tenancy/organisations/organisation.loaders.ts'
import type { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { readReason } from '../members/reason.ts'

/** Bars an organisation: nobody can act in it, from the next request on. */
export async function suspendOrganisation(
  work: Work,
  id: string,
  reason: string | null,
): Promise<Organisation> {
  asOperator(work.viewer)
  const words = readReason(reason)
  const organisation = await getOrganisation(work, id)
  await work.db.rows(sql`
    update organisation set suspended_at = coalesce(suspended_at, ${work.now}), updated_at = ${work.now} where id = ${id}`)
  await endSessions(work, id, 'the organisation was barred')
  await tell(work, 'organisation.suspended', organisation, words)
  return getOrganisation(work, id)
}

/** Readmits a suspended organisation; people sign in again. */
export async function activateOrganisation(work: Work, id: string): Promise<Organisation> {
  asOperator(work.viewer)
  const organisation = await getOrganisation(work, id)
  await work.db.rows(
    sql`update organisation set suspended_at = null, updated_at = ${work.now} where id = ${id}`,
  )
  // one that began while the organisation was being barred does not come back with it
  if (organisation.suspendedAt) await endSessions(work, id, 'the organisation was barred')
  await tell(work, 'organisation.activated', organisation, null)
  return getOrganisation(work, id)
}

/**
 * Deletes an organisation with everything in it; as *system*. Accounts live on. Its rows stay as tombstones that no
 * list shows, so that events still name what they tell of.
 */
export async function deleteOrganisation(work: Work, id: string): Promise<string> {
  asOperator(work.viewer)
  const organisation = await getOrganisation(work, id)
  await endSessions(work, id, 'the organisation was deleted')
  await work.db.rows(sql`
    update api_key set revoked_at = ${work.now}, updated_at = ${work.now} where organisation_id = ${id} and revoked_at is null`)
  await work.db.rows(sql`
    update invitation set closed_at = ${work.now}, outcome = 'REVOKED' where organisation_id = ${id} and closed_at is null`)
  await work.db.rows(sql`delete from project_access where organisation_id = ${id}`)
  await work.db.rows(sql`delete from member_word where organisation_id = ${id}`)
  await work.db.rows(sql`delete from organisation_word where organisation_id = ${id}`)
  await work.db.rows(sql`
    update principal set removed_at = ${work.now}, updated_at = ${work.now} where organisation_id = ${id} and removed_at is null`)
  await work.db.rows(sql`
    update project set deleted_at = ${work.now}, updated_at = ${work.now} where organisation_id = ${id} and deleted_at is null`)
  await work.db.rows(
    sql`update organisation set deleted_at = ${work.now}, updated_at = ${work.now} where id = ${id}`,
  )
  await tell(work, 'organisation.deleted', organisation, null)
  return organisation.id
}

const endSessions = (work: Work, organisationId: string, reason: string) =>
  work.db.rows(sql`
    update session set ended_at = ${work.now}, end_reason = ${reason}
    where organisation_id = ${organisationId} and ended_at is null`)

const tell = (
  work: Work,
  topic: 'organisation.suspended' | 'organisation.activated' | 'organisation.deleted',
  { id, name }: Organisation,
  reason: string | null,
) =>
  record(work, topic, {
    organisationId: id,
    target: { kind: 'Organisation', id, name },
    reason,
    byOperator: true,
  })

async function getOrganisation(work: Work, id: string): Promise<Organisation> {
  const organisation = isId(id)
    ? await firstRow<Organisation>(
        work.db,
        sql`select ${columns('o', ORGANISATION_FIELDS)} from organisation o where o.id = ${id} and o.deleted_at is null for no key update`,
      )
    : undefined
  if (!organisation) throw notFound('organisation')
  return organisation
}
