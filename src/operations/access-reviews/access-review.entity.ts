import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'AccessReview',
  tableName: 'access_review',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('access_review'),
  uniques: [{ name: 'access_review_in_organisation', properties: ['organisationId', 'id'] }],
  checks: [
    {
      name: 'access_review_status',
      expression: `status in ('OPEN', 'COMPLETED', 'CANCELLED')`,
    },
    {
      name: 'access_review_completed',
      expression: `(status = 'COMPLETED') = (completed_at is not null)`,
    },
  ],
  properties: {
    organisationId: p.uuid(),
    name: p.text(),
    status: p.text(),
    dueAt: instant(),
    startedById: p.uuid().nullable(),
    completedAt: instant().nullable(),
  },
})

/** A round of asking whether people still need what they have. */
export class AccessReviewEntity extends schema.class {}
schema.setClass(AccessReviewEntity)
