import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql'
import { inside, tenantOf } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import { shownPrincipal } from '../../credentials/service-accounts/shown-principal.ts'
import type { Context } from '../../graphql/context.ts'
import { Topic } from '../../outbox/events/topic.type.ts'
import { topicOf, type TopicInfo } from '../../outbox/events/topics.ts'
import { PageArgs } from '../../shared/page.ts'
import { Principal } from '../../tenancy/memberships/member.type.ts'
import { DeletePayload, Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { Project } from '../../tenancy/projects/project.type.ts'
import { EventTarget } from '../audit/audit.type.ts'
import { WorkflowStep } from './step.type.ts'
import { getWorkflow, listRuns, listWorkflows } from './workflow.loaders.ts'
import { createWorkflow, deleteWorkflow, updateWorkflow } from './workflow.service.ts'
import {
  CreateWorkflowInput,
  UpdateWorkflowInput,
  Workflow,
  WorkflowConnection,
  WorkflowPayload,
  WorkflowRun,
  WorkflowRunConnection,
} from './workflow.type.ts'

@Resolver(() => Workflow)
export class WorkflowResolver {
  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId: id }: Workflow, @Ctx() { loaders }: Context) {
    return certain(loaders.organisation.find({ organisationId: id, id }))
  }

  @FieldResolver(() => Topic, { description: 'The topic that sets it off.' })
  trigger(@Root() { topicName }: Workflow): TopicInfo {
    return topicOf(topicName)
  }

  @FieldResolver(() => Project, {
    nullable: true,
    description: 'Only for events in this project; null for all.',
  })
  project(@Root() { organisationId, projectId }: Workflow, @Ctx() { loaders }: Context) {
    return projectId && loaders.project.find({ organisationId, id: projectId })
  }

  @FieldResolver(() => [WorkflowStep])
  steps(@Root() { organisationId, id }: Workflow, @Ctx() { loaders }: Context) {
    return loaders.stepsOf.load({ organisationId, id })
  }

  @FieldResolver(() => Principal, { nullable: true })
  updatedBy(
    @Root() { organisationId, updatedById: id }: Workflow,
    @Ctx() context: Context,
  ): Promise<Principal | null> {
    return shownPrincipal(context, { organisationId, id })
  }

  @FieldResolver(() => WorkflowRunConnection)
  runs(
    @Root() workflow: Workflow,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { readIn, loaders, node }: Context,
  ) {
    return listRuns(readIn, loaders.runsOf, node.server.keys, workflow, args)
  }

  @Mutation(() => WorkflowPayload, {
    nullable: true,
    description: 'Define steps to run when something happens. Needs `manageIntegration`.',
  })
  async createWorkflow(
    @Arg('input', () => CreateWorkflowInput) input: CreateWorkflowInput,
    @Ctx() { transact }: Context,
  ): Promise<WorkflowPayload> {
    return { workflow: await transact(work => createWorkflow(work, input)) }
  }

  @Mutation(() => WorkflowPayload, {
    nullable: true,
    description:
      'Change a workflow. It acts with the permissions of whoever changed it last. Needs `manageIntegration`.',
  })
  async updateWorkflow(
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateWorkflowInput) input: UpdateWorkflowInput,
    @Ctx() { transact }: Context,
  ): Promise<WorkflowPayload> {
    return { workflow: await transact(work => updateWorkflow(work, id, input)) }
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description: 'Delete a workflow. Runs under way are stopped. Needs `manageIntegration`.',
  })
  async deleteWorkflow(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, caller }: Context,
  ): Promise<DeletePayload> {
    return {
      deletedId: await transact(work => deleteWorkflow(work, id)),
      organisation: caller!.organisation,
    }
  }
}

@Resolver(() => WorkflowRun)
export class WorkflowRunResolver {
  @FieldResolver(() => Workflow)
  workflow(@Root() { organisationId, workflowId: id }: WorkflowRun, @Ctx() { loaders }: Context) {
    return certain(loaders.workflow.find({ organisationId, id }))
  }

  @FieldResolver(() => EventTarget, { nullable: true, description: 'Who the event was about.' })
  subject(@Root() { organisationId, event: id, shown }: WorkflowRun, @Ctx() { loaders }: Context) {
    return shown ? loaders.targetOf.load({ organisationId, id }) : null
  }
}

@Resolver(() => Organisation)
export class OrganisationWorkflowsResolver {
  @FieldResolver(() => Workflow, { nullable: true, description: 'Needs `manageIntegration`.' })
  workflow(
    @Root() organisation: Organisation,
    @Arg('id', () => ID) id: string,
    @Ctx() { viewer, read }: Context,
  ): Promise<Workflow> {
    const reader = inside(viewer, organisation.id)
    return getWorkflow(read(tenantOf(reader)), reader, id)
  }

  @FieldResolver(() => WorkflowConnection, {
    nullable: true,
    description: 'Needs `manageIntegration`.',
  })
  workflows(
    @Root() { id }: Organisation,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { viewer, read, node }: Context,
  ) {
    const reader = inside(viewer, id)
    return listWorkflows(read(tenantOf(reader)), node.server.keys, reader, args)
  }
}
