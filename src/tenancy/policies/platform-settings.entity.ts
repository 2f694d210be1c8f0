import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'PlatformSettings',
  tableName: 'platform_settings',
  rowLevelSecurity: 'force',
  policies: [
    allow('platform_settings', 'tenant', 'true', 'select'),
    allow('platform_settings', 'self', 'true', 'select'),
    allow('platform_settings', 'operator', 'true'),
    allow('platform_settings', 'system', 'true'),
  ],
  checks: [{ name: 'platform_settings_single', expression: 'id = 1' }],
  properties: {
    /** There is one row, number 1. */
    id: p.smallint().primary().autoincrement(false),
    mfaIssuer: p.text(),
    mfaEnabled: p.boolean(),
    mfaRequired: p.boolean(),
    passwordMinLength: p.integer(),
    passwordBlockCommon: p.boolean(),
    passwordMinCharacterKinds: p.integer(),
    sessionIdleMinutes: p.integer(),
    sessionLifetimeHours: p.integer(),
    sessionMaxPerUser: p.integer(),
    failedSignInLimit: p.integer(),
    failedSignInWindowMinutes: p.integer(),
    organisationCreationOpen: p.boolean(),
    updatedAt: instant(),
  },
})

/** Policies that bind every account and organisation. */
export class PlatformSettingsEntity extends schema.class {}
schema.setClass(PlatformSettingsEntity)
