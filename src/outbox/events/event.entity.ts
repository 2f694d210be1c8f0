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
    // for the owner, who drops what is out of date: the role itself has no right to
    allow('event', 'system', 'true', 'delete'),
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
    targetKind: p.text().nullable(),
    targetId: p.uuid().nullable(),
    /** Fields that changed, never a secret: `{ field, before, after }`, or `{ field, personal: true }`. */
    changes: p.json<unknown[]>(),
    /** Why it was refused: code and reason of the answer. */
    refusal: p.text().nullable(),
    requestId: p.text().nullable(),
    /** Salted hashes of what stands beside the event, by half. */
    actorCommitment: p.text(),
    targetCommitment: p.text().nullable(),
  },
})

/** One act or refusal: written once, never changed. The table is divided by month of the id. */
export class EventEntity extends schema.class {}
schema.setClass(EventEntity)
