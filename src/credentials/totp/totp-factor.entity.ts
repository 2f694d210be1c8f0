import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'TotpFactor',
  tableName: 'totp_factor',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    allow('totp_factor', 'system', 'true'),
    allow('totp_factor', 'self', 'user_id = app_user()', 'select'),
    allow('totp_factor', 'operator', 'true', 'select'),
  ],
  indexes: [
    { name: 'totp_factor_user', properties: ['userId', 'id'], where: 'removed_at is null' },
  ],
  checks: [
    {
      name: 'totp_factor_pending',
      expression: `(confirmed_at is null) = (expires_at is not null)`,
    },
  ],
  properties: {
    userId: p.uuid(),
    /** What its owner calls it. */
    name: p.text(),
    sealedSeed: p.text().hidden(),
    /** Null for an enrolment that was begun: it counts for nothing. */
    confirmedAt: instant().nullable(),
    /** The latest time step whose code was accepted (RFC 6238): none is accepted twice. */
    lastStep: p.bigint().nullable(),
    lastUsedAt: instant().nullable(),
    /** Until when an enrolment can be confirmed. */
    expiresAt: instant().nullable(),
    removedAt: instant().nullable(),
  },
})

/** An authenticator app of an account. */
export class TotpFactorEntity extends schema.class {}
schema.setClass(TotpFactorEntity)
