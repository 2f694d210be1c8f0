import type { PrimaryKeyProp } from '@mikro-orm/core'
import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow, tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Permission',
  tableName: 'permission',
  rowLevelSecurity: 'force',
  policies: [
    ...tenantPolicies('permission'),
    allow('permission', 'self', 'organisation_id in (select app_own_organisations())', 'select'),
    allow('permission', 'operator', 'true', 'select'),
  ],
  checks: [{ name: 'permission_level', expression: `level in ('ORGANISATION', 'PROJECT')` }],
  properties: {
    organisationId: p.uuid().primary(),
    name: p.text().primary(),
    description: p.text(),
    level: p.text(),
    createdAt: instant(),
  },
})

/** A permission that an organisation has defined for its own applications. */
export class PermissionEntity extends schema.class {
  declare [PrimaryKeyProp]?: ['organisationId', 'name']
}
schema.setClass(PermissionEntity)
