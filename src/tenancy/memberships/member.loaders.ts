import DataLoader from 'dataloader'
import { columns } from '../../database/columns.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { join, raw, sql, type Sql } from '../../database/sql.ts'
import type { Member } from './member.type.ts'

export const MEMBER_FIELDS = [
  'id',
  'organisationId',
  'kind',
  'userId',
  'roleId',
  'email',
  'firstName',
  'lastName',
  'name',
  'sortName',
  'externalId',
  'avatarKey',
  'status',
  'suspendedUntil',
  'lockedAt',
  'secondFactor',
  'createdAt',
  'updatedAt',
  'lastSignInAt',
  'removedAt',
] as const

/** A member's columns; `lastActiveAt` is null for those never seen. */
export const memberColumns = (table: string, prefix = ''): Sql =>
  join([
    columns(table, MEMBER_FIELDS, prefix),
    raw(`nullif(${table}.last_active_at, '-infinity') as "${prefix}lastActiveAt"`),
    raw(
      `case ${table}.kind when 'MEMBER' then 'Member' when 'SERVICE_ACCOUNT' then 'ServiceAccount' end as "${prefix}__typename"`,
    ),
  ])

/** Removed members included: what still names one must not break. */
export const createMemberLoaders = (read: ReadIn) => ({
  member: loaderById<Member>(
    read,
    ids =>
      sql`select ${memberColumns('m')} from principal m where m.id = any(${ids}::uuid[]) and m.kind = 'MEMBER'`,
  ),
  /** The role of a principal in one project, null without access. */
  projectRole: new DataLoader<
    { organisationId: string; principalId: string; projectId: string },
    string | null,
    string
  >(
    async keys => {
      const groups = [...Map.groupBy(keys, key => key.organisationId)]
      const found = await Promise.all(
        groups.map(([organisationId, some]) =>
          read(organisationId).rows<{ principalId: string; projectId: string; roleId: string }>(sql`
            select a.principal_id as "principalId", a.project_id as "projectId", a.role_id as "roleId"
            from project_access a join project p on p.id = a.project_id and p.deleted_at is null
            where a.organisation_id = ${organisationId} and a.principal_id = any(${some.map(key => key.principalId)}::uuid[])
              and a.project_id = any(${some.map(key => key.projectId)}::uuid[])`),
        ),
      )
      const roles = new Map(
        found.flat().map(row => [`${row.principalId} ${row.projectId}`, row.roleId]),
      )
      return keys.map(key => roles.get(`${key.principalId} ${key.projectId}`) ?? null)
    },
    { cacheKeyFn: key => `${key.principalId} ${key.projectId}` },
  ),
})
