import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes, uncountedConnectionTypes } from '../../shared/page.ts'
import { DateTime, WebUrl } from '../../shared/scalars.ts'

/** An address that events are posted to, signed in the Standard Webhooks manner. */
@ObjectType({
  description: 'An address that events are posted to, signed in the Standard Webhooks manner.',
  implements: [Node],
  simpleResolvers: true,
})
export class Webhook {
  @Field(() => ID)
  id!: string

  organisationId!: string
  createdById!: string | null
  /** Topics and families as they were given. */
  patterns!: string[]

  @Field(() => WebUrl)
  url!: string

  @Field(() => String, { nullable: true })
  description!: string | null

  @Field(() => Boolean, { description: 'Switched off by hand, or after days of failing.' })
  enabled!: boolean

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  updatedAt!: Instant
}

/** How a delivery stands. */
export const DeliveryStatus = enumOf('PENDING', 'SUCCEEDED', 'FAILED')
export type DeliveryStatus = keyof typeof DeliveryStatus
registerEnumType(DeliveryStatus, {
  name: 'DeliveryStatus',
  description: 'How a delivery stands.',
})

/** One event on its way to one webhook. */
@ObjectType({
  description: 'One event on its way to one webhook.',
  implements: [Node],
  simpleResolvers: true,
})
export class WebhookDelivery {
  @Field(() => ID, { description: 'Sent as `webhook-id`; the same on every attempt.' })
  id!: string

  organisationId!: string
  webhookId!: string
  topicName!: string
  job!: string | null

  @Field(() => DeliveryStatus)
  status!: DeliveryStatus

  @Field(() => Int)
  attempts!: number

  @Field(() => Int, {
    nullable: true,
    description: 'HTTP status of the latest attempt; null when none came back.',
  })
  responseStatus!: number | null

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime, { nullable: true })
  lastAttemptAt!: Instant | null
}

/** A webhook to create. */
@InputType({ description: 'A webhook to create.' })
export class CreateWebhookInput {
  @Field(() => WebUrl)
  url!: string

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => [String], { description: 'Topic names. A family can be given as `member.*`.' })
  topics!: string[]
}

/** Changes to a webhook. */
@InputType({ description: 'Changes to a webhook.' })
export class UpdateWebhookInput {
  @Field(() => WebUrl, { nullable: true })
  url?: string | null

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => [String], { nullable: true })
  topics?: string[] | null

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null
}

/** A webhook with its secret. */
@ObjectType({ description: 'A webhook with its secret.', simpleResolvers: true })
export class WebhookSecretPayload {
  @Field(() => Webhook)
  webhook!: Webhook

  @Field(() => String, {
    nullable: true,
    description: 'The signing secret, shown this once. Null on an idempotent replay.',
  })
  secret!: string | null
}

/** The webhook as it now stands. */
@ObjectType({ description: 'The webhook as it now stands.', simpleResolvers: true })
export class WebhookPayload {
  @Field(() => Webhook)
  webhook!: Webhook
}

/** The webhook delivery as it now stands. */
@ObjectType({ description: 'The webhook delivery as it now stands.', simpleResolvers: true })
export class WebhookDeliveryPayload {
  @Field(() => WebhookDelivery)
  webhookDelivery!: WebhookDelivery
}

export const WebhookConnection = connectionTypes('Webhook', () => Webhook, {
  page: 'A page of webhooks.',
  edge: 'A webhook and its position in the list.',
})

export const WebhookDeliveryConnection = uncountedConnectionTypes(
  'WebhookDelivery',
  () => WebhookDelivery,
  {
    page: 'A page of webhook deliveries.',
    edge: 'A webhook delivery and its position in the list.',
  },
)
