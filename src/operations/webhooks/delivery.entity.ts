import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant } from '../../database/base.entity.ts'
import { tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_delivery',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('webhook_delivery'),
  indexes: [
    { name: 'webhook_delivery_of', properties: ['webhookId', 'id'] },
    { name: 'webhook_delivery_by_status', properties: ['webhookId', 'status', 'id'] },
    { name: 'webhook_delivery_created', properties: ['createdAt'] },
  ],
  uniques: [{ name: 'webhook_delivery_once', properties: ['webhookId', 'event', 'occasion'] }],
  checks: [
    {
      name: 'webhook_delivery_status',
      expression: `status in ('PENDING', 'SUCCEEDED', 'FAILED')`,
    },
  ],
  properties: {
    organisationId: p.uuid(),
    webhookId: p.uuid(),
    /** What is told; a plain id, for events have an end of their own. */
    event: p.uuid(),
    topic: p.text(),
    /** Which step of which run of a workflow has it posted; empty for what the webhook waits for itself. */
    occasion: p.text().default(''),
    status: p.text(),
    /** The job that attempts it; any other gives way. Null until the first one takes it up. */
    job: p.uuid().nullable(),
    attempts: p.integer().default(0),
    responseStatus: p.integer().nullable(),
    durationMs: p.integer().nullable(),
    /** The first failure of the present series: what the days of patience are counted from. */
    begunAt: instant().nullable(),
    lastAttemptAt: instant().nullable(),
  },
})

/** One event on its way to one webhook. */
export class WebhookDeliveryEntity extends schema.class {}
schema.setClass(WebhookDeliveryEntity)
