import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes, uncountedConnectionTypes } from '../../shared/page.ts'
import { Problem } from '../../shared/problem.type.ts'
import { DateTime } from '../../shared/scalars.ts'
import { WorkflowStepInput } from './step.type.ts'

/** Steps that run when something happens, such as a welcome sequence for new members. */
@ObjectType({
  description: 'Steps that run when something happens, such as a welcome sequence for new members.',
  implements: [Node],
  simpleResolvers: true,
})
export class Workflow {
  @Field(() => ID)
  id!: string

  organisationId!: string
  topicName!: string
  projectId!: string | null
  updatedById!: string
  updatedWithId!: string | null

  @Field(() => String)
  name!: string

  @Field(() => String, { nullable: true })
  description!: string | null

  @Field(() => Boolean)
  enabled!: boolean

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  updatedAt!: Instant
}

/** How a run stands. */
export const RunStatus = enumOf('RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')
export type RunStatus = keyof typeof RunStatus
registerEnumType(RunStatus, {
  name: 'RunStatus',
  description: 'How a run stands.',
})

/** One passage through a workflow. */
@ObjectType({
  description: 'One passage through a workflow.',
  implements: [Node],
  simpleResolvers: true,
})
export class WorkflowRun {
  @Field(() => ID)
  id!: string

  organisationId!: string
  workflowId!: string
  event!: string
  /** False where it is about a member whom the viewer's role does not show. */
  shown!: boolean

  @Field(() => RunStatus)
  status!: RunStatus

  @Field(() => DateTime)
  startedAt!: Instant

  @Field(() => DateTime, { nullable: true })
  finishedAt!: Instant | null

  @Field(() => Problem, { nullable: true, description: 'What stopped it, if it failed.' })
  problem!: Problem | null
}

/** A workflow to define. */
@InputType({ description: 'A workflow to define.' })
export class CreateWorkflowInput {
  @Field(() => String)
  name!: string

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => String, { description: 'Topic name.' })
  trigger!: string

  @Field(() => ID, { nullable: true })
  projectId?: string | null

  @Field(() => [WorkflowStepInput])
  steps!: WorkflowStepInput[]

  @Field(() => Boolean, { defaultValue: true })
  enabled!: boolean
}

/** Changes to a workflow. Steps are replaced as a whole. */
@InputType({ description: 'Changes to a workflow. Steps are replaced as a whole.' })
export class UpdateWorkflowInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => String, { nullable: true })
  trigger?: string | null

  @Field(() => ID, { nullable: true })
  projectId?: string | null

  @Field(() => [WorkflowStepInput], { nullable: true })
  steps?: WorkflowStepInput[] | null

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null
}

/** The workflow as it now stands. */
@ObjectType({ description: 'The workflow as it now stands.', simpleResolvers: true })
export class WorkflowPayload {
  @Field(() => Workflow)
  workflow!: Workflow
}

export const WorkflowConnection = connectionTypes('Workflow', () => Workflow, {
  page: 'A page of workflows.',
  edge: 'A workflow and its position in the list.',
})

export const WorkflowRunConnection = uncountedConnectionTypes('WorkflowRun', () => WorkflowRun, {
  page: 'A page of workflow runs.',
  edge: 'A workflow run and its position in the list.',
})
