import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Link',
  tableName: 'link',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    allow('link', 'system', 'true'),
    allow('link', 'self', 'user_id = app_user()', 'select'),
    allow('link', 'operator', 'true', 'select'),
  ],
  indexes: [{ name: 'link_expires', properties: ['expiresAt'] }],
  uniques: [
    { name: 'link_token_digest', properties: ['tokenDigest'] },
    { name: 'link_open', properties: ['userId', 'kind'], where: 'spent_at is null' },
  ],
  checks: [
    {
      name: 'link_kind',
      expression: `kind in ('VERIFY_EMAIL', 'MAGIC_LINK', 'PASSWORD_RESET', 'EMAIL_CHANGE')`,
    },
    {
      name: 'link_place',
      expression: `(organisation_id is null) = (project_id is null)`,
    },
  ],
  properties: {
    userId: p.uuid(),
    kind: p.text(),
    /** The mailbox it was sent to. */
    email: p.text(),
    tokenDigest: p.text().hidden(),
    /** The project whose page a magic link opens; its session then acts in that organisation only. */
    organisationId: p.uuid().nullable(),
    projectId: p.uuid().nullable(),
    expiresAt: instant(),
    /** Used, or replaced by a newer one. */
    spentAt: instant().nullable(),
  },
})

/** A mailed link: good for one thing, once, until it expires or a newer one is asked for. */
export class LinkEntity extends schema.class {}
schema.setClass(LinkEntity)
