import { defineEntity, p } from '@mikro-orm/core'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'EventPerson',
  tableName: 'event_person',
  rowLevelSecurity: 'force',
  policies: [
    allow('event_person', 'tenant', 'organisation_id = app_organisation()', 'select'),
    allow('event_person', 'tenant', 'organisation_id = app_organisation()', 'insert'),
    allow('event_person', 'self', 'actor_user_id = app_user()', 'insert'),
    allow('event_person', 'operator', 'true', 'select'),
    allow('event_person', 'operator', 'true', 'insert'),
    allow('event_person', 'system', 'true', 'select'),
    allow('event_person', 'system', 'true', 'insert'),
    // for the owner, who erases and drops: the role itself has no right to
    { ...allow('event_person', 'system', 'true', 'update'), check: undefined },
    allow('event_person', 'system', 'true', 'delete'),
  ],
  checks: [
    {
      name: 'event_person_actor',
      expression: 'actor_salt is not null or num_nonnulls(actor_name, ip_address, user_agent) = 0',
    },
    {
      name: 'event_person_target',
      expression: 'target_salt is not null or num_nonnulls(target_name, changes, reason) = 0',
    },
  ],
  properties: {
    /** The event's. */
    id: p.uuid().primary(),
    organisationId: p.uuid().nullable(),
    actorUserId: p.uuid().nullable(),
    /** Goes with the half that it salts the hash of. */
    actorSalt: p.text().nullable(),
    actorName: p.text().nullable(),
    ipAddress: p.text().nullable(),
    userAgent: p.text().nullable(),
    targetSalt: p.text().nullable(),
    targetName: p.text().nullable(),
    /** Personal ones of the event's changes, in its order. */
    changes: p.json<unknown[]>().nullable(),
    reason: p.text().nullable(),
  },
})

/** What an event tells of people: one half of who did it, one of whom it was done to. Each can be erased. */
export class EventPersonEntity extends schema.class {}
schema.setClass(EventPersonEntity)
