import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Sighting',
  tableName: 'sighting',
  rowLevelSecurity: 'force',
  policies: [allow('sighting', 'system', 'true')],
  indexes: [{ name: 'sighting_last_seen', properties: ['lastSeenAt'] }],
  properties: {
    userId: p.uuid().primary(),
    /** A kind of device, or a network: `device Firefox on Linux`, `network 203.0`. */
    trait: p.text().primary(),
    createdAt: instant(),
    lastSeenAt: instant(),
  },
})

/** Something that a person's sign-ins have been seen with. */
export class SightingEntity extends schema.class {}
schema.setClass(SightingEntity)
