import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Event',
  tableName: 'event',
  rowLevelSecurity: 'force',
  policies: [
    allow('event', 'tenant', 'organisation_id = app_organisation()', 'select'),
    allow('event', 'tenant', 'organisation_id = app_organisation()', 'insert'),
    allow('event', 'self', 'actor_user_id = app_user()', 'insert'),
    allow('event', 'operator', 'true', 'select'),
    allow('event', 'operator', 'true', 'insert'),
    allow('event', 'system', 'true', 'select'),
    allow('event', 'system', 'true', 'insert'),
  ],
  indexes: [
    { name: 'event_in_organisation', properties: ['organisationId', 'id'] },
    {
      name: 'event_in_organisation_by_topic',
      properties: ['organisationId', 'topic', 'id'],
    },
    {
      name: 'event_in_organisation_by_actor_id',
      properties: ['organisationId', 'actorId', 'id'],
    },
    {
      name: 'event_in_organisation_by_target_id',
      properties: ['organisationId', 'targetId', 'id'],
    },
    { name: 'event_by_topic', properties: ['topic', 'id'] },
    { name: 'event_by_actor_id', properties: ['actorId', 'id'] },
    { name: 'event_by_target_id', properties: ['targetId', 'id'] },
  ],
  checks: [
    { name: 'event_outcome', expression: `outcome in ('SUCCEEDED', 'DENIED')` },
    {
      name: 'event_actor_kind',
      expression: `actor_kind in ('MEMBER', 'SERVICE_ACCOUNT', 'OPERATOR', 'ANONYMOUS', 'SYSTEM')`,
    },
  ],
  properties: {
    id: p.uuid().primary(),
    organisationId: p.uuid().nullable(),
    topic: p.text(),
    occurredAt: instant(),
    outcome: p.text(),
    actorKind: p.text(),
    actorId: p.uuid().nullable(),
    actorUserId: p.uuid().nullable(),
    apiKeyId: p.uuid().nullable(),
    actorName: p.text(),
    targetKind: p.text().nullable(),
    targetId: p.uuid().nullable(),
    targetName: p.text().nullable(),
    /** Fields that changed: `[{ field, before, after }]`, never a secret. */
    changes: p.json<unknown[]>(),
    reason: p.text().nullable(),
    ipAddress: p.text().nullable(),
    userAgent: p.text().nullable(),
    requestId: p.text().nullable(),
  },
})

/** One act or refusal: written once, never changed. */
export class EventEntity extends schema.class {}
schema.setClass(EventEntity)
