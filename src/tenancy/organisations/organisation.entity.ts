import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant, texts } from '../../database/base.entity.ts'
import { allow, named } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Organisation',
  tableName: 'organisation',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    allow('organisation', 'tenant', 'id = app_organisation()'),
    allow('organisation', 'self', 'id in (select app_own_organisations())', 'select'),
    named('self_invited', 'organisation', 'id in (select app_inviting_organisations())'),
    allow('organisation', 'operator', 'true'),
    allow('organisation', 'system', 'true'),
  ],
  indexes: [
    {
      name: 'organisation_suspended',
      properties: ['id'],
      where: 'suspended_at is not null and deleted_at is null',
    },
  ],
  uniques: [{ name: 'organisation_slug', properties: ['slug'], where: 'deleted_at is null' }],
  checks: [
    {
      name: 'organisation_default_role_level',
      expression: `default_role_level in ('ORGANISATION')`,
    },
  ],
  properties: {
    name: p.text(),
    slug: p.text(),
    suspendedAt: instant().nullable(),
    // Policies. Null means none of its own: the platform's holds.
    passwordMinLength: p.integer().nullable(),
    passwordBlockCommon: p.boolean().nullable(),
    passwordMinCharacterKinds: p.integer().nullable(),
    sessionIdleMinutes: p.integer().nullable(),
    sessionLifetimeHours: p.integer().nullable(),
    sessionMaxPerUser: p.integer().nullable(),
    apiKeyMaxLifetimeDays: p.integer().nullable(),
    apiKeySelfService: p.boolean().default(false),
    signInMethods: texts().default(['PASSWORD', 'MAGIC_LINK']),
    mfaRequired: p.boolean().default(false),
    invitationLifetimeHours: p.integer().default(168),
    allowedEmailDomains: texts().default([]),
    /** Set in the transaction that founds the organisation; null only within it. */
    defaultRoleId: p.uuid().nullable(),
    /** Always `ORGANISATION`: with the role's id it points at roles of that level only. */
    defaultRoleLevel: p.text().default('ORGANISATION'),
    updatedAt: instant(),
    deletedAt: instant().nullable(),
  },
})

/** A tenant and its policies. */
export class OrganisationEntity extends schema.class {}
schema.setClass(OrganisationEntity)
