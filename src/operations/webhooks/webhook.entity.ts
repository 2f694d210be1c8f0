import { defineEntity, p } from '@mikro-orm/core'
import { BaseSchema, instant, texts } from '../../database/base.entity.ts'
import { tenantPolicies } from '../../database/policies.ts'

const schema = defineEntity({
  name: 'Webhook',
  tableName: 'webhook',
  extends: BaseSchema,
  rowLevelSecurity: 'force',
  policies: tenantPolicies('webhook'),
  uniques: [{ name: 'webhook_in_organisation', properties: ['organisationId', 'id'] }],
  checks: [
    {
      name: 'webhook_previous',
      expression: '(sealed_previous_secret is null) = (previous_until is null)',
    },
    { name: 'webhook_deleted', expression: 'deleted_at is null or not enabled' },
  ],
  properties: {
    organisationId: p.uuid(),
    url: p.text(),
    description: p.text().nullable(),
    /** Topics and families as they were given, so that a family takes in what a later version adds to it. */
    topics: texts(),
    enabled: p.boolean().default(true),
    sealedSecret: p.text().hidden(),
    /** The secret before the present one, and until when deliveries carry its signature too. */
    sealedPreviousSecret: p.text().nullable().hidden(),
    previousUntil: instant().nullable(),
    /** The first failure since anything last arrived. */
    failingSince: instant().nullable(),
    /** While it fails, one delivery at a time is attempted: until when the one under way has the turn. */
    attemptedUntil: instant().nullable(),
    createdById: p.uuid().nullable(),
    updatedAt: instant(),
    /** Deliveries go in batches, so the row stays for a while after it was deleted. */
    deletedAt: instant().nullable(),
  },
})

/** An address that events of an organisation are posted to. */
export class WebhookEntity extends schema.class {}
schema.setClass(WebhookEntity)
