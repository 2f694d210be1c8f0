import { must, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { conflict, notFound } from '../../shared/errors.ts'
import { newId, newIdAt } from '../../shared/tokens.ts'
import type { WaitingDelivery } from './courier.ts'
import { findDelivery, getWebhook } from './webhook.loaders.ts'
import { mustIntegrate, targetOf } from './webhook.service.ts'
import type { Webhook, WebhookDelivery } from './webhook.type.ts'

/** Sends a webhook a sample: the event that says so. */
export async function testWebhook(work: Work, id: string): Promise<WebhookDelivery> {
  const viewer = mustIntegrate(work)
  const webhook = await getWebhook(work.db, viewer, id, true)
  mustBeOn(webhook)
  const event = newIdAt(work.now)
  const { organisationId } = viewer
  await record(work, 'webhook.tested', { id: event, organisationId, target: targetOf(webhook) })
  return getDelivery(work, viewer, await deliver(work, webhook, event, ''))
}

/**
 * Posts an event to a webhook, whether that waits for its topic or not.
 *
 * @param occasion once for each, however often it is asked to.
 */
export async function postEvent(
  work: Work,
  id: string,
  event: string,
  occasion: string,
): Promise<Webhook> {
  const viewer = must(work.viewer, 'manageIntegration')
  const webhook = await getWebhook(work.db, viewer, id)
  mustBeOn(webhook)
  await deliver(work, webhook, event, occasion)
  return webhook
}

async function deliver(
  work: Work,
  { id: webhookId, organisationId }: Webhook,
  event: string,
  occasion: string,
): Promise<string> {
  const [made] = await work.db.rows<{ id: string }>(sql`
    insert into webhook_delivery (id, created_at, organisation_id, webhook_id, event, topic, occasion, status)
    select ${newId()}::uuid, ${work.now}::timestamptz, ${organisationId}::uuid, ${webhookId}::uuid, e.id, e.topic, ${occasion},
      'PENDING' from event e where e.id = ${event} and e.organisation_id = ${organisationId} returning id`)
  if (!made) throw notFound('event')
  await enqueue(work, made.id)
  return made.id
}

/**
 * Attempts a delivery again at once, under its id. One that had ended begins anew with its patience; where one is
 * still being attempted, its later attempts give way to this one.
 */
export async function retryDelivery(work: Work, id: string): Promise<WebhookDelivery> {
  const viewer = mustIntegrate(work)
  const delivery = await getDelivery(work, viewer, id, true)
  const webhook = await getWebhook(work.db, viewer, delivery.webhookId)
  mustBeOn(webhook)
  await work.db.rows(sql`
    update webhook_delivery set job = null, status = 'PENDING',
      begun_at = case when status = 'PENDING' then begun_at end
    where id = ${delivery.id}`)
  await enqueue(work, delivery.id)
  await record(work, 'webhook.delivery_retried', {
    organisationId: viewer.organisationId,
    target: { kind: 'WebhookDelivery', id: delivery.id, name: delivery.topicName },
  })
  return getDelivery(work, viewer, delivery.id)
}

const enqueue = (work: Work, delivery: string): Promise<void> =>
  work.server.enqueue(work, 'webhook-delivery', { delivery } satisfies WaitingDelivery)

function mustBeOn({ enabled }: Webhook): void {
  if (!enabled)
    throw conflict(
      'STATE_MISMATCH',
      'This webhook is switched off. Switch it on with `updateWebhook` first.',
    )
}

async function getDelivery(
  work: Work,
  viewer: TenantViewer,
  id: string,
  lock = false,
): Promise<WebhookDelivery> {
  const delivery = await findDelivery(work.db, viewer, id, lock)
  if (!delivery) throw notFound('webhook delivery')
  return delivery
}
