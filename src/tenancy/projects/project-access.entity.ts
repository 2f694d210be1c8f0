import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema } from '../../database/base.entity.ts'
import { allow, tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'ProjectAccess',
  tableName: 'project_access',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    ...tenantPolicies('project_access'),
    allow('project_access', 'self', 'principal_id in (select app_own_principals())', 'select'),
    allow('project_access', 'operator', 'true', 'select'),
  ],
  indexes: [
    { name: 'project_access_principal', properties: ['principalId', 'id'] },
    { name: 'project_access_in_project', properties: ['projectId', 'id'] },
    { name: 'project_access_role', properties: ['roleId'] },
  ],
  uniques: [{ name: 'project_access_once', properties: ['projectId', 'principalId'] }],
  checks: [{ name: 'project_access_role_level', expression: `role_level in ('PROJECT')` }],
  properties: {
    organisationId: p.uuid(),
    projectId: p.uuid(),
    principalId: p.uuid(),
    roleId: p.uuid(),
    /** Always `PROJECT`: with the role's id it points at roles of that level only. */
    roleLevel: p.text().default('PROJECT'),
  },
})

/** A principal's place in a project. */
export class ProjectAccessEntity extends schema.class {}
schema.setClass(ProjectAccessEntity)
