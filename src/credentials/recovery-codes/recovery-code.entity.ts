import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'RecoveryCode',
  tableName: 'recovery_code',
  rowLevelSecurity: 'force',
  policies: [
    allow('recovery_code', 'system', 'true'),
    allow('recovery_code', 'self', 'user_id = app_user()', 'select'),
    allow('recovery_code', 'operator', 'true', 'select'),
  ],
  properties: {
    userId: p.uuid().primary(),
    digest: p.text().primary().hidden(),
    createdAt: instant(),
    usedAt: instant().nullable(),
  },
})

/** A code kept for emergencies, good once. */
export class RecoveryCodeEntity extends schema.class {}
schema.setClass(RecoveryCodeEntity)
