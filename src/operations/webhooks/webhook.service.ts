import { must, mustReach, type TenantViewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import type { Change } from '../../outbox/events/person.ts'
import { topicsMeant } from '../../outbox/events/topics.ts'
import { badInput, conflict, type Path } from '../../shared/errors.ts'
import { newId } from '../../shared/tokens.ts'
import { readDescription } from '../../shared/titles.ts'
import { newSecret, sealSecret } from './secret.ts'
import { readTarget } from './targets.ts'
import { getWebhook } from './webhook.loaders.ts'
import type { CreateWebhookInput, UpdateWebhookInput, Webhook } from './webhook.type.ts'

const MOST_WEBHOOKS = 20
const MOST_TOPICS = 100
/** After a rotation, deliveries carry signatures of both secrets for this long. */
const OVERLAP_MS = 86_400_000

/** A webhook, and its secret: the only time it is told. */
export interface Issued {
  webhook: Webhook
  secret: string
}

/** Webhooks hear of the whole organisation. */
export function mustIntegrate(work: Work): TenantViewer {
  const viewer = must(work.viewer, 'manageIntegration')
  mustReach(viewer, null)
  return viewer
}

/**
 * Has events posted to an address from now on.
 *
 * @throws {AppError} `CONFLICT` / `STATE_MISMATCH` where the organisation has as many as it may have.
 */
export async function createWebhook(work: Work, input: CreateWebhookInput): Promise<Issued> {
  const viewer = mustIntegrate(work)
  const { organisationId } = viewer
  const url = readTarget(input.url, ['input', 'url'], allowsPrivate(work))
  const topics = readTopics(input.topics, ['input', 'topics'])
  const description = readDescription(input.description, ['input', 'description'])
  await makeRoom(work, organisationId)
  const [id, secret] = [newId(), newSecret()]
  await work.db.rows(sql`
    insert into webhook (id, created_at, updated_at, organisation_id, url, description, topics, sealed_secret, created_by_id)
    values (${id}, ${work.now}, ${work.now}, ${organisationId}, ${url}, ${description}, ${topics},
      ${sealSecret(work.server.keys, id, secret)}, ${viewer.principalId})`)
  await record(work, 'webhook.created', {
    organisationId,
    target: targetOf({ id, url }),
    changes: [{ field: 'topics', before: null, after: topics.join(' ') }],
  })
  return { webhook: await getWebhook(work.db, viewer, id), secret }
}

/** Changes a webhook; switched on again, it begins anew with its patience. */
export async function updateWebhook(
  work: Work,
  id: string,
  input: UpdateWebhookInput,
): Promise<Webhook> {
  const viewer = mustIntegrate(work)
  const before = await getWebhook(work.db, viewer, id, true)
  const after = {
    url:
      input.url === undefined
        ? before.url
        : readTarget(required(input.url, ['input', 'url']), ['input', 'url'], allowsPrivate(work)),
    topics:
      input.topics === undefined
        ? before.patterns
        : readTopics(required(input.topics, ['input', 'topics']), ['input', 'topics']),
    description:
      input.description === undefined
        ? before.description
        : readDescription(input.description, ['input', 'description']),
    enabled: input.enabled ?? before.enabled,
  }
  const forgiven = after.enabled && (!before.enabled || after.url !== before.url)
  await work.db.rows(sql`
    update webhook set url = ${after.url}, description = ${after.description}, topics = ${after.topics},
      enabled = ${after.enabled}, updated_at = ${work.now} ${forgiven ? sql`, failing_since = null` : sql``}
    where id = ${before.id}`)
  const { url, topics, ...plain } = after
  await record(work, 'webhook.updated', {
    organisationId: viewer.organisationId,
    target: targetOf({ id: before.id, url }),
    changes: [
      ...changeOfUrl(before.url, url),
      ...changesBetween(
        { ...before, topics: before.patterns.join(' ') },
        { ...plain, topics: topics.join(' ') },
      ),
    ],
  })
  return getWebhook(work.db, viewer, before.id)
}

/** Issues a new secret. The one before goes on signing beside it for a day; one from before that ends. */
export async function rotateWebhookSecret(work: Work, id: string): Promise<Issued> {
  const viewer = mustIntegrate(work)
  const webhook = await getWebhook(work.db, viewer, id, true)
  const secret = newSecret()
  const until = new Date(work.now.getTime() + OVERLAP_MS)
  // what is sealed is the system's alone
  await work.as(SYSTEM, () =>
    work.db.rows(sql`
      update webhook set sealed_previous_secret = sealed_secret, previous_until = ${until},
        sealed_secret = ${sealSecret(work.server.keys, webhook.id, secret)}, updated_at = ${work.now}
      where id = ${webhook.id} and organisation_id = ${viewer.organisationId}`),
  )
  await record(work, 'webhook.secret_rotated', {
    organisationId: viewer.organisationId,
    target: targetOf(webhook),
  })
  return { webhook: await getWebhook(work.db, viewer, webhook.id), secret }
}

/**
 * Deletes a webhook; what is under way to it is not attempted any more.
 *
 * @throws {AppError} `CONFLICT` / `IN_USE` while a workflow calls it: asked with its row locked, which whoever names it
 *   holds against that.
 */
export async function deleteWebhook(work: Work, id: string): Promise<string> {
  const viewer = mustIntegrate(work)
  const webhook = await getWebhook(work.db, viewer, id, true)
  const caller = await firstRow<{ name: string }>(
    work.db,
    sql`select w.name from workflow_step s join workflow w on w.id = s.workflow_id where s.webhook_id = ${webhook.id} limit 1`,
  )
  if (caller)
    throw conflict(
      'IN_USE',
      `The workflow "${caller.name}" calls this webhook. Change or delete that first.`,
    )
  await work.db.rows(
    sql`update webhook set enabled = false, deleted_at = ${work.now} where id = ${webhook.id}`,
  )
  await record(work, 'webhook.deleted', {
    organisationId: viewer.organisationId,
    target: targetOf(webhook),
  })
  return webhook.id
}

/** A webhook as events name it: by its host, for the rest of an address may be what lets one in. */
export const targetOf = ({ id, url }: Pick<Webhook, 'id' | 'url'>) => ({
  kind: 'Webhook',
  id,
  name: new URL(url).host,
})

function changeOfUrl(before: string, after: string): Change[] {
  const change = { field: 'url', before: new URL(before).origin, after: new URL(after).origin }
  return before === after ? [] : [change]
}

const allowsPrivate = ({ server }: Work) => server.config.WEBHOOK_ALLOW_PRIVATE

function required<Value>(value: Value | null, path: Path): Value {
  if (value === null)
    throw badInput(path, 'REQUIRED', 'Every webhook has one. Leave it out to keep it.')
  return value
}

function readTopics(patterns: string[], path: Path): string[] {
  if (!patterns.length) throw badInput(path, 'REQUIRED', 'Name at least one topic.')
  if (patterns.length > MOST_TOPICS)
    throw badInput(path, 'OUT_OF_RANGE', `Name at most ${MOST_TOPICS} topics; families count once.`)
  const unknown = patterns.findIndex(pattern => !topicsMeant(pattern))
  if (unknown >= 0)
    throw badInput(
      [...path, unknown],
      'INVALID_FORMAT',
      'There is no such topic. `topics` lists them; a family is written as `member.*`.',
    )
  return [...new Set(patterns)]
}

/** Counts under a lock, so that of two at once the later one sees the earlier. */
async function makeRoom(work: Work, organisationId: TenantViewer['organisationId']): Promise<void> {
  await work.as(SYSTEM, () =>
    work.db.rows(sql`select id from organisation where id = ${organisationId} for no key update`),
  )
  const held = await firstRow<{ count: number }>(
    work.db,
    sql`select count(*)::int as count from webhook where organisation_id = ${organisationId} and deleted_at is null`,
  )
  if ((held?.count ?? 0) >= MOST_WEBHOOKS)
    throw conflict(
      'STATE_MISMATCH',
      `An organisation has at most ${MOST_WEBHOOKS} webhooks. Delete one first.`,
    )
}
