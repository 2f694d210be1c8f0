import type { KeyRing } from '../../shared/seal.ts'
import { readCursor } from '../../shared/cursor.ts'
import { join, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { badInput } from '../../shared/errors.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../../shared/page.ts'
import { firstIdAt, isId } from '../../shared/tokens.ts'
import { BESIDE, rejoin, type PublicChange } from '../../outbox/events/person.ts'
import { topicOf, topicsMeant } from '../../outbox/events/topics.ts'
import type { AuditEvent, AuditEventFilter, EventActor, EventChange } from './audit.type.ts'

const MOST_VALUES = 500
/** An id may be a little older or younger than its event. */
const SLACK_MS = 3_600_000

/** Shown in the place of a name that was erased. */
const ERASED = 'Deleted user'

interface EventRow {
  id: string
  topic: string
  occurredAt: string
  outcome: AuditEvent['outcome']
  actorKind: EventActor['kind']
  actorId: string | null
  actorName: string | null
  apiKeyId: string | null
  targetKind: string | null
  targetId: string | null
  targetName: string | null
  targetErased: boolean
  changes: PublicChange[]
  personal: EventChange[] | null
  reason: string | null
  ipAddress: string | null
  userAgent: string | null
  requestId: string | null
}

const EVENT_COLUMNS =
  raw(`e.id, e.topic, e.occurred_at as "occurredAt", e.outcome, e.actor_kind as "actorKind", e.actor_id as "actorId",
  e.api_key_id as "apiKeyId", e.target_kind as "targetKind", e.target_id as "targetId", e.changes, e.refusal,
  e.request_id as "requestId", e.target_commitment`)

/** The events found, with what stands beside them, where it was not erased. */
const withPeople = (found: Sql): Sql => sql`
  select e.*, p.actor_name as "actorName", p.target_name as "targetName", p.changes as personal,
    coalesce(p.reason, e.refusal) as reason, p.ip_address as "ipAddress", p.user_agent as "userAgent",
    e.target_commitment is not null and num_nonnulls(p.target_name, p.changes, p.reason) = 0 as "targetErased"
  from (${found}) as e left join lateral (${BESIDE}) as p on true order by e.id desc`

export interface AuditArgs extends PageArgs {
  filter?: AuditEventFilter | null
}

/**
 * One page of events, the newest first: of an organisation, or of the whole platform. Each value of the narrowest
 * filter is followed down its own index and the newest of all are taken, so that a page costs the same however many
 * events there are.
 *
 * @param organisationId null for the whole platform.
 */
export async function listEvents(
  queries: Queries,
  ring: KeyRing,
  organisationId: string | null,
  args: AuditArgs,
): Promise<Page<AuditEvent>> {
  const size = pageSize(args)
  const list = ['events', organisationId ?? 'platform', args.filter ?? {}]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const { lead, conditions } = narrowed(args.filter ?? {})
  const matching = [
    ...(organisationId ? [sql`e.organisation_id = ${organisationId}`] : []),
    ...conditions,
    ...(after ? [sql`e.id < ${after.id}::uuid`] : []),
    ...(lead ? [sql`e.${raw(lead.column)} = wanted.value`] : []),
  ]
  const newest = sql`select ${EVENT_COLUMNS} from event e
    ${matching.length ? sql`where ${join(matching, ' and ')}` : sql``} order by e.id desc limit ${size + 1}`
  const rows = await queries.rows<EventRow>(
    withPeople(
      lead
        ? sql`select found.* from unnest(${lead.values}::${raw(lead.type)}[]) as wanted (value)
            cross join lateral (${newest}) as found order by found.id desc limit ${size + 1}`
        : newest,
    ),
  )
  return pageOf({
    ring,
    list,
    args,
    rows: rows.map(shape),
    position: ({ id }) => ({ key: '', id }),
    count: async () => 0,
  })
}

interface Lead {
  column: 'topic' | 'actor_id' | 'target_id'
  type: 'text' | 'uuid'
  values: string[]
}

/** The filter whose values are followed one by one, and what the others ask besides. */
function narrowed(filter: AuditEventFilter): { lead: Lead | null; conditions: Sql[] } {
  const leads: Lead[] = [
    ...ids('target_id', filter.targetIds, 'targetIds'),
    ...ids('actor_id', filter.actorIds, 'actorIds'),
    ...topics(filter.topics),
  ]
  const [lead = null, ...others] = leads
  const conditions = others.map(
    ({ column, type, values }) => sql`e.${raw(column)} = any(${values}::${raw(type)}[])`,
  )
  if (filter.outcome) conditions.push(sql`e.outcome = ${filter.outcome}`)
  const { from, to } = filter.occurredAt ?? {}
  // ids are of the same moment: by them, months are left out and indexes entered in the middle
  if (from)
    conditions.push(sql`e.occurred_at >= ${from} and e.id >= ${firstIdAt(from, -SLACK_MS)}::uuid`)
  if (to) conditions.push(sql`e.occurred_at < ${to} and e.id < ${firstIdAt(to, SLACK_MS)}::uuid`)
  return { lead, conditions }
}

function ids(
  column: 'actor_id' | 'target_id',
  values: string[] | null | undefined,
  field: string,
): Lead[] {
  if (!values) return []
  mustBeFew(values, field)
  return [{ column, type: 'uuid', values: [...new Set(values.filter(isId))] }]
}

function topics(patterns: string[] | null | undefined): Lead[] {
  if (!patterns) return []
  mustBeFew(patterns, 'topics')
  const names = patterns.flatMap((pattern, index) => {
    const meant = topicsMeant(pattern)
    if (!meant)
      throw badInput(
        ['filter', 'topics', index],
        'INVALID_FORMAT',
        'There is no such topic. `topics` lists them; a family is written as `member.*`.',
      )
    return meant
  })
  return [{ column: 'topic', type: 'text', values: [...new Set(names)] }]
}

function mustBeFew(values: unknown[], field: string): void {
  if (values.length > MOST_VALUES)
    throw badInput(
      ['filter', field],
      'OUT_OF_RANGE',
      `A filter takes at most ${MOST_VALUES} values.`,
    )
}

const shape = (row: EventRow): AuditEvent => ({
  id: row.id,
  topic: topicOf(row.topic),
  occurredAt: row.occurredAt,
  outcome: row.outcome,
  actor: {
    kind: row.actorKind,
    id: row.actorId,
    name: row.actorName ?? ERASED,
    apiKeyId: row.apiKeyId,
  },
  target: row.targetId
    ? {
        id: row.targetId,
        kind: row.targetKind ?? 'Node',
        name: row.targetErased ? ERASED : row.targetName,
      }
    : null,
  changes: rejoin(row.changes, row.personal),
  reason: row.reason,
  ipAddress: row.ipAddress,
  userAgent: row.userAgent,
  requestId: row.requestId,
})

/** One event of an organisation; null where there is none. */
export async function findEvent(queries: Queries, id: string): Promise<AuditEvent | null> {
  return (await readEvents(queries, [id]))[0] ?? null
}

/** Some events of an organisation, in any order. */
export async function readEvents(queries: Queries, wanted: string[]): Promise<AuditEvent[]> {
  const rows = await queries.rows<EventRow>(
    withPeople(sql`select ${EVENT_COLUMNS} from event e where e.id = any(${wanted}::uuid[])`),
  )
  return rows.map(shape)
}
