import { Args, ArgsType, Ctx, Field, FieldResolver, Query, Resolver, Root } from 'type-graphql'
import { inside, operatorOf, tenantOf } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { Topic } from '../../outbox/events/topic.type.ts'
import { allTopics, type TopicInfo } from '../../outbox/events/topics.ts'
import { AppError } from '../../shared/errors.ts'
import { Node } from '../../shared/node.type.ts'
import { PageArgs } from '../../shared/page.ts'
import { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { Platform } from '../../tenancy/policies/policy.type.ts'
import { findNode, lookingTogether, type Looker } from '../nodes/node.service.ts'
import { listEvents } from './audit.list.ts'
import { AuditEventConnection, AuditEventFilter, EventTarget } from './audit.type.ts'

@ArgsType()
class AuditEventsArgs extends PageArgs {
  @Field(() => AuditEventFilter, { nullable: true })
  filter?: AuditEventFilter | null
}

const lookers = new WeakMap<object, Looker>()

/** What looks up the targets of one operation together. */
function together(context: Context): Looker {
  const known = lookers.get(context.loaders) ?? lookingTogether(context)
  lookers.set(context.loaders, known)
  return known
}

@Resolver(() => EventTarget)
export class AuditResolver {
  @Query(() => [Topic], {
    nullable: true,
    description: 'Every topic that audit events, webhooks, workflows and notifications speak of.',
  })
  topics(): readonly TopicInfo[] {
    return allTopics
  }

  @FieldResolver(() => Node, {
    nullable: true,
    description: 'The thing itself, if it still exists and the viewer may see it.',
  })
  async node(@Root() { id }: EventTarget, @Ctx() context: Context) {
    try {
      return await findNode(together(context), id)
    } catch (error) {
      if (error instanceof AppError) return null
      throw error
    }
  }
}

@Resolver(() => Organisation)
export class OrganisationAuditResolver {
  @FieldResolver(() => AuditEventConnection, {
    nullable: true,
    description: 'What happened here, newest first. Has no total. Needs `viewAudit`.',
  })
  auditEvents(
    @Root() { id }: Organisation,
    @Args(() => AuditEventsArgs) args: AuditEventsArgs,
    @Ctx() { viewer, read, node, now }: Context,
  ) {
    const context = tenantOf(inside(viewer, id))
    return listEvents(read(context), node.server.keys, id, args, now)
  }
}

@Resolver(() => Platform)
export class PlatformAuditResolver {
  @FieldResolver(() => AuditEventConnection, {
    description: 'What happened anywhere, newest first. Has no total.',
  })
  auditEvents(
    @Args(() => AuditEventsArgs) args: AuditEventsArgs,
    @Ctx() { viewer, read, node, now }: Context,
  ) {
    return listEvents(read(operatorOf(viewer)), node.server.keys, null, args, now)
  }
}
