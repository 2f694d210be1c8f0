import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant, texts } from '../../database/base.entity.ts'
import { allow, memberPolicies } from '../../database/policies.ts'

// Service accounts own keys too, and every role shows those.
const OWNER_SHOWN = `(select app_visibility()) = 'ORGANISATION'
    or owner_id in (select app_visible_principals())
    or exists (select from principal m where m.id = owner_id and m.organisation_id = app_organisation()
      and m.kind = 'SERVICE_ACCOUNT' and m.removed_at is null)`

const schema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_key',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    ...memberPolicies('api_key', OWNER_SHOWN),
    allow('api_key', 'self', 'owner_id in (select app_own_principals())', 'select'),
    allow('api_key', 'operator', 'true', 'select'),
  ],
  indexes: [
    { name: 'api_key_of_owner', properties: ['ownerId', 'id'] },
    { name: 'api_key_in_order', properties: ['organisationId', 'id'] },
    { name: 'api_key_by_use', properties: ['organisationId', 'lastUsedAt'] },
    {
      name: 'api_key_by_end',
      properties: ['organisationId', 'expiresAt'],
      where: 'expires_at is not null',
    },
    {
      name: 'api_key_revoked',
      properties: ['organisationId', 'id'],
      where: 'revoked_at is not null',
    },
    { name: 'api_key_pending', properties: ['organisationId', 'id'], where: 'prefix is null' },
    {
      name: 'api_key_previous',
      properties: ['previousDigest'],
      where: 'previous_digest is not null',
    },
  ],
  uniques: [
    { name: 'api_key_in_organisation', properties: ['organisationId', 'id'] },
    { name: 'api_key_digest', properties: ['digest'] },
  ],
  checks: [
    {
      name: 'api_key_secret',
      expression: '(digest is null) = (prefix is null) and (digest is null) = (issued_at is null)',
    },
  ],
  properties: {
    organisationId: p.uuid(),
    ownerId: p.uuid(),
    name: p.text(),
    /** Opening characters of the secret; null while nobody has one. */
    prefix: p.text().nullable(),
    digest: p.text().nullable().hidden(),
    /** The secret before the present one, and until when it goes on working. */
    previousDigest: p.text().nullable().hidden(),
    previousUntil: instant().nullable(),
    scopes: texts(),
    /** True for a key that works in named projects only, also when none of them is left. */
    confined: p.boolean().default(false),
    allowedIpRanges: texts().nullable(),
    createdById: p.uuid().nullable(),
    issuedAt: instant().nullable(),
    expiresAt: instant().nullable(),
    /** Set by an administrator: the owner's renewal cannot outlive it. */
    expiryLimit: instant().nullable(),
    lastUsedAt: instant().nullable(),
    lastUsedIpAddress: p.text().nullable(),
    revokedAt: instant().nullable(),
    updatedAt: instant(),
  },
})

/** A Bearer secret bound to one principal. */
export class ApiKeyEntity extends schema.class {}
schema.setClass(ApiKeyEntity)
