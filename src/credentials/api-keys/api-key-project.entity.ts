import type { PrimaryKeyProp } from '@mikro-orm/core'
import { defineEntity, p } from '@mikro-orm/core'
import { allow, tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'ApiKeyProject',
  tableName: 'api_key_project',
  rowLevelSecurity: 'force',
  policies: [
    ...tenantPolicies('api_key_project'),
    allow('api_key_project', 'self', 'api_key_id in (select app_own_keys())', 'select'),
    allow('api_key_project', 'operator', 'true', 'select'),
  ],
  properties: {
    organisationId: p.uuid(),
    apiKeyId: p.uuid().primary(),
    projectId: p.uuid().primary(),
  },
})

/** A project that a confined key may act in. */
export class ApiKeyProjectEntity extends schema.class {
  declare [PrimaryKeyProp]?: ['apiKeyId', 'projectId']
}
schema.setClass(ApiKeyProjectEntity)
