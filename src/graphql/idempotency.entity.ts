import type { PrimaryKeyProp } from '@mikro-orm/core'
import { defineEntity, p } from '@mikro-orm/core'
import { instant } from '../database/base.entity.ts'
import { allow } from '../database/policies.ts'

const requests = defineEntity({
  name: 'Idempotency',
  tableName: 'idempotency',
  rowLevelSecurity: 'force',
  policies: [allow('idempotency', 'system', 'true')],
  indexes: [{ name: 'idempotency_created', properties: ['createdAt'] }],
  properties: {
    /** Digest of the caller and their `Idempotency-Key`. */
    key: p.text().primary(),
    /** Digest of the request that it came with. */
    requestDigest: p.text().hidden(),
    createdAt: instant(),
  },
})

/** A request that may be repeated without a second effect. */
export class IdempotencyEntity extends requests.class {}
requests.setClass(IdempotencyEntity)

const steps = defineEntity({
  name: 'IdempotencyStep',
  tableName: 'idempotency_step',
  rowLevelSecurity: 'force',
  policies: [allow('idempotency_step', 'system', 'true')],
  properties: {
    key: p.text().primary(),
    step: p.text().primary(),
    /** What it came to, without what is shown once; null while it is under way. */
    sealedResult: p.text().nullable().hidden(),
  },
})

/** One effect of such a request, with its result. */
export class IdempotencyStepEntity extends steps.class {
  declare [PrimaryKeyProp]?: ['key', 'step']
}
steps.setClass(IdempotencyStepEntity)
