import { Field, ID, InputType, InterfaceType, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { AccessStatus } from '../../accounts/users/user.type.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime, EmailAddress } from '../../shared/scalars.ts'

/** Whoever can hold a role in an organisation: a member or a service account. */
@InterfaceType({
  resolveType: value => (value as { __typename: string }).__typename,
  description: 'Whoever can hold a role in an organisation: a member or a service account.',
  implements: [Node],
})
export class Principal {
  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => AccessStatus)
  status!: AccessStatus

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime, { nullable: true, description: 'Last request in this organisation.' })
  lastActiveAt!: Instant | null
}

/** A person in one organisation: how they appear there and what they may do there. Says nothing about their other organisations. */
@ObjectType({
  description:
    'A person in one organisation: how they appear there and what they may do there. Says nothing about their other organisations.',
  implements: [Node, Principal],
  simpleResolvers: true,
})
export class Member {
  readonly __typename!: 'Member'

  @Field(() => ID)
  id!: string

  /** Their account has one; what an organisation may know of it is whether its policy is met. */
  secondFactor!: boolean

  kind!: 'MEMBER' | 'SERVICE_ACCOUNT'
  organisationId!: string
  roleId!: string
  sortName!: string
  avatarKey!: string | null

  @Field(() => ID, {
    nullable: true,
    description:
      'The account behind it: the same in every organisation, and the `sub` of access tokens. Null while invited.',
  })
  userId!: string | null

  @Field(() => EmailAddress)
  email!: string

  @Field(() => String)
  firstName!: string

  @Field(() => String)
  lastName!: string

  @Field(() => String)
  name!: string

  @Field(() => String, {
    nullable: true,
    description: 'Your own key for this person, such as an HR number. Unique here.',
  })
  externalId!: string | null

  @Field(() => AccessStatus)
  status!: AccessStatus

  @Field(() => DateTime, { nullable: true })
  suspendedUntil!: Instant | null

  @Field(() => DateTime, {
    nullable: true,
    description: 'Set while new sign-ins and key use are barred here.',
  })
  lockedAt!: Instant | null

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  updatedAt!: Instant

  @Field(() => DateTime, { nullable: true, description: 'Latest sign-in that led here.' })
  lastSignInAt!: Instant | null

  @Field(() => DateTime, { nullable: true })
  lastActiveAt!: Instant | null

  @Field(() => DateTime, {
    nullable: true,
    description:
      'Set once the membership ended. Such members are in no list; what refers to them still names them.',
  })
  removedAt!: Instant | null
}

/** The member as it now stands. */
@ObjectType({ description: 'The member as it now stands.', simpleResolvers: true })
export class MemberPayload {
  @Field(() => Member)
  member!: Member
}

/** What members can be sorted by. */
export const MemberOrderField = enumOf('NAME', 'EMAIL', 'CREATED_AT', 'LAST_ACTIVE_AT')
export type MemberOrderField = keyof typeof MemberOrderField
registerEnumType(MemberOrderField, {
  name: 'MemberOrderField',
  description: 'What members can be sorted by.',
})

/** How to sort members. */
@InputType({ description: 'How to sort members.' })
export class MemberOrder {
  @Field(() => MemberOrderField)
  field!: MemberOrderField

  @Field(() => OrderDirection, { defaultValue: 'ASC' })
  direction!: OrderDirection
}

/** Which members to list. All conditions must hold; within a list, any value will do. */
@InputType({
  description: 'Which members to list. All conditions must hold; within a list, any value will do.',
})
export class MemberFilter {
  @Field(() => [AccessStatus], { nullable: true })
  status?: AccessStatus[] | null

  @Field(() => [ID], { nullable: true })
  roleIds?: string[] | null

  @Field(() => [ID], { nullable: true })
  projectIds?: string[] | null

  @Field(() => [EmailAddress], { nullable: true })
  emails?: string[] | null

  @Field(() => [String], { nullable: true })
  externalIds?: string[] | null

  @Field(() => Boolean, { nullable: true })
  locked?: boolean | null

  @Field(() => Boolean, { nullable: true })
  meetsMfaPolicy?: boolean | null

  @Field(() => DateTimeRange, { nullable: true })
  createdAt?: DateTimeRange | null

  @Field(() => DateTime, { nullable: true, description: 'Not seen since this instant, or never.' })
  inactiveSince?: Date | null
}

/** Which way a list runs. */
export const OrderDirection = enumOf('ASC', 'DESC')
export type OrderDirection = keyof typeof OrderDirection
registerEnumType(OrderDirection, {
  name: 'OrderDirection',
  description: 'Which way a list runs.',
})

/** A span of time. Leave an end out to leave it open. */
@InputType({ description: 'A span of time. Leave an end out to leave it open.' })
export class DateTimeRange {
  @Field(() => DateTime, { nullable: true, description: 'Earliest instant, included.' })
  from?: Date | null

  @Field(() => DateTime, { nullable: true, description: 'Latest instant, excluded.' })
  to?: Date | null
}

/** Changes to a member. */
@InputType({ description: 'Changes to a member.' })
export class UpdateMemberInput {
  @Field(() => ID, { nullable: true })
  roleId?: string | null

  @Field(() => EmailAddress, {
    nullable: true,
    description:
      'Only where `viewerCanChangeEmail`. The old password works with it at once; until its owner, signed in, has confirmed it,\nno reset or sign-in link goes there.',
  })
  email?: string | null

  @Field(() => String, {
    nullable: true,
    description:
      'Changes the account where it is yours alone, and otherwise only how it appears here.',
  })
  firstName?: string | null

  @Field(() => String, { nullable: true })
  lastName?: string | null

  @Field(() => String, { nullable: true })
  externalId?: string | null
}

export const MemberConnection = connectionTypes('Member', () => Member, {
  page: 'A page of members.',
  edge: 'A member and its position in the list.',
})
