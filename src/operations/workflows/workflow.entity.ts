import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Workflow',
  tableName: 'workflow',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('workflow'),
  indexes: [
    { name: 'workflow_awaiting', properties: ['organisationId', 'topic'], where: 'enabled' },
    { name: 'workflow_project', properties: ['projectId'], where: 'project_id is not null' },
  ],
  uniques: [{ name: 'workflow_in_organisation', properties: ['organisationId', 'id'] }],
  checks: [{ name: 'workflow_deleted', expression: 'deleted_at is null or not enabled' }],
  properties: {
    organisationId: p.uuid(),
    name: p.text(),
    description: p.text().nullable(),
    /** What sets it off. */
    topic: p.text(),
    /** Only events in this project set it off; null for all. */
    projectId: p.uuid().nullable(),
    enabled: p.boolean().default(true),
    /** Whoever changed it last: it acts with what they may do at the time. */
    updatedById: p.uuid(),
    /** The key they did it with, which narrows that. */
    updatedWithId: p.uuid().nullable(),
    updatedAt: instant(),
    /** What it has done is kept for a while, so the row stays after it was deleted. */
    deletedAt: instant().nullable(),
  },
})

/** Steps that run when something happens. */
export class WorkflowEntity extends schema.class {}
schema.setClass(WorkflowEntity)
