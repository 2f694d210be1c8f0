import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'

/** How far a review has come. */
export const AccessReviewStatus = enumOf('OPEN', 'COMPLETED', 'CANCELLED')
export type AccessReviewStatus = keyof typeof AccessReviewStatus
registerEnumType(AccessReviewStatus, {
  name: 'AccessReviewStatus',
  description: 'How far a review has come.',
})

/** A round of asking whether people still need what they have. */
@ObjectType({
  description: 'A round of asking whether people still need what they have.',
  implements: [Node],
  simpleResolvers: true,
})
export class AccessReview {
  @Field(() => ID)
  id!: string

  organisationId!: string
  startedById!: string | null

  @Field(() => String)
  name!: string

  @Field(() => AccessReviewStatus)
  status!: AccessReviewStatus

  @Field(() => DateTime)
  dueAt!: Instant

  @Field(() => DateTime, { nullable: true })
  completedAt!: Instant | null

  @Field(() => DateTime)
  createdAt!: Instant
}

/** Reasons to look closer at someone's access. */
export const AccessReviewFlag = enumOf(
  'DORMANT',
  'MFA_MISSING',
  'PRIVILEGED',
  'STALE_KEY',
  'EXTERNAL',
)
export type AccessReviewFlag = keyof typeof AccessReviewFlag
registerEnumType(AccessReviewFlag, {
  name: 'AccessReviewFlag',
  description: "Reasons to look closer at someone's access.",
  valuesConfig: {
    DORMANT: { description: 'No request for ninety days.' },
    MFA_MISSING: { description: 'Second factors fall short of policy.' },
    PRIVILEGED: { description: 'Holds administrative permissions.' },
    STALE_KEY: { description: 'Owns keys that never expire or are no longer used.' },
    EXTERNAL: { description: 'The mail domain is not among those the organisation allows.' },
  },
})

/** What should become of the access. */
export const AccessDecision = enumOf('KEEP', 'REMOVE')
export type AccessDecision = keyof typeof AccessDecision
registerEnumType(AccessDecision, {
  name: 'AccessDecision',
  description: 'What should become of the access.',
})

/** One principal's access, as it stood when the review began. */
@ObjectType({
  description: "One principal's access, as it stood when the review began.",
  implements: [Node],
  simpleResolvers: true,
})
export class AccessReviewItem {
  @Field(() => ID)
  id!: string

  organisationId!: string
  reviewId!: string
  principalId!: string
  kind!: 'MEMBER' | 'SERVICE_ACCOUNT'
  roleId!: string
  projectId!: string | null
  decidedById!: string | null

  @Field(() => [AccessReviewFlag], { description: 'Reasons to look closer.' })
  flags!: AccessReviewFlag[]

  @Field(() => AccessDecision, { nullable: true })
  decision!: AccessDecision | null

  @Field(() => DateTime, { nullable: true })
  decidedAt!: Instant | null

  @Field(() => String, { nullable: true, description: "Why, in the reviewer's words." })
  note!: string | null
}

/** Which items of a review to list. */
@InputType({ description: 'Which items of a review to list.' })
export class AccessReviewItemFilter {
  @Field(() => [AccessReviewFlag], { nullable: true })
  flags?: AccessReviewFlag[] | null

  @Field(() => Boolean, { nullable: true })
  decided?: boolean | null

  @Field(() => [ID], { nullable: true })
  projectIds?: string[] | null
}

/** A review to open. */
@InputType({ description: 'A review to open.' })
export class StartAccessReviewInput {
  @Field(() => String)
  name!: string

  @Field(() => DateTime)
  dueAt!: Date

  @Field(() => [ID], {
    nullable: true,
    description: 'Confine it to these projects; leave out for everything.',
  })
  projectIds?: string[] | null
}

/** A decision on one item. */
@InputType({ description: 'A decision on one item.' })
export class AccessReviewDecisionInput {
  @Field(() => ID)
  itemId!: string

  @Field(() => AccessDecision)
  decision!: AccessDecision

  @Field(() => String, { nullable: true })
  note?: string | null
}

/** The access review as it now stands. */
@ObjectType({ description: 'The access review as it now stands.', simpleResolvers: true })
export class AccessReviewPayload {
  @Field(() => AccessReview)
  accessReview!: AccessReview
}

export const AccessReviewConnection = connectionTypes('AccessReview', () => AccessReview, {
  page: 'A page of access reviews.',
  edge: 'An access review and its position in the list.',
})

export const AccessReviewItemConnection = connectionTypes(
  'AccessReviewItem',
  () => AccessReviewItem,
  {
    page: 'A page of access review items.',
    edge: 'An access review item and its position in the list.',
  },
)
