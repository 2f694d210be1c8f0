import DataLoader from 'dataloader'
import { columns } from '../../database/columns.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { sql } from '../../database/sql.ts'
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

/** A principal whose places in projects are asked for, and how many of them. */
interface AccessWanted {
  organisationId: string
  principalId: string
  first: number
}

/** Deleted projects included: what still names one must not break. */
export const createProjectLoaders = (read: ReadIn) => ({
  project: loaderById<Project>(
    read,
    ids =>
      sql`select ${columns('p', PROJECT_FIELDS)} from project p where p.id = any(${ids}::uuid[])`,
  ),
  /** The first places of many principals in live projects, one more each than was asked for. */
  firstAccess: new DataLoader<AccessWanted, ProjectAccess[], string>(
    async wanted => {
      const groups = [
        ...Map.groupBy(
          wanted,
          ({ organisationId, first }) => `${organisationId} ${first}`,
        ).values(),
      ]
      const rows = await Promise.all(
        groups.map(some =>
          read(some[0]!.organisationId).rows<ProjectAccess>(sql`
            select ${columns('a', PROJECT_ACCESS_FIELDS)}
            from unnest(${some.map(each => each.principalId)}::uuid[]) as wanted (id)
            cross join lateral (
              select a.* from project_access a join project p on p.id = a.project_id and p.deleted_at is null
              where a.principal_id = wanted.id order by a.id limit ${some[0]!.first + 1}) a
            order by a.id`),
        ),
      )
      const byPrincipal = Map.groupBy(rows.flat(), row => row.principalId)
      return wanted.map(({ principalId }) => byPrincipal.get(principalId) ?? [])
    },
    { cacheKeyFn: ({ principalId, first }) => `${principalId} ${first}` },
  ),
})
