import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'NotificationPreference',
  tableName: 'notification_preference',
  rowLevelSecurity: 'force',
  policies: [
    allow('notification_preference', 'self', 'user_id = app_user()'),
    allow('notification_preference', 'system', 'true'),
  ],
  checks: [
    {
      name: 'notification_preference_channel',
      expression: `channel in ('EMAIL', 'IN_APP')`,
    },
    {
      name: 'notification_preference_frequency',
      expression: `frequency in ('IMMEDIATELY', 'DAILY', 'WEEKLY', 'NEVER')`,
    },
    {
      name: 'notification_preference_optional',
      expression: `category <> 'SECURITY'`,
    },
  ],
  properties: {
    userId: p.uuid().primary(),
    category: p.text().primary(),
    channel: p.text().primary(),
    frequency: p.text(),
    updatedAt: instant(),
  },
})

/** How a person wants to be told of a family of topics. What they never chose has no row. */
export class NotificationPreferenceEntity extends schema.class {}
schema.setClass(NotificationPreferenceEntity)
