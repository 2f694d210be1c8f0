import { createUnionType, Field, ID, InputType, Int, ObjectType, Directive } from 'type-graphql'
import { ProjectAccessInput } from '../../tenancy/projects/project.type.ts'

/** One step, whatever its kind, and where its things lie. */
interface Step {
  organisationId: string
}

/** Mail the person the event is about. */
@ObjectType({ description: 'Mail the person the event is about.', simpleResolvers: true })
class SendEmailStep implements Step {
  kind!: 'SEND_EMAIL'
  organisationId!: string

  @Field(() => String)
  subject!: string

  @Field(() => String, {
    description:
      'Plain text. `{{firstName}}`, `{{organisation}}` and `{{project}}` are filled in and escaped.',
  })
  body!: string
}

/** Post the event to a webhook. */
@ObjectType({ description: 'Post the event to a webhook.', simpleResolvers: true })
export class CallWebhookStep implements Step {
  kind!: 'CALL_WEBHOOK'
  organisationId!: string
  webhookId!: string
}

/** Give the person another role in the organisation. */
@ObjectType({
  description: 'Give the person another role in the organisation.',
  simpleResolvers: true,
})
export class AssignRoleStep implements Step {
  kind!: 'ASSIGN_ROLE'
  organisationId!: string
  roleId!: string
}

/** Let the person into a project. */
@ObjectType({ description: 'Let the person into a project.', simpleResolvers: true })
export class GrantProjectAccessStep implements Step {
  kind!: 'GRANT_PROJECT_ACCESS'
  organisationId!: string
  projectId!: string
  roleId!: string
}

/** Let time pass. */
@ObjectType({ description: 'Let time pass.', simpleResolvers: true })
class WaitStep implements Step {
  kind!: 'WAIT'
  organisationId!: string

  @Field(() => Int)
  minutes!: number
}

/** What the kinds of steps are called. */
export const STEP_TYPES = {
  SEND_EMAIL: 'SendEmailStep',
  CALL_WEBHOOK: 'CallWebhookStep',
  ASSIGN_ROLE: 'AssignRoleStep',
  GRANT_PROJECT_ACCESS: 'GrantProjectAccessStep',
  WAIT: 'WaitStep',
} as const

export const WorkflowStep = createUnionType({
  name: 'WorkflowStep',
  description: 'One thing a workflow does.',
  types: () =>
    [SendEmailStep, CallWebhookStep, AssignRoleStep, GrantProjectAccessStep, WaitStep] as const,
  resolveType: value => STEP_TYPES[value.kind],
})
export type WorkflowStep = typeof WorkflowStep

/** A mail to send. */
@InputType({ description: 'A mail to send.' })
export class SendEmailStepInput {
  @Field(() => String)
  subject!: string

  @Field(() => String)
  body!: string
}

/** A webhook to call. */
@InputType({ description: 'A webhook to call.' })
export class CallWebhookStepInput {
  @Field(() => ID)
  webhookId!: string
}

/** A role to give. */
@InputType({ description: 'A role to give.' })
export class AssignRoleStepInput {
  @Field(() => ID)
  roleId!: string
}

/** Time to let pass. */
@InputType({ description: 'Time to let pass.' })
export class WaitStepInput {
  @Field(() => Int)
  minutes!: number
}

/** Exactly one kind of step. */
@Directive('@oneOf')
@InputType({ description: 'Exactly one kind of step.' })
export class WorkflowStepInput {
  @Field(() => SendEmailStepInput, { nullable: true })
  sendEmail?: SendEmailStepInput

  @Field(() => CallWebhookStepInput, { nullable: true })
  callWebhook?: CallWebhookStepInput

  @Field(() => AssignRoleStepInput, { nullable: true })
  assignRole?: AssignRoleStepInput

  @Field(() => ProjectAccessInput, { nullable: true })
  grantProjectAccess?: ProjectAccessInput

  @Field(() => WaitStepInput, { nullable: true })
  wait?: WaitStepInput
}
