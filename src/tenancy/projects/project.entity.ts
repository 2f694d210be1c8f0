import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant, texts } from '../../database/base.entity.ts'
import { allow, tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Project',
  tableName: 'project',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    ...tenantPolicies('project'),
    allow('project', 'self', 'organisation_id in (select app_own_organisations())', 'select'),
    allow('project', 'operator', 'true', 'select'),
  ],
  indexes: [
    {
      name: 'project_by_name',
      properties: ['organisationId', 'sortName', 'id'],
      where: 'deleted_at is null',
    },
  ],
  uniques: [
    { name: 'project_in_organisation', properties: ['organisationId', 'id'] },
    { name: 'project_slug', properties: ['organisationId', 'slug'], where: 'deleted_at is null' },
  ],
  properties: {
    organisationId: p.uuid(),
    name: p.text(),
    sortName: p.text().collation('C'),
    slug: p.text(),
    description: p.text().nullable(),
    signInUrl: p.text().nullable(),
    registrationEnabled: p.boolean().default(false),
    registrationDefaultRoleId: p.uuid().nullable(),
    /** Always `PROJECT`: with the role's id it points at roles of that level only. */
    registrationRoleLevel: p.text().default('PROJECT'),
    registrationAllowedEmailDomains: texts().default([]),
    registrationEmailVerificationRequired: p.boolean().default(true),
    updatedAt: instant(),
    deletedAt: instant().nullable(),
  },
  checks: [
    {
      name: 'project_registration_role_level',
      expression: `registration_role_level in ('PROJECT')`,
    },
  ],
})

/** A separate data context inside an organisation. */
export class ProjectEntity extends schema.class {}
schema.setClass(ProjectEntity)
