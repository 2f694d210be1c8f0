import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { Topic, TopicCategory } from '../../outbox/events/topic.type.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'

/** Where notifications go. */
export const NotificationChannel = enumOf('EMAIL', 'IN_APP')
export type NotificationChannel = keyof typeof NotificationChannel
registerEnumType(NotificationChannel, {
  name: 'NotificationChannel',
  description: 'Where notifications go.',
})

/** How often notifications go out. */
export const NotificationFrequency = enumOf('IMMEDIATELY', 'DAILY', 'WEEKLY', 'NEVER')
export type NotificationFrequency = keyof typeof NotificationFrequency
registerEnumType(NotificationFrequency, {
  name: 'NotificationFrequency',
  description: 'How often notifications go out.',
})

/** A message to a person, kept until read. */
@ObjectType({
  description: 'A message to a person, kept until read.',
  implements: [Node],
  simpleResolvers: true,
})
export class Notification {
  @Field(() => ID)
  id!: string

  organisationId!: string | null

  @Field(() => Topic)
  topic!: Topic

  @Field(() => String, { description: "Plain text in the person's language." })
  message!: string

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime, { nullable: true })
  readAt!: Instant | null
}

/** One line of a person's choices about being notified. */
@ObjectType({
  description: "One line of a person's choices about being notified.",
  simpleResolvers: true,
})
export class NotificationPreference {
  @Field(() => TopicCategory)
  category!: TopicCategory

  @Field(() => NotificationChannel)
  channel!: NotificationChannel

  @Field(() => NotificationFrequency)
  frequency!: NotificationFrequency

  @Field(() => Boolean, {
    description: 'True for security notices, which cannot be switched off.',
  })
  mandatory!: boolean
}

/** One choice about being notified. */
@InputType({ description: 'One choice about being notified.' })
export class NotificationPreferenceInput {
  @Field(() => TopicCategory)
  category!: TopicCategory

  @Field(() => NotificationChannel)
  channel!: NotificationChannel

  @Field(() => NotificationFrequency)
  frequency!: NotificationFrequency
}

export const NotificationConnection = connectionTypes('Notification', () => Notification, {
  page: 'A page of notifications.',
  edge: 'A notification and its position in the list.',
})
