import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { Project } from '../../tenancy/projects/project.type.ts'
import { Role } from '../../tenancy/roles/role.type.ts'
import { Webhook } from '../webhooks/webhook.type.ts'
import { AssignRoleStep, CallWebhookStep, GrantProjectAccessStep } from './step.type.ts'

@Resolver(() => CallWebhookStep)
export class CallWebhookStepResolver {
  @FieldResolver(() => Webhook)
  webhook(@Root() { organisationId, webhookId: id }: CallWebhookStep, @Ctx() { loaders }: Context) {
    return certain(loaders.webhook.find({ organisationId, id }))
  }
}

@Resolver(() => AssignRoleStep)
export class AssignRoleStepResolver {
  @FieldResolver(() => Role)
  role(@Root() { organisationId, roleId: id }: AssignRoleStep, @Ctx() { loaders }: Context) {
    return certain(loaders.role.find({ organisationId, id }))
  }
}

@Resolver(() => GrantProjectAccessStep)
export class GrantProjectAccessStepResolver {
  @FieldResolver(() => Project)
  project(
    @Root() { organisationId, projectId: id }: GrantProjectAccessStep,
    @Ctx() { loaders }: Context,
  ) {
    return certain(loaders.project.find({ organisationId, id }))
  }

  @FieldResolver(() => Role)
  role(
    @Root() { organisationId, roleId: id }: GrantProjectAccessStep,
    @Ctx() { loaders }: Context,
  ) {
    return certain(loaders.role.find({ organisationId, id }))
  }
}
