import { columns } from '../../database/columns.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { sql } from '../../database/sql.ts'
import type { Organisation } from './organisation.type.ts'

export const ORGANISATION_FIELDS = [
  'id',
  'name',
  'slug',
  'suspendedAt',
  'createdAt',
  'updatedAt',
] as const

export const createOrganisationLoaders = (read: ReadIn) => ({
  organisation: loaderById<Organisation>(
    read,
    ids =>
      sql`select ${columns('o', ORGANISATION_FIELDS)} from organisation o where o.id = any(${ids}::uuid[]) and o.deleted_at is null`,
  ),
})
