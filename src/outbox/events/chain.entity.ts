import { defineEntity, p } from '@mikro-orm/core'
import { instant, texts } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const unsealed = defineEntity({
  name: 'EventUnsealed',
  tableName: 'event_unsealed',
  rowLevelSecurity: 'force',
  policies: [
    allow('event_unsealed', 'tenant', 'chain = app_organisation()', 'insert'),
    allow('event_unsealed', 'self', 'true', 'insert'),
    allow('event_unsealed', 'operator', 'true', 'insert'),
    allow('event_unsealed', 'system', 'true'),
  ],
  indexes: [{ name: 'event_unsealed_in_chain', properties: ['chain', 'eventId'] }],
  properties: {
    eventId: p.uuid().primary(),
    chain: p.uuid(),
  },
})

/** An event that is in no seal yet, written with it: however late it is committed, it is sealed once. */
export class EventUnsealedEntity extends unsealed.class {}
unsealed.setClass(EventUnsealedEntity)

const chain = defineEntity({
  name: 'EventChain',
  tableName: 'event_chain',
  rowLevelSecurity: 'force',
  policies: [allow('event_chain', 'system', 'true')],
  properties: {
    /** The organisation, or `PLATFORM`. */
    chain: p.uuid().primary(),
    /** Number and digest of the newest seal; 0 and nothing before the first. */
    number: p.integer(),
    digest: p.text(),
    /** The last seal that retention has dropped: verification goes on from there. */
    checkpointNumber: p.integer().default(0),
    checkpointDigest: p.text().default(''),
    /** On the platform's chain alone: events with lesser ids, of whatever chain, may have been dropped. */
    keptSince: p.uuid().nullable(),
  },
})

/** The head of the chain of an organisation; its row is locked by whoever seals. */
export class EventChainEntity extends chain.class {}
chain.setClass(EventChainEntity)

const seal = defineEntity({
  name: 'EventSeal',
  tableName: 'event_seal',
  rowLevelSecurity: 'force',
  policies: [allow('event_seal', 'system', 'true')],
  indexes: [{ name: 'event_seal_by_newest', properties: ['newest'] }],
  checks: [
    {
      name: 'event_seal_whole',
      expression: 'cardinality(events) = cardinality(leaves) and cardinality(events) > 0',
    },
  ],
  properties: {
    chain: p.uuid().primary(),
    number: p.integer().primary(),
    sealedAt: instant(),
    events: p.array().columnType('uuid[]'),
    /** The hash of each event, in the order of `events`. */
    leaves: texts(),
    /** The greatest of `events`. */
    newest: p.uuid(),
    digest: p.text(),
  },
})

/** A batch of events with the digest of all that was sealed up to it. Written once, never changed. */
export class EventSealEntity extends seal.class {}
seal.setClass(EventSealEntity)
