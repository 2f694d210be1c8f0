import { childLoaders, type ChildList } from '../../database/child-pages.ts'
import { columns } from '../../database/columns.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { raw, sql } from '../../database/sql.ts'
import type { Project, ProjectAccess } from './project.type.ts'

export const PROJECT_FIELDS = [
  'id',
  'organisationId',
  'name',
  'sortName',
  'slug',
  'description',
  'signInUrl',
  'registrationEnabled',
  'registrationDefaultRoleId',
  'registrationAllowedEmailDomains',
  'registrationEmailVerificationRequired',
  'createdAt',
  'updatedAt',
  'deletedAt',
] as const

export const PROJECT_ACCESS_FIELDS = [
  'id',
  'organisationId',
  'projectId',
  'principalId',
  'roleId',
  'createdAt',
] as const

/** The projects that a key which asks is confined to; null for all. */
export type Confinement = ReadonlySet<string> | null

/** The places of a principal in live projects, in the order in which they were granted. */
export const PLACES: ChildList<ProjectAccess, Confinement> = {
  select: () => columns('a', PROJECT_ACCESS_FIELDS),
  from: (confinedTo, principal) =>
    sql`from project_access a join project p on p.id = a.project_id and p.deleted_at is null
      where a.principal_id = ${principal}
        ${confinedTo ? sql`and a.project_id = any(${[...confinedTo]}::uuid[])` : sql``}`,
  id: raw('a.id'),
  order: raw('found.id'),
  parentOf: row => row.principalId,
}

/** Deleted projects included: what still names one must not break. */
export const createProjectLoaders = (read: ReadIn) => ({
  project: loaderById<Project>(
    read,
    ids =>
      sql`select ${columns('p', PROJECT_FIELDS)} from project p where p.id = any(${ids}::uuid[])`,
  ),
  places: childLoaders(read, PLACES),
})
