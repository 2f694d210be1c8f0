import { must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { badInput, type Path } from '../../shared/errors.ts'
import { getGrantable } from '../../tenancy/projects/project-access.service.ts'
import { getAssignableRole } from '../../tenancy/roles/role.service.ts'
import { holdWebhook } from '../webhooks/webhook.loaders.ts'
import type { WorkflowStep, WorkflowStepInput } from './step.type.ts'
import { readTemplate } from './template.ts'

const MOST_STEPS = 20
/** A year. */
const LONGEST_WAIT_MINUTES = 525_600

type Bare<Of> = Of extends unknown ? Omit<Of, 'organisationId'> : never
/** A step as it is stored. */
export type Step = Bare<WorkflowStep>

/**
 * Steps as typed, each of which the viewer could take now: what a workflow may do is no more than what whoever changed
 * it last may do. Roles, projects and webhooks that they name are held against change until the transaction ends.
 *
 * @param inProject whether mails may name the workflow's project.
 * @throws {AppError} what the mutation that does the same would throw, with the path of the step.
 */
export async function readSteps(
  work: Work,
  viewer: TenantViewer,
  inputs: WorkflowStepInput[],
  inProject: boolean,
  path: Path,
): Promise<Step[]> {
  if (!inputs.length) throw badInput(path, 'REQUIRED', 'A workflow takes at least one step.')
  if (inputs.length > MOST_STEPS)
    throw badInput(path, 'OUT_OF_RANGE', `A workflow takes at most ${MOST_STEPS} steps.`)
  const steps: Step[] = []
  for (const [index, input] of inputs.entries())
    steps.push(await readStep(work, viewer, input, inProject, [...path, index]))
  return steps
}

async function readStep(
  work: Work,
  viewer: TenantViewer,
  { sendEmail, callWebhook, assignRole, grantProjectAccess, wait }: WorkflowStepInput,
  inProject: boolean,
  path: Path,
): Promise<Step> {
  if (sendEmail) {
    // whoever writes to people sees them
    must(viewer, 'viewUser')
    return { kind: 'SEND_EMAIL', ...readTemplate(sendEmail, [...path, 'sendEmail'], inProject) }
  }
  if (callWebhook) {
    const { id } = await holdWebhook(work.db, viewer, callWebhook.webhookId)
    return { kind: 'CALL_WEBHOOK', webhookId: id }
  }
  if (assignRole) {
    must(viewer, 'manageUser')
    const at = [...path, 'assignRole', 'roleId']
    const role = await getAssignableRole(work, viewer, assignRole.roleId, 'ORGANISATION', null, at)
    return { kind: 'ASSIGN_ROLE', roleId: role.id }
  }
  if (grantProjectAccess) {
    const at = [...path, 'grantProjectAccess']
    const { project, role } = await getGrantable(work, viewer, grantProjectAccess, at)
    return { kind: 'GRANT_PROJECT_ACCESS', projectId: project.id, roleId: role.id }
  }
  const minutes = wait?.minutes ?? 0
  if (minutes < 1 || minutes > LONGEST_WAIT_MINUTES)
    throw badInput(
      [...path, 'wait', 'minutes'],
      'OUT_OF_RANGE',
      `A wait takes from 1 to ${LONGEST_WAIT_MINUTES} minutes, which is a year.`,
    )
  return { kind: 'WAIT', minutes }
}

/** Steps as they would be typed, to be read again by whoever answers for them now. */
export const asInputs = (steps: Step[]): WorkflowStepInput[] =>
  steps.map(step => {
    switch (step.kind) {
      case 'SEND_EMAIL':
        return { sendEmail: { subject: step.subject, body: step.body } }
      case 'CALL_WEBHOOK':
        return { callWebhook: { webhookId: step.webhookId } }
      case 'ASSIGN_ROLE':
        return { assignRole: { roleId: step.roleId } }
      case 'GRANT_PROJECT_ACCESS':
        return { grantProjectAccess: { projectId: step.projectId, roleId: step.roleId } }
      case 'WAIT':
        return { wait: { minutes: step.minutes } }
    }
  })

/** Steps in one line each, as the trail tells them; of a mail no more than its subject. */
export const describeSteps = (steps: Step[]): string =>
  asInputs(steps)
    .map(input => JSON.stringify(input.sendEmail ? { sendEmail: input.sendEmail.subject } : input))
    .join(' ')

/** Writes the steps of a workflow that has none. */
export async function writeSteps(
  work: Work,
  organisationId: string,
  workflowId: string,
  steps: Step[],
): Promise<void> {
  const rows = steps.map((step, position) => ({
    ...step,
    position,
    level:
      step.kind === 'ASSIGN_ROLE'
        ? 'ORGANISATION'
        : step.kind === 'GRANT_PROJECT_ACCESS'
          ? 'PROJECT'
          : null,
  }))
  await work.db.rows(sql`
    insert into workflow_step (organisation_id, workflow_id, position, kind, subject, body, webhook_id, project_id, role_id,
      role_level, minutes)
    select ${organisationId}::uuid, ${workflowId}::uuid, position, kind, subject, body, "webhookId", "projectId", "roleId",
      level, minutes
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as s (position int, kind text, subject text, body text,
      "webhookId" uuid, "projectId" uuid, "roleId" uuid, level text, minutes int)`)
}
