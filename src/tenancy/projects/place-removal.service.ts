import type { TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { recordAll } from '../../outbox/events/event.service.ts'
import { conflict } from '../../shared/errors.ts'
import { attempt, doneOf, type Outcome } from '../../shared/outcome.ts'
import { heldIn, mustBeAbove, noSay } from './project-access.service.ts'

/** A place in a project, and the role with which it was reviewed. */
interface ReviewedPlace {
  access: string
  roleId: string
}

interface FoundPlace {
  access: string
  projectId: string
  roleId: string
  permissions: string[]
  inPlace: string[] | null
  principalId: string
  kind: string
  name: string
}

/**
 * Puts principals out of projects, each under the rules of a single removal, in a constant number of statements. The
 * principals are locked already. Places that are gone, or have gone to another role, are not touched.
 *
 * @returns for each place, in the same order: done, also where it was gone, or why not.
 */
export async function removePlaces(
  work: Work,
  viewer: TenantViewer,
  places: ReviewedPlace[],
  reason: string,
): Promise<Outcome<FoundPlace | null>[]> {
  if (!places.length) return []
  const rows = await work.db.rows<FoundPlace>(sql`
    select a.id as access, a.project_id as "projectId", a.role_id as "roleId", r.permissions, mine.permissions as "inPlace",
      m.id as "principalId", m.kind, m.name
    from project_access a join project p on p.id = a.project_id and p.deleted_at is null
    join role r on r.id = a.role_id join principal m on m.id = a.principal_id
    left join (select own.project_id, held.permissions from project_access own join role held on held.id = own.role_id
      where own.principal_id = ${viewer.principalId}) as mine on mine.project_id = a.project_id
    where a.id = any(${places.map(place => place.access)}::uuid[]) and a.organisation_id = ${viewer.organisationId}
    order by a.id for update of a`)
  const found = new Map(rows.map(row => [row.access, row]))
  const outcomes = places.map(({ access, roleId }) =>
    attempt(() => {
      const place = found.get(access)
      if (!place) return null
      const own = heldIn(viewer, place.projectId, place.inPlace ?? [])
      if (!own.has('manageProjectAccess')) throw noSay()
      mustBeAbove(place.permissions, own)
      if (place.roleId !== roleId)
        throw conflict('STATE_MISMATCH', `${place.name} now has another role in the project.`)
      return place
    }),
  )
  const removed = doneOf(outcomes).filter(place => place !== null)
  if (!removed.length) return outcomes
  await work.db.rows(
    sql`delete from project_access where id = any(${removed.map(place => place.access)}::uuid[])`,
  )
  await recordAll(
    work,
    removed.map(({ principalId, kind, name }) => ({
      topic: 'project_access.revoked',
      organisationId: viewer.organisationId,
      target: { kind: kind === 'MEMBER' ? 'Member' : 'ServiceAccount', id: principalId, name },
      reason,
    })),
  )
  return outcomes
}
