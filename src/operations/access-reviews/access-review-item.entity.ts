import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant, texts } from '../../database/base.entity.ts'
import { memberPolicies, shownBy } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'AccessReviewItem',
  tableName: 'access_review_item',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  // service accounts are shown to every role
  policies: memberPolicies(
    'access_review_item',
    `kind = 'SERVICE_ACCOUNT' or ${shownBy('principal_id')}`,
  ),
  indexes: [
    { name: 'access_review_item_of', properties: ['reviewId', 'id'] },
    {
      name: 'access_review_item_undecided',
      properties: ['reviewId', 'id'],
      where: 'decision is null',
    },
    {
      name: 'access_review_item_noted',
      properties: ['principalId'],
      where: 'note is not null',
    },
  ],
  checks: [
    { name: 'access_review_item_kind', expression: `kind in ('MEMBER', 'SERVICE_ACCOUNT')` },
    { name: 'access_review_item_decision', expression: `decision in ('KEEP', 'REMOVE')` },
    {
      name: 'access_review_item_decided',
      expression: '(decision is null) = (decided_at is null)',
    },
    {
      name: 'access_review_item_level',
      expression: `(role_level = 'PROJECT') = (project_id is not null) and (project_id is null) = (access is null)`,
    },
  ],
  properties: {
    organisationId: p.uuid(),
    reviewId: p.uuid(),
    principalId: p.uuid(),
    /** What the principal is, which never changes. */
    kind: p.text(),
    roleId: p.uuid(),
    /** With the role's id it points at roles of that level only. */
    roleLevel: p.text(),
    projectId: p.uuid().nullable(),
    /** The place in the project: a plain id, for what was reviewed may be gone. */
    access: p.uuid().nullable(),
    flags: texts(),
    decision: p.text().nullable(),
    decidedById: p.uuid().nullable(),
    decidedAt: instant().nullable(),
    note: p.text().nullable(),
  },
})

/**
 * One principal's access as it stood when the review began. Ids are counted up in the order of names, so that a list
 * read by them alone is sorted by name.
 */
export class AccessReviewItemEntity extends schema.class {}
schema.setClass(AccessReviewItemEntity)
