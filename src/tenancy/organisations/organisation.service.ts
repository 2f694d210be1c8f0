import { must } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { notFound } from '../../shared/errors.ts'
import { readSlug, readTitle } from '../../shared/titles.ts'
import { writeOrganisationWords } from './organisation-words.ts'
import { ORGANISATION_FIELDS } from './organisation.loaders.ts'
import type { Organisation, UpdateOrganisationInput } from './organisation.type.ts'

/** Changes the name or short name of the organisation in use. The unique short name decides between two at once. */
export async function updateOrganisation(
  work: Work,
  input: UpdateOrganisationInput,
): Promise<Organisation> {
  const viewer = must(work.viewer, 'manageOrganisation')
  const before = await getOrganisationRow(work, viewer.organisationId)
  const after = {
    name: input.name === undefined ? before.name : readTitle(input.name ?? '', ['input', 'name']),
    slug: input.slug === undefined ? before.slug : readSlug(input.slug ?? '', ['input', 'slug']),
  }
  await work.db.rows(sql`
    update organisation set name = ${after.name}, slug = ${after.slug}, updated_at = ${work.now}
    where id = ${viewer.organisationId}`)
  await writeOrganisationWords(work, { id: before.id, ...after })
  await record(work, 'organisation.updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'Organisation', id: before.id, name: after.name },
    changes: changesBetween(before, after),
  })
  return getOrganisationRow(work, viewer.organisationId)
}

async function getOrganisationRow(work: Work, id: string): Promise<Organisation> {
  const row = await firstRow<Organisation>(
    work.db,
    sql`select ${columns('o', ORGANISATION_FIELDS)} from organisation o where o.id = ${id} and o.deleted_at is null for no key update`,
  )
  if (!row) throw notFound('organisation')
  return row
}
