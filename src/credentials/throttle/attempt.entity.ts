import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../../database/base.entity.ts'
import { allow } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Attempt',
  tableName: 'attempt',
  rowLevelSecurity: 'force',
  policies: [allow('attempt', 'system', 'true')],
  indexes: [{ name: 'attempt_forgotten', properties: ['forgottenAt'] }],
  properties: {
    /** Digest of what is counted, such as an account and a source. */
    key: p.text().primary(),
    count: p.integer(),
    blockedUntil: instant().nullable(),
    forgottenAt: instant(),
  },
})

/** Guesses that were reserved and not handed back. */
export class AttemptEntity extends schema.class {}
schema.setClass(AttemptEntity)
