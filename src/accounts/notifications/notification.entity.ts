import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Notification',
  tableName: 'notification',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: [
    allow('notification', 'self', 'user_id = app_user()'),
    allow('notification', 'system', 'true'),
  ],
  indexes: [
    { name: 'notification_of', properties: ['userId', 'id'] },
    {
      name: 'notification_unread',
      properties: ['userId', 'id'],
      where: 'read_at is null and shown_at is not null',
    },
    { name: 'notification_due', properties: ['dueAt'], where: 'due_at is not null' },
    { name: 'notification_by', properties: ['actorId'], where: 'actor_id is not null' },
    { name: 'notification_read', properties: ['readAt'], where: 'read_at is not null' },
    { name: 'notification_created', properties: ['createdAt'] },
  ],
  checks: [
    { name: 'notification_rhythm', expression: `rhythm in ('DAILY', 'WEEKLY')` },
    { name: 'notification_waits', expression: '(rhythm is null) = (due_at is null)' },
  ],
  properties: {
    userId: p.uuid(),
    /** The organisation it came from; null for the platform. */
    organisationId: p.uuid().nullable(),
    topic: p.text(),
    category: p.text(),
    /** A template and its data: put into words when it is read, in the language its reader has then. */
    mail: p.json(),
    /** The account of whoever caused it: their name goes when they do. */
    actorId: p.uuid().nullable(),
    /** From when on it is in the list; null for never. */
    shownAt: instant().nullable(),
    readAt: instant().nullable(),
    /** Which digest is to bring it by mail; null for none, any more. */
    rhythm: p.text().nullable(),
    /** When that digest is due. */
    dueAt: instant().nullable(),
  },
})

/** Something that a person was to be told of. Nobody else ever sees it. */
export class NotificationEntity extends schema.class {}
schema.setClass(NotificationEntity)
