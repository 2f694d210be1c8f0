import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { Topic } from '../../outbox/events/topic.type.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { uncountedConnectionTypes } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'
import { DateTimeRange } from '../../tenancy/memberships/member.type.ts'

/** How it ended. */
export const EventOutcome = enumOf('SUCCEEDED', 'DENIED')
export type EventOutcome = keyof typeof EventOutcome
registerEnumType(EventOutcome, {
  name: 'EventOutcome',
  description: 'How it ended.',
})

/** Sorts of actor. */
export const ActorKind = enumOf('MEMBER', 'SERVICE_ACCOUNT', 'OPERATOR', 'ANONYMOUS', 'SYSTEM')
export type ActorKind = keyof typeof ActorKind
registerEnumType(ActorKind, {
  name: 'ActorKind',
  description: 'Sorts of actor.',
})

/** Who did it, as they were then. */
@ObjectType({ description: 'Who did it, as they were then.', simpleResolvers: true })
export class EventActor {
  @Field(() => ActorKind)
  kind!: ActorKind

  @Field(() => ID, {
    nullable: true,
    description: 'Member, service account or user id; null for the system and strangers.',
  })
  id!: string | null

  @Field(() => String)
  name!: string

  @Field(() => ID, { nullable: true, description: 'The key used, if any.' })
  apiKeyId!: string | null
}

/** What it was done to, as it was then. */
@ObjectType({ description: 'What it was done to, as it was then.', simpleResolvers: true })
export class EventTarget {
  @Field(() => ID)
  id!: string

  @Field(() => String, { description: 'Name of its type, such as `Member`.' })
  kind!: string

  @Field(() => String, { nullable: true })
  name!: string | null
}

/** One field before and after. */
@ObjectType({ description: 'One field before and after.', simpleResolvers: true })
export class EventChange {
  @Field(() => String)
  field!: string

  @Field(() => String, { nullable: true })
  before!: string | null

  @Field(() => String, { nullable: true })
  after!: string | null
}

/** One thing that happened or was refused. Written once, never changed, free of secrets. */
@ObjectType({
  description:
    'One thing that happened or was refused. Written once, never changed, free of secrets.',
  implements: [Node],
  simpleResolvers: true,
})
export class AuditEvent {
  @Field(() => ID)
  id!: string

  @Field(() => Topic)
  topic!: Topic

  @Field(() => DateTime)
  occurredAt!: Instant

  @Field(() => EventOutcome)
  outcome!: EventOutcome

  @Field(() => EventActor)
  actor!: EventActor

  @Field(() => EventTarget, {
    nullable: true,
    description: 'What it was done to; null when nothing in particular.',
  })
  target!: EventTarget | null

  @Field(() => [EventChange], { description: 'Fields that changed, with secrets left out.' })
  changes!: EventChange[]

  @Field(() => String, { nullable: true, description: `Why, in the actor's words.` })
  reason!: string | null

  @Field(() => String, { nullable: true })
  ipAddress!: string | null

  @Field(() => String, { nullable: true })
  userAgent!: string | null

  @Field(() => String, {
    nullable: true,
    description: 'The request that caused it, as in `extensions.requestId` and logs.',
  })
  requestId!: string | null
}

/** Which events to list. */
@InputType({ description: 'Which events to list.' })
export class AuditEventFilter {
  @Field(() => [String], {
    nullable: true,
    description: 'Topic names. A family can be given as `member.*`.',
  })
  topics?: string[] | null

  @Field(() => [ID], { nullable: true })
  actorIds?: string[] | null

  @Field(() => [ID], { nullable: true })
  targetIds?: string[] | null

  @Field(() => EventOutcome, { nullable: true })
  outcome?: EventOutcome | null

  @Field(() => DateTimeRange, { nullable: true })
  occurredAt?: DateTimeRange | null
}

export const AuditEventConnection = uncountedConnectionTypes('AuditEvent', () => AuditEvent, {
  page: 'A page of audit events.',
  edge: 'An audit event and its position in the list.',
})
