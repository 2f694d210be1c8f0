import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'NotificationDigest',
  tableName: 'notification_digest',
  rowLevelSecurity: 'force',
  policies: [allow('notification_digest', 'system', 'true')],
  checks: [{ name: 'notification_digest_rhythm', expression: `rhythm in ('DAILY', 'WEEKLY')` }],
  properties: {
    userId: p.uuid().primary(),
    rhythm: p.text().primary(),
    /** When the last digest that was sent had been due. It moves forward only, so each is sent once. */
    period: instant(),
  },
})

/** How far the digests of a person have come. */
export class NotificationDigestEntity extends schema.class {}
schema.setClass(NotificationDigestEntity)
