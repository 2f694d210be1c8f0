import { must, mustReach, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { isActive } from '../../credentials/callers/standing.ts'
import { spend } from '../../credentials/throttle/budget.service.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { queueMail } from '../../outbox/mail/mail.service.ts'
import { badInput, conflict, notFound } from '../../shared/errors.ts'
import { only } from '../../shared/outcome.ts'
import { changeMembers } from '../../tenancy/memberships/member-changes.service.ts'
import { readVisibleMember } from '../../tenancy/memberships/member.list.ts'
import { grantProjectAccess } from '../../tenancy/projects/project-access.service.ts'
import { postEvent } from '../webhooks/delivery.service.ts'
import type { AssignRoleStep, GrantProjectAccessStep, WorkflowStep } from './step.type.ts'
import { fillIn } from './template.ts'
import { targetOf } from './workflow.service.ts'
import type { Workflow } from './workflow.type.ts'

/** Mails that one person gets from the workflows of an organisation in a day: any welcome, and no flood. */
const MOST_MAILS_A_DAY = 20
const DAY_MINUTES = 1_440

/** A run whose turn it is. */
export interface DueRun {
  id: string
  event: string
  /** Whom the event was about. */
  principalId: string | null
  workflow: Pick<Workflow, 'id' | 'name' | 'projectId' | 'organisationId'>
}

/**
 * Takes one step for whoever the workflow acts for: by the verbs that they would use themselves, which ask for their
 * permissions, and what is above them, anew.
 *
 * @param work its viewer is the one who is acted for, in the context of their organisation.
 */
export async function takeStep(
  work: Work,
  viewer: TenantViewer,
  run: DueRun,
  step: Exclude<WorkflowStep, { kind: 'WAIT' }>,
  position: number,
): Promise<void> {
  must(viewer, 'manageIntegration')
  mustReach(viewer, run.workflow.projectId)
  switch (step.kind) {
    case 'SEND_EMAIL':
      return sendMail(work, viewer, run, step)
    case 'CALL_WEBHOOK':
      return callWebhook(work, run, step.webhookId, position)
    case 'ASSIGN_ROLE':
      return assignRole(work, run, step)
    case 'GRANT_PROJECT_ACCESS':
      return grantAccess(work, run, step)
  }
}

function personOf({ principalId }: DueRun): string {
  if (!principalId)
    throw conflict('STATE_MISMATCH', 'The event was not about a member of this organisation.')
  return principalId
}

async function assignRole(work: Work, run: DueRun, { roleId }: AssignRoleStep): Promise<void> {
  const path = ['input']
  only(await changeMembers(work, [{ id: personOf(run), input: { roleId }, path }]))
}

async function grantAccess(
  work: Work,
  run: DueRun,
  { projectId, roleId }: GrantProjectAccessStep,
): Promise<void> {
  await grantProjectAccess(work, { principalId: personOf(run), projectId, roleId })
}

async function callWebhook(
  work: Work,
  { id, event, workflow }: DueRun,
  webhookId: string,
  position: number,
): Promise<void> {
  const webhook = await postEvent(work, webhookId, event, `${id} ${position}`)
  await record(work, 'workflow.webhook_called', {
    organisationId: workflow.organisationId,
    target: targetOf(workflow),
    changes: [{ field: 'webhook', before: null, after: new URL(webhook.url).host }],
  })
}

/** Mails a member whom the one who is acted for sees, and who has accepted and is not barred. */
async function sendMail(
  work: Work,
  viewer: TenantViewer,
  run: DueRun,
  template: { subject: string; body: string },
): Promise<void> {
  must(viewer, 'viewUser')
  const member = await readVisibleMember(work.db, viewer, personOf(run))
  if (member.removedAt) throw notFound('member')
  if (!member.userId || !isActive(member, work.now))
    throw conflict('STATE_MISMATCH', 'This person has not accepted yet, or is barred.')
  const { workflow } = run
  const names = await firstRow<{ organisation: string; project: string | null }>(
    work.db,
    sql`select o.name as organisation, p.name as project from organisation o
      left join project p on p.id = ${workflow.projectId} where o.id = ${viewer.organisationId}`,
  )
  const filled = fillIn(template, { firstName: member.firstName, ...names! })
  if (!filled) throw badInput(['steps'], 'INVALID_FORMAT', 'Filled in, the mail would hold a link.')
  const budget = {
    of: `workflow mails to ${member.id}`,
    most: MOST_MAILS_A_DAY,
    minutes: DAY_MINUTES,
  }
  // in the transaction of the step: what is not mailed after all counts for nothing
  await work.as(SYSTEM, () => spend(work.db, budget, 1, work.now))
  const account = await work.as(SYSTEM, () =>
    firstRow<{ locale: string }>(
      work.db,
      sql`select locale from user_account where id = ${member.userId}`,
    ),
  )
  await queueMail(work, {
    to: member.email,
    ...(account && { locale: account.locale }),
    // sent by itself, so whoever gets it may have it stopped
    reader: { userId: member.userId, categories: ['INTEGRATION'] },
    mail: {
      template: 'workflowMail',
      data: { ...filled, organisation: names!.organisation },
    },
  })
  await record(work, 'workflow.mail_sent', {
    organisationId: viewer.organisationId,
    target: { kind: 'Member', id: member.id, name: member.name },
    changes: [{ field: 'workflow', before: null, after: workflow.name }],
  })
}
