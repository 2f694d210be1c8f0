import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'WorkflowRun',
  tableName: 'workflow_run',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('workflow_run'),
  indexes: [
    { name: 'workflow_run_in_order', properties: ['workflowId', 'id'] },
    {
      name: 'workflow_run_under_way',
      properties: ['workflowId'],
      where: `status = 'RUNNING'`,
    },
    {
      name: 'workflow_run_finished',
      properties: ['finishedAt'],
      where: 'finished_at is not null',
    },
  ],
  uniques: [{ name: 'workflow_run_once', properties: ['workflowId', 'event'] }],
  checks: [
    {
      name: 'workflow_run_status',
      expression: `status in ('RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')`,
    },
  ],
  properties: {
    organisationId: p.uuid(),
    workflowId: p.uuid(),
    /** What set it off; a plain id, for events have an end of their own. */
    event: p.uuid(),
    /** The member whom the event was about; null where it was about none. */
    principalId: p.uuid().nullable(),
    status: p.text(),
    /** The step that comes next: whoever moves it on carries that step out. */
    step: p.integer().default(0),
    finishedAt: instant().nullable(),
    problemCode: p.text().nullable(),
    problemReason: p.text().nullable(),
    problemMessage: p.text().nullable(),
  },
})

/** One passage through a workflow. */
export class WorkflowRunEntity extends schema.class {}
schema.setClass(WorkflowRunEntity)
