import type { Viewer } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { newIdAt } from '../../shared/tokens.ts'
import { commitActor, commitTarget, divide, newSalt, type Change } from './person.ts'
import type { TopicName } from './topics.ts'

/** The chain of what happened in no organisation. */
export const PLATFORM = '00000000-0000-0000-0000-000000000000'

/** What a job says of events that webhooks or workflows wait for. */
export interface WaitingEvents {
  events: string[]
}

/** What a job says of somebody whose account was deleted. */
export interface WaitingErasure {
  userId: string
}

export interface EventDetails {
  /** Where the id must be known beforehand. */
  id?: string
  /** The organisation it concerns; null for what concerns an account or the platform. */
  organisationId: string | null
  target?: { kind: string; id: string; name?: string | null }
  /** Never a secret. */
  changes?: Change[]
  /** In the actor's words. */
  reason?: string | null
  outcome?: 'SUCCEEDED' | 'DENIED'
  /** Why it was denied, as a code. */
  refusal?: string
  /** Who did it, where that is not the viewer: someone who signs in. */
  actor?: { userId: string; principalId: string | null; name: string }
  /** The act of an operator of the platform, not of a member. */
  byOperator?: boolean
  /** The act of the server itself. */
  bySystem?: boolean
}

function kindOf({ actor, byOperator, bySystem }: EventDetails, viewer: Viewer | null): string {
  if (bySystem) return 'SYSTEM'
  if (byOperator) return 'OPERATOR'
  if (actor) return 'MEMBER'
  if (!viewer) return 'ANONYMOUS'
  return viewer.principalId || !viewer.operator ? viewer.principalKind : 'OPERATOR'
}

/** Appends one event in the transaction of the act, or of its refusal; where a webhook or a workflow waits for its topic, with the job to tell it. */
export const record = (work: Work, topic: TopicName, details: EventDetails): Promise<void> =>
  recordAll(work, [{ topic, ...details }])

/** Appends the events of many acts in one statement, in the order given. */
export async function recordAll(
  work: Work,
  events: (EventDetails & { topic: TopicName })[],
): Promise<void> {
  if (!events.length) return
  const rows = events.map(details => rowOf(work, details))
  const awaited = await work.db.rows<{ id: string }>(sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as e (id uuid, organisation_id uuid, topic text,
        outcome text, actor_kind text, actor_id uuid, actor_user_id uuid, api_key_id uuid, actor_salt text,
        actor_name text, target_kind text, target_id uuid, target_salt text, target_name text, changes jsonb,
        personal jsonb, reason text, refusal text, actor_commitment text, target_commitment text)),
    written as (
      insert into event (id, organisation_id, topic, occurred_at, outcome, actor_kind, actor_id, actor_user_id,
        api_key_id, target_kind, target_id, changes, refusal, request_id, actor_commitment, target_commitment)
      select id, organisation_id, topic, ${work.now}::timestamptz, outcome, actor_kind, actor_id, actor_user_id, api_key_id,
        target_kind, target_id, changes, refusal, ${work.request.requestId}, actor_commitment, target_commitment
      from given),
    beside as (
      insert into event_person (id, organisation_id, actor_user_id, actor_salt, actor_name, ip_address, user_agent,
        target_salt, target_name, changes, reason)
      select id, organisation_id, actor_user_id, actor_salt, actor_name, ${work.request.ipAddress || null},
        ${work.request.userAgent}, target_salt, target_name, personal, reason
      from given),
    unsealed as (
      insert into event_unsealed (event_id, chain) select id, coalesce(organisation_id, ${PLATFORM}) from given)
    -- asked once for all events of a kind, not for each
    select id from given where organisation_id is not null and (refusal is null or topic = 'session.refused')
      and (organisation_id, topic) in (
        select organisation_id, topic from (select distinct organisation_id, topic from given offset 0) as kinds
        where app_event_waits(organisation_id, topic))`)
  if (awaited.length)
    await work.server.enqueue(work, 'webhook-event', {
      events: awaited.map(({ id }) => id),
    } satisfies WaitingEvents)
}

/** What is written of an event, with what stands beside it. */
function rowOf({ viewer, request, now }: Work, details: EventDetails & { topic: TopicName }) {
  const { target, reason = null } = details
  const actor =
    details.actor ??
    (viewer && { userId: viewer.userId, principalId: viewer.principalId, name: viewer.name })
  const actorName = actor?.name ?? (details.bySystem ? 'Gatehouse' : 'Someone')
  const targetName = target?.name ?? null
  const { kept, personal } = divide(target?.kind, details.changes ?? [])
  const ipAddress = request.ipAddress || null
  const [actorSalt, targetSalt] = [newSalt(), newSalt()]
  const tells = targetName !== null || reason !== null || personal !== null
  return {
    id: details.id ?? newIdAt(now),
    organisation_id: details.organisationId,
    topic: details.topic,
    outcome: details.outcome ?? 'SUCCEEDED',
    actor_kind: kindOf(details, viewer),
    actor_id: actor?.principalId ?? actor?.userId ?? null,
    actor_user_id: actor?.userId ?? null,
    api_key_id: details.actor ? null : (viewer?.apiKeyId ?? null),
    actor_salt: actorSalt,
    actor_name: actorName,
    target_kind: target?.kind ?? null,
    target_id: target?.id ?? null,
    target_salt: tells ? targetSalt : null,
    target_name: targetName,
    changes: kept,
    personal,
    reason,
    refusal: details.refusal ?? null,
    actor_commitment: commitActor(actorSalt, {
      actorName,
      ipAddress,
      userAgent: request.userAgent,
    }),
    target_commitment: tells ? commitTarget(targetSalt, { targetName, reason, personal }) : null,
  }
}

/** What differs between two states of a thing, field by field; a field absent from `after` was kept. */
export function changesBetween<Row extends object>(
  before: Row,
  after: { [Field in keyof Row]?: unknown },
): Change[] {
  return Object.entries(after)
    .filter(
      ([field, value]) => value !== undefined && text(before[field as keyof Row]) !== text(value),
    )
    .map(([field, value]) => ({
      field,
      before: text(before[field as keyof Row]),
      after: text(value),
    }))
}

function text(value: unknown): string | null {
  if (value == null) return null
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string' ? value : JSON.stringify(value)
}
