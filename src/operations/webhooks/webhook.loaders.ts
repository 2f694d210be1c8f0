import DataLoader from 'dataloader'
import type { TenantViewer } from '../../access/viewer.ts'
import type { Accounts } from '../../credentials/totp/mfa.loaders.ts'
import {
  childLoaders,
  readChildren,
  type ChildList,
  type ChildLoaders,
} from '../../database/child-pages.ts'
import { columns } from '../../database/columns.ts'
import { SYSTEM } from '../../database/context.ts'
import { readPage } from '../../database/keyset.ts'
import { loaderById, type ReadIn } from '../../database/loader.ts'
import { firstRow, raw, sql, type Queries } from '../../database/sql.ts'
import { again, SCHEMA } from '../../outbox/queues.ts'
import { notFound } from '../../shared/errors.ts'
import type { Page, PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { isId } from '../../shared/tokens.ts'
import type { DeliveryStatus, Webhook, WebhookDelivery } from './webhook.type.ts'

const FIELDS = [
  'id',
  'organisationId',
  'url',
  'description',
  'enabled',
  'createdById',
  'createdAt',
  'updatedAt',
] as const
const DELIVERY_FIELDS = [
  'id',
  'organisationId',
  'webhookId',
  'status',
  'job',
  'attempts',
  'responseStatus',
  'createdAt',
  'lastAttemptAt',
] as const

const webhookColumns = sql`${columns('w', FIELDS)}, w.topics as patterns`
const deliveryColumns = sql`${columns('d', DELIVERY_FIELDS)}, d.topic as "topicName"`

/** The deliveries of one webhook, the newest first: all of them, or those of one status. */
const deliveriesOf = (status: DeliveryStatus | null): ChildList<WebhookDelivery, null> => ({
  id: raw('d.id'),
  descending: true,
  select: () => deliveryColumns,
  from: (_scope, webhook) => sql`from webhook_delivery d where d.webhook_id = ${webhook}
    ${status ? sql`and d.status = ${status}` : sql``}`,
  order: raw('found.id desc'),
  parentOf: row => row.webhookId,
})

const LISTS = {
  ALL: deliveriesOf(null),
  PENDING: deliveriesOf('PENDING'),
  SUCCEEDED: deliveriesOf('SUCCEEDED'),
  FAILED: deliveriesOf('FAILED'),
}
const JOBS = ['webhook-delivery', again('webhook-delivery')]

type DeliveryLoaders = Record<keyof typeof LISTS, ChildLoaders<WebhookDelivery, null>>

export const createWebhookLoaders = (read: ReadIn, { read: readAs }: Accounts) => ({
  webhook: loaderById<Webhook>(
    read,
    ids => sql`select ${webhookColumns} from webhook w where w.id = any(${ids}::uuid[])`,
  ),
  deliveriesOf: {
    ALL: childLoaders(read, LISTS.ALL),
    PENDING: childLoaders(read, LISTS.PENDING),
    SUCCEEDED: childLoaders(read, LISTS.SUCCEEDED),
    FAILED: childLoaders(read, LISTS.FAILED),
  },
  /** When a job is due, by its id. The queues are the system's, so the deliveries must have been read before. */
  dueAt: new DataLoader<string, string | null>(async jobs => {
    const rows = await readAs(SYSTEM).rows<{ id: string; dueAt: string }>(
      sql`select id, start_after as "dueAt" from ${raw(SCHEMA)}.job
        where name = any(${JOBS}) and id = any(${[...jobs]}::uuid[]) and state in ('created', 'retry', 'active')`,
    )
    const found = new Map(rows.map(({ id, dueAt }) => [id, dueAt]))
    return jobs.map(job => found.get(job) ?? null)
  }),
})

export async function getWebhook(
  queries: Queries,
  viewer: TenantViewer,
  id: string,
  lock = false,
): Promise<Webhook> {
  const webhook = isId(id) ? await findWebhook(queries, viewer, id, lock) : undefined
  if (!webhook) throw notFound('webhook')
  return webhook
}

/** One that its owner is about to name: it is not deleted until the transaction ends. */
export async function holdWebhook(
  queries: Queries,
  viewer: TenantViewer,
  id: string,
): Promise<Webhook> {
  const held = await firstRow<{ id: string }>(
    queries,
    sql`select id from webhook where id = ${id} and organisation_id = ${viewer.organisationId} for share`,
  )
  return getWebhook(queries, viewer, held?.id ?? '')
}

export const findWebhook = (
  queries: Queries,
  { organisationId }: TenantViewer,
  id: string,
  lock = false,
): Promise<Webhook | undefined> =>
  firstRow(
    queries,
    sql`select ${webhookColumns} from webhook w where w.id = ${id} and w.organisation_id = ${organisationId}
      and w.deleted_at is null ${lock ? sql`for update` : sql``}`,
  )

export const findDelivery = (
  queries: Queries,
  { organisationId }: TenantViewer,
  id: string,
  lock = false,
): Promise<WebhookDelivery | undefined> =>
  firstRow(
    queries,
    sql`select ${deliveryColumns} from webhook_delivery d join webhook w on w.id = d.webhook_id and w.deleted_at is null
      where d.id = ${id} and d.organisation_id = ${organisationId} ${lock ? sql`for update of d` : sql``}`,
  )

/** Webhooks of an organisation, the newest first. */
export const listWebhooks = (
  queries: Queries,
  ring: KeyRing,
  { organisationId }: TenantViewer,
  args: PageArgs,
): Promise<Page<Webhook>> =>
  readPage<Webhook>({
    queries,
    ring,
    list: ['webhooks', organisationId],
    args,
    select: webhookColumns,
    from: sql`from webhook w where w.organisation_id = ${organisationId} and w.deleted_at is null`,
    id: raw('w.id'),
    descending: true,
  })

export interface DeliveriesArgs extends PageArgs {
  status?: DeliveryStatus | null
}

/** Deliveries of one webhook, the newest first. */
export function listDeliveries(
  read: ReadIn,
  loaders: DeliveryLoaders,
  ring: KeyRing,
  { id, organisationId }: Webhook,
  args: DeliveriesArgs,
): Promise<Page<WebhookDelivery>> {
  const which = args.status ?? 'ALL'
  return readChildren({
    read,
    ring,
    identity: ['deliveries', id, which],
    list: LISTS[which],
    loaders: loaders[which],
    parent: { organisationId, id, scope: null },
    args,
  })
}
