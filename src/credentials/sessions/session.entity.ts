import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow, memberPolicies, shownBy } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Session',
  tableName: 'session',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    ...memberPolicies('session', shownBy('principal_id')),
    allow('session', 'self', 'user_id = app_user()'),
    allow('session', 'operator', 'true'),
  ],
  indexes: [
    { name: 'session_ended', properties: ['endedAt'], where: 'ended_at is not null' },
    {
      name: 'session_of_user',
      properties: ['userId', 'lastActiveAt', 'id'],
      where: 'ended_at is null',
    },
    {
      name: 'session_in_organisation',
      properties: ['organisationId', 'lastActiveAt', 'id'],
      where: 'ended_at is null',
    },
    {
      name: 'session_of_principal',
      properties: ['principalId', 'lastActiveAt', 'id'],
      where: 'ended_at is null',
    },
  ],
  checks: [
    { name: 'session_method', expression: `method in ('PASSWORD', 'MAGIC_LINK')` },
    {
      name: 'session_confined',
      expression: `organisation_id is null or confined_to_id is null or organisation_id = confined_to_id`,
    },
    {
      name: 'session_place',
      expression: `(organisation_id is null) = (principal_id is null) and (project_id is null or organisation_id is not null)`,
    },
  ],
  properties: {
    userId: p.uuid(),
    /** The organisation it acts in, through which membership; null until one is chosen. */
    organisationId: p.uuid().nullable(),
    principalId: p.uuid().nullable(),
    projectId: p.uuid().nullable(),
    /** The only organisation it may act in: it was begun through a link that one of its projects received. */
    confinedToId: p.uuid().nullable(),
    method: p.text(),
    authenticatedAt: instant(),
    mfaVerifiedAt: instant().nullable(),
    lastActiveAt: instant(),
    expiresAt: instant(),
    endedAt: instant().nullable(),
    endReason: p.text().nullable(),
    /** Mixed into every refresh token of this session. */
    refreshSeed: p.text().hidden(),
    /** Number of the refresh token in force; each use adds one. */
    refreshCounter: p.integer().default(0),
    refreshDigest: p.text().hidden(),
    refreshedAt: instant().nullable(),
    /** Raised by every switch and step-up: access tokens of an earlier generation stop at once. */
    generation: p.integer().default(0),
    delivery: p.text().default('BODY'),
    ipAddress: p.text(),
    userAgent: p.text().nullable(),
  },
})

/** One sign-in on one device. */
export class SessionEntity extends schema.class {}
schema.setClass(SessionEntity)
