import { columns } from '../../database/columns.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { sql } from '../../database/sql.ts'
import type { Project } from './project.type.ts'

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

/** Deleted projects included: what still names one must not break. */
export const createProjectLoaders = (read: ReadIn) => ({
  project: loaderById<Project>(
    read,
    ids =>
      sql`select ${columns('p', PROJECT_FIELDS)} from project p where p.id = any(${ids}::uuid[])`,
  ),
})

export const PROJECT_ACCESS_FIELDS = [
  'id',
  'organisationId',
  'projectId',
  'principalId',
  'roleId',
  'createdAt',
] as const
