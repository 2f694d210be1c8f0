import { hash } from 'node:crypto'
import { raw } from '../../database/sql.ts'
import type { PublicChange } from '../../outbox/events/person.ts'

/** An event as it is sealed. */
export interface SealedEvent {
  id: string
  organisationId: string | null
  topic: string
  /** Microseconds since 1970. */
  occurredAt: string
  outcome: string
  actorKind: string
  actorId: string | null
  actorUserId: string | null
  apiKeyId: string | null
  targetKind: string | null
  targetId: string | null
  changes: PublicChange[]
  refusal: string | null
  requestId: string | null
  actorCommitment: string
  targetCommitment: string | null
}

/** All that is sealed of an event `e`. */
export const SEALED_COLUMNS = raw(`e.id, e.organisation_id as "organisationId", e.topic,
  (extract(epoch from e.occurred_at) * 1000000)::bigint::text as "occurredAt", e.outcome, e.actor_kind as "actorKind",
  e.actor_id as "actorId", e.actor_user_id as "actorUserId", e.api_key_id as "apiKeyId",
  e.target_kind as "targetKind", e.target_id as "targetId", e.changes, e.refusal, e.request_id as "requestId",
  e.actor_commitment as "actorCommitment", e.target_commitment as "targetCommitment"`)

/** The hash of one event, with the commitments to what stands beside it: the order of the fields is never to change. */
export const leafOf = (event: SealedEvent): string =>
  sha256([
    event.id,
    event.organisationId,
    event.topic,
    event.occurredAt,
    event.outcome,
    event.actorKind,
    event.actorId,
    event.actorUserId,
    event.apiKeyId,
    event.targetKind,
    event.targetId,
    event.changes.map(change =>
      'personal' in change ? [change.field] : [change.field, change.before, change.after],
    ),
    event.refusal,
    event.requestId,
    event.actorCommitment,
    event.targetCommitment,
  ])

/** A batch of events in the chain of an organisation. */
export interface Seal {
  chain: string
  number: number
  events: string[]
  leaves: string[]
}

/** The digest of a seal, over that of the one before it. */
export const digestOf = (previous: string, { chain, number, events, leaves }: Seal): string =>
  sha256([previous, chain, number, events, leaves])

const sha256 = (parts: unknown[]): string => hash('sha256', JSON.stringify(parts), 'base64url')
