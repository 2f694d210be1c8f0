import type { PrimaryKeyProp } from '@mikro-orm/core'
import { defineEntity, p } from '@mikro-orm/core'
import { tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'WorkflowStep',
  tableName: 'workflow_step',
  rowLevelSecurity: 'force',
  policies: tenantPolicies('workflow_step'),
  indexes: [
    {
      name: 'workflow_step_webhook',
      properties: ['webhookId'],
      where: 'webhook_id is not null',
    },
    {
      name: 'workflow_step_project',
      properties: ['projectId'],
      where: 'project_id is not null',
    },
    { name: 'workflow_step_role', properties: ['roleId'], where: 'role_id is not null' },
  ],
  checks: [
    {
      name: 'workflow_step_kind',
      expression: `kind in ('SEND_EMAIL', 'CALL_WEBHOOK', 'ASSIGN_ROLE', 'GRANT_PROJECT_ACCESS', 'WAIT')`,
    },
    {
      name: 'workflow_step_role_level',
      expression: `role_level in ('ORGANISATION', 'PROJECT')`,
    },
  ],
  properties: {
    organisationId: p.uuid(),
    workflowId: p.uuid().primary(),
    /** From 0 on. */
    position: p.integer().primary(),
    kind: p.text(),
    subject: p.text().nullable(),
    body: p.text().nullable(),
    webhookId: p.uuid().nullable(),
    projectId: p.uuid().nullable(),
    roleId: p.uuid().nullable(),
    /** With the role's id it points at roles of that level only. */
    roleLevel: p.text().nullable(),
    minutes: p.integer().nullable(),
  },
})

/** One thing that a workflow does. */
export class WorkflowStepEntity extends schema.class {
  declare [PrimaryKeyProp]?: ['workflowId', 'position']
}
schema.setClass(WorkflowStepEntity)
