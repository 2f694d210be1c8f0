import type { KeyRing } from '../../shared/seal.ts'
import { readCursor } from '../../shared/cursor.ts'
import { few } from '../../shared/filters.ts'
import { join, planAnew, raw, sql, type Queries, type Sql } from '../../database/sql.ts'
import { badInput } from '../../shared/errors.ts'
import { pageOf, pageSize, type Page, type PageArgs } from '../../shared/page.ts'
import { firstIdAt, isId } from '../../shared/tokens.ts'
import { beside, rejoin, type PublicChange } from '../../outbox/events/person.ts'
import { topicOf, topicsMeant } from '../../outbox/events/topics.ts'
import type { AuditEvent, AuditEventFilter, EventActor, EventChange } from './audit.type.ts'
import { newestFirst, type Stretch } from './stretch.ts'

/** An id may be a little older or younger than its event. */
const SLACK_MS = 3_600_000
const LEAST_ID = '00000000-0000-0000-0000-000000000000'
const GREATEST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

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

/**
 * The events found, with what stands beside them, where it was not erased.
 *
 * @param known what is known of their ids, as `p.id`.
 */
const withPeople = (found: Sql, known: Sql): Sql => sql`
  select e.*, p.actor_name as "actorName", p.target_name as "targetName", p.changes as personal,
    coalesce(p.reason, e.refusal) as reason, p.ip_address as "ipAddress", p.user_agent as "userAgent",
    e.target_commitment is not null and num_nonnulls(p.target_name, p.changes, p.reason) = 0 as "targetErased"
  from (${found}) as e left join lateral (${beside(known)}) as p on true order by e.id desc`

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
  now: Date,
): Promise<Page<AuditEvent>> {
  const list = ['events', organisationId ?? 'platform', args.filter ?? {}]
  const after = args.after == null ? null : readCursor(ring, list, args.after)
  const { lead, conditions, stretch } = narrowed(args.filter ?? {}, after?.id ?? null)
  if (organisationId) conditions.push(sql`e.organisation_id = ${organisationId}`)
  const read = (part: Stretch, limit: number) => {
    const matching = [...conditions, within(part, 'e')]
    const found = lead ? eachDown(lead, matching, part, limit) : newestOf(matching, limit)
    const statement = withPeople(found, within(part, 'p'))
    // which index is good depends on how much of the trail is the organisation's, and on the moments
    const planKept = lead?.rare && !(part.since && part.below)
    return queries.rows<EventRow>(planKept ? statement : planAnew(statement))
  }
  const limit = pageSize(args) + 1
  const rows = await (lead?.rare ? read(stretch, limit) : newestFirst(stretch, limit, now, read))
  return pageOf({
    ring,
    list,
    args,
    rows: rows.map(shape),
    position: ({ id }) => ({ key: '', id }),
    count: async () => 0,
  })
}

/** Partitions are left out by these, where they are planned for. */
function within({ since, below }: Stretch, table: 'e' | 'p'): Sql {
  const id = raw(`${table}.id`)
  const ends = [
    ...(since ? [sql`${id} >= ${since}::uuid`] : []),
    ...(below ? [sql`${id} < ${below}::uuid`] : []),
  ]
  return ends.length ? join(ends, ' and ') : sql`true`
}

const newestOf = (matching: Sql[], limit: number): Sql =>
  sql`select ${EVENT_COLUMNS} from event e where ${join(matching, ' and ')} order by e.id desc limit ${limit}`

/** The newest of each value, and of these the newest. */
function eachDown(lead: Lead, matching: Sql[], part: Stretch, limit: number): Sql {
  const { values, type, rare } = lead
  const [asked, order] = rare
    ? [sql`e.${raw(lead.column)} = wanted.value`, sql`e.id desc`]
    : downOneIndex(lead, part)
  return sql`select found.* from unnest(${values}::${raw(type)}[]) as wanted (value)
    cross join lateral (select ${EVENT_COLUMNS} from event e where ${join([...matching, asked], ' and ')}
      order by ${order} limit ${limit}) as found
    order by found.id desc limit ${limit}`
}

/**
 * How frequent a value is, the database does not know when it plans: asked for equal ones in the order of ids, it may
 * walk through all the events of a month for a value that is not among them. Where what is asked for is a range of
 * value and id, in that order, there is one index that has it.
 */
function downOneIndex({ column }: Lead, { since, below }: Stretch): [Sql, Sql] {
  const value = raw(`e.${column}`)
  return [
    sql`(${value}, e.id) >= (wanted.value, ${since ?? LEAST_ID}::uuid)
      and (${value}, e.id) < (wanted.value, ${below ?? GREATEST_ID}::uuid)`,
    sql`${value} desc, e.id desc`,
  ]
}

interface Lead {
  column: 'topic' | 'actor_id' | 'target_id'
  type: 'text' | 'uuid'
  values: string[]
  /** True where each value is that of few events, as the database knows: all months are asked for it at once. */
  rare: boolean
}

/** The filter whose values are followed one by one, what the others ask besides, and between which ids all that is. */
function narrowed(
  filter: AuditEventFilter,
  after: string | null,
): { lead: Lead | null; conditions: Sql[]; stretch: Stretch } {
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
  if (from) conditions.push(sql`e.occurred_at >= ${from}`)
  if (to) conditions.push(sql`e.occurred_at < ${to}`)
  // ids are of the same moment: by them, months are left out and indexes entered in the middle
  const below = [...(to ? [firstIdAt(to, SLACK_MS)] : []), ...(after ? [after] : [])].toSorted()[0]
  return {
    lead,
    conditions,
    stretch: { since: from ? firstIdAt(from, -SLACK_MS) : null, below: below ?? null },
  }
}

function ids(
  column: 'actor_id' | 'target_id',
  values: string[] | null | undefined,
  field: string,
): Lead[] {
  if (!values) return []
  return [
    {
      column,
      type: 'uuid',
      values: [...new Set(few(values, field).filter(isId))],
      rare: column === 'target_id',
    },
  ]
}

function topics(patterns: string[] | null | undefined): Lead[] {
  if (!patterns) return []
  const names = few(patterns, 'topics').flatMap((pattern, index) => {
    const meant = topicsMeant(pattern)
    if (!meant)
      throw badInput(
        ['filter', 'topics', index],
        'INVALID_FORMAT',
        'There is no such topic. `topics` lists them; a family is written as `member.*`.',
      )
    return meant
  })
  return [{ column: 'topic', type: 'text', values: [...new Set(names)], rare: false }]
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
    withPeople(
      sql`select ${EVENT_COLUMNS} from event e where e.id = any(${wanted}::uuid[])`,
      sql`p.id = any(${wanted}::uuid[])`,
    ),
  )
  return rows.map(shape)
}
