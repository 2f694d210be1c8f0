import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Resolver,
  Root,
} from 'type-graphql'
import { inside, tenantOf } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import { shownPrincipal } from '../../credentials/service-accounts/shown-principal.ts'
import type { Context } from '../../graphql/context.ts'
import { Topic } from '../../outbox/events/topic.type.ts'
import { topicOf, topicsMeant, type TopicInfo } from '../../outbox/events/topics.ts'
import { PageArgs } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'
import { Principal } from '../../tenancy/memberships/member.type.ts'
import { DeletePayload, Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { retryDelivery, testWebhook } from './delivery.service.ts'
import { getWebhook, listDeliveries, listWebhooks } from './webhook.loaders.ts'
import {
  createWebhook,
  deleteWebhook,
  rotateWebhookSecret,
  updateWebhook,
} from './webhook.service.ts'
import {
  CreateWebhookInput,
  DeliveryStatus,
  UpdateWebhookInput,
  Webhook,
  WebhookConnection,
  WebhookDelivery,
  WebhookDeliveryConnection,
  WebhookDeliveryPayload,
  WebhookPayload,
  WebhookSecretPayload,
} from './webhook.type.ts'

@ArgsType()
class WebhookDeliveriesArgs extends PageArgs {
  @Field(() => DeliveryStatus, { nullable: true })
  status?: DeliveryStatus | null
}

@Resolver(() => Webhook)
export class WebhookResolver {
  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId: id }: Webhook, @Ctx() { loaders }: Context) {
    return certain(loaders.organisation.find({ organisationId: id, id }))
  }

  @FieldResolver(() => [Topic])
  topics(@Root() { patterns }: Webhook): TopicInfo[] {
    const names = patterns.flatMap(pattern => topicsMeant(pattern) ?? [pattern])
    return [...new Set(names)].map(topicOf)
  }

  @FieldResolver(() => Principal, { nullable: true })
  async createdBy(
    @Root() { organisationId, createdById }: Webhook,
    @Ctx() context: Context,
  ): Promise<Principal | null> {
    if (!createdById) return null
    return shownPrincipal(context, { organisationId, id: createdById })
  }

  @FieldResolver(() => WebhookDeliveryConnection)
  deliveries(
    @Root() webhook: Webhook,
    @Args(() => WebhookDeliveriesArgs) args: WebhookDeliveriesArgs,
    @Ctx() { readIn, loaders, node }: Context,
  ) {
    return listDeliveries(readIn, loaders.deliveriesOf, node.server.keys, webhook, args)
  }

  @Mutation(() => WebhookSecretPayload, {
    nullable: true,
    description: 'Have events posted to an address of yours. Needs `manageIntegration`.',
  })
  createWebhook(
    @Arg('input', () => CreateWebhookInput) input: CreateWebhookInput,
    @Ctx() { transact }: Context,
  ): Promise<WebhookSecretPayload> {
    return transact(work => createWebhook(work, input))
  }

  @Mutation(() => WebhookPayload, {
    nullable: true,
    description: 'Change a webhook. Needs `manageIntegration`.',
  })
  async updateWebhook(
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateWebhookInput) input: UpdateWebhookInput,
    @Ctx() { transact }: Context,
  ): Promise<WebhookPayload> {
    return { webhook: await transact(work => updateWebhook(work, id, input)) }
  }

  @Mutation(() => WebhookSecretPayload, {
    nullable: true,
    description:
      'Issue a new signing secret. For a day, deliveries carry signatures of both. Needs `manageIntegration`.',
  })
  rotateWebhookSecret(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<WebhookSecretPayload> {
    return transact(work => rotateWebhookSecret(work, id))
  }

  @Mutation(() => WebhookDeliveryPayload, {
    nullable: true,
    description: 'Send a webhook a sample delivery. Needs `manageIntegration`.',
  })
  async testWebhook(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<WebhookDeliveryPayload> {
    return { webhookDelivery: await transact(work => testWebhook(work, id)) }
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description: 'Delete a webhook. Refused while a workflow calls it. Needs `manageIntegration`.',
  })
  async deleteWebhook(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, caller }: Context,
  ): Promise<DeletePayload> {
    return {
      deletedId: await transact(work => deleteWebhook(work, id)),
      organisation: caller!.organisation,
    }
  }
}

@Resolver(() => WebhookDelivery)
export class WebhookDeliveryResolver {
  @FieldResolver(() => Webhook)
  webhook(@Root() { organisationId, webhookId: id }: WebhookDelivery, @Ctx() { loaders }: Context) {
    return certain(loaders.webhook.find({ organisationId, id }))
  }

  @FieldResolver(() => Topic)
  topic(@Root() { topicName }: WebhookDelivery): TopicInfo {
    return topicOf(topicName)
  }

  @FieldResolver(() => DateTime, { nullable: true })
  nextAttemptAt(@Root() { status, job }: WebhookDelivery, @Ctx() { loaders, now }: Context) {
    if (status !== 'PENDING') return null
    // nobody has taken it up yet, so it is due
    return job ? loaders.dueAt.load(job) : now
  }

  @Mutation(() => WebhookDeliveryPayload, {
    nullable: true,
    description: 'Attempt a delivery again, under the same webhook id. Needs `manageIntegration`.',
  })
  async retryDelivery(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<WebhookDeliveryPayload> {
    return { webhookDelivery: await transact(work => retryDelivery(work, id)) }
  }
}

@Resolver(() => Organisation)
export class OrganisationWebhooksResolver {
  @FieldResolver(() => Webhook, { nullable: true, description: 'Needs `manageIntegration`.' })
  webhook(
    @Root() organisation: Organisation,
    @Arg('id', () => ID) id: string,
    @Ctx() { viewer, read }: Context,
  ): Promise<Webhook> {
    const reader = inside(viewer, organisation.id)
    return getWebhook(read(tenantOf(reader)), reader, id)
  }

  @FieldResolver(() => WebhookConnection, {
    nullable: true,
    description: 'Needs `manageIntegration`.',
  })
  webhooks(
    @Root() { id }: Organisation,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { viewer, read, node }: Context,
  ) {
    const reader = inside(viewer, id)
    return listWebhooks(read(tenantOf(reader)), node.server.keys, reader, args)
  }
}
