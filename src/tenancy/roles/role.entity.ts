import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant, texts } from '../../database/base.entity.ts'
import { allow, named, tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Role',
  tableName: 'role',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    ...tenantPolicies('role'),
    allow('role', 'self', 'organisation_id in (select app_own_organisations())', 'select'),
    named('self_invited', 'role', 'id in (select app_offered_roles())'),
    allow('role', 'operator', 'true', 'select'),
  ],
  indexes: [{ name: 'role_organisation', properties: ['organisationId', 'sortName', 'id'] }],
  uniques: [
    {
      name: 'role_name',
      properties: ['organisationId', 'level', 'sortName'],
      where: 'deleted_at is null',
    },
    { name: 'role_of_level', properties: ['organisationId', 'id', 'level'] },
  ],
  checks: [
    { name: 'role_level', expression: `level in ('ORGANISATION', 'PROJECT')` },
    {
      name: 'role_visibility',
      expression: `visibility in ('ORGANISATION', 'SHARED_PROJECTS', 'SELF')`,
    },
  ],
  properties: {
    organisationId: p.uuid(),
    name: p.text(),
    /** The name folded, for sorting and so that `Support` and `support` are one. */
    sortName: p.text().collation('C'),
    description: p.text().nullable(),
    level: p.text(),
    /** Names of permissions; empty for the Administrator, whose permissions are computed. */
    permissions: texts(),
    visibility: p.text().default('ORGANISATION'),
    /** The Administrator: holds everything and cannot change. */
    builtIn: p.boolean().default(false),
    updatedAt: instant(),
    deletedAt: instant().nullable(),
  },
})

/** A named set of permissions, owned by an organisation. */
export class RoleEntity extends schema.class {}
schema.setClass(RoleEntity)
