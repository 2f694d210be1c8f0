import DataLoader from 'dataloader'
import type { PermissionInfo } from '../../access/permissions.ts'
import { columns } from '../../database/columns.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { prepared, sql, type Statement } from '../../database/sql.ts'
import type { Role } from './role.type.ts'

export const ROLE_FIELDS = [
  'id',
  'organisationId',
  'name',
  'sortName',
  'description',
  'level',
  'permissions',
  'visibility',
  'builtIn',
  'createdAt',
  'updatedAt',
] as const

/** As many as an organisation will hardly have more of. */
const FEW = 20

const theirFirst = prepared(sql`select ${columns('r', ROLE_FIELDS)} from role r
  where r.organisation_id = ${'organisation'} and r.level = 'ORGANISATION' and r.deleted_at is null
  order by r.sort_name limit ${'few'}`)

/** The first roles of the organisation's own level by name: most members of a page hold one of them. */
export const firstRoles = (organisationId: string): Statement => ({
  ...theirFirst(organisationId, FEW),
  planOnce: true,
})

/** Deleted roles included: what still names one must not break. */
export const createRoleLoaders = (read: ReadIn) => ({
  /** The permissions that an organisation has defined itself. */
  ownCatalogue: new DataLoader<string, PermissionInfo[]>(organisationIds =>
    Promise.all(
      organisationIds.map(id =>
        read(id).rows<PermissionInfo>(
          sql`select name, description, level, false as "builtIn" from permission where organisation_id = ${id} order by name`,
        ),
      ),
    ),
  ),
  role: loaderById<Role>(
    read,
    ids => sql`select ${columns('r', ROLE_FIELDS)} from role r where r.id = any(${ids}::uuid[])`,
  ),
  holderCount: loaderById<{ id: string; count: number }>(
    read,
    ids => sql`
      select r.id, ((select count(*) from principal p where p.role_id = r.id and p.removed_at is null)
        + (select count(*) from project_access a where a.role_id = r.id))::int as count
      from role r where r.id = any(${ids}::uuid[])`,
  ),
})
