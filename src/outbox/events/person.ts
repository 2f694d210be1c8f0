import { hash, randomBytes } from 'node:crypto'
import { sql, type Sql } from '../../database/sql.ts'

export interface Change {
  field: string
  before: string | null
  after: string | null
}

/** Kinds of targets that are people, or stand for one. */
const PEOPLE = new Set(['User', 'Member', 'Invitation'])
/** Fields of those that are personal. */
const PERSONAL = new Set([
  'email',
  'externalId',
  'firstName',
  'lastName',
  'login',
  'name',
  'phoneNumber',
])

/** A change as it stands in the event: what is personal stands beside it. */
export type PublicChange = Change | { field: string; personal: true }

/**
 * What stands beside an event `e`, without the salts, which requests cannot read. Its limit has each row looked up by its
 * key, where a join may read whole months.
 *
 * @param within what is known of `p.id` besides, so that few months need be looked at.
 */
export const beside = (within: Sql): Sql =>
  sql`select p.actor_name, p.target_name, p.changes, p.reason, p.ip_address, p.user_agent
  from event_person p where p.id = e.id and ${within} limit 1`

/** Divides changes into what the event keeps and what stands beside it; null where that is nothing. */
export function divide(
  kind: string | undefined,
  changes: Change[],
): { kept: PublicChange[]; personal: Change[] | null } {
  const isPersonal = ({ field }: Change) => PERSONAL.has(field) && (!kind || PEOPLE.has(kind))
  const personal = changes.filter(isPersonal)
  return {
    kept: changes.map(each =>
      isPersonal(each) ? { field: each.field, personal: true as const } : each,
    ),
    personal: personal.length ? personal : null,
  }
}

/** The changes of an event with what stands beside it; without values where that was erased. */
export function rejoin(kept: PublicChange[], personal: Change[] | null): Change[] {
  const values = (personal ?? []).values()
  return kept.map(each => {
    if (!('personal' in each)) return each
    return values.next().value ?? { field: each.field, before: null, after: null }
  })
}

export interface ActorHalf {
  actorName: string | null
  ipAddress: string | null
  userAgent: string | null
}

export interface TargetHalf {
  targetName: string | null
  reason: string | null
  personal: Change[] | null
}

export const newSalt = (): string => randomBytes(16).toString('hex')

// the order is what the hash was made of: never change it
export const commitActor = (salt: string, { actorName, ipAddress, userAgent }: ActorHalf): string =>
  commit([salt, actorName, ipAddress, userAgent])

export const commitTarget = (salt: string, { targetName, reason, personal }: TargetHalf): string =>
  commit([
    salt,
    targetName,
    reason,
    ...(personal ?? []).flatMap(({ field, before, after }) => [field, before, after]),
  ])

/** The hash of some texts that an event keeps in their place: without the salt, which is erased with them, it tells nothing. */
const commit = (texts: (string | null)[]): string => hash('sha256', JSON.stringify(texts), 'hex')
