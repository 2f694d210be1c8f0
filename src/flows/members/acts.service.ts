import { inSession, must, ownLock } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { revokeKeysOf } from '../../credentials/api-keys/api-key.service.ts'
import { endSessionsOfAll } from '../../credentials/sessions/session.service.ts'
import type { Instant } from '../../database/columns.ts'
import { sql } from '../../database/sql.ts'
import { recordAll } from '../../outbox/events/event.service.ts'
import type { Change } from '../../outbox/events/person.ts'
import type { TopicName } from '../../outbox/events/topics.ts'
import { badInput, conflict, type Path } from '../../shared/errors.ts'
import { attempt, doneOf, only, type Outcome } from '../../shared/outcome.ts'
import { writeInstant } from '../../shared/scalars.ts'
import { findManagedMembers, readMembers } from '../../tenancy/memberships/member.service.ts'
import type { Member } from '../../tenancy/memberships/member.type.ts'
import { endMemberships } from '../../tenancy/memberships/membership.service.ts'
import { lockAdministration } from '../../tenancy/organisations/administration.ts'
import { closeInvitationsOf } from '../invitations/invitation.service.ts'
import { readReason } from './reason.ts'
import { tellOfStanding, type Standing } from './standing.notice.ts'

/** What can be done to a member by id alone. */
export type MemberAct =
  'LOCK' | 'UNLOCK' | 'SUSPEND' | 'DEACTIVATE' | 'ACTIVATE' | 'REMOVE' | 'REVOKE_SESSIONS'

export interface ActDetails {
  /** In the actor's words. */
  reason?: string | null
  /** Until when a suspension lasts; null for not until told. */
  until?: Date | null
  /** Where the two stand in the arguments, unless that is at the top. */
  path?: Path
}

/** A member after an act; after a removal, as they were before. */
export interface ActedOn {
  member: Member
  /** How many sessions were ended. */
  sessions: number
}

interface Act {
  topic: TopicName
  /** What its member is told. */
  told?: Standing
  /** Might take the last administrator away. */
  weakens?: true
  /** Is not done to who has yet to accept. */
  acceptedOnly?: true
  /** True where there is nothing to do. */
  idle?: (member: Member) => boolean
  /** Does it; answers how many sessions each member lost. */
  carryOut: (
    work: Work,
    ids: string[],
    details: ActDetails,
  ) => Promise<Map<string, number> | undefined>
  changes?: (member: Member, sessions: number, details: ActDetails) => Change[]
}

const change =
  (write: (work: Work, ids: string[], details: ActDetails) => Promise<unknown>): Act['carryOut'] =>
  async (work, ids, details) => {
    await write(work, ids, details)
    return undefined
  }

const bar = (status: 'SUSPENDED' | 'INACTIVE', topic: TopicName): Act => ({
  topic,
  told: status,
  weakens: true,
  acceptedOnly: true,
  carryOut: async (work, ids, { until }) => {
    await work.db.rows(sql`
      update principal set status = ${status}, suspended_until = ${until ?? null}, updated_at = ${work.now}
      where id = any(${ids}::uuid[])`)
    return endSessionsOfAll(work, ids, 'the member was barred')
  },
  changes: (member, _sessions, { until = null }) => [
    { field: 'status', before: member.status, after: status },
    ...untilChange(member.suspendedUntil, until),
  ],
})

/** How events tell until when somebody is barred; nothing where it never had nor has an end. */
export const untilChange = (before: Instant | null, after: Date | null): Change[] =>
  before || after
    ? [
        {
          field: 'suspendedUntil',
          before: before && writeInstant(before),
          after: after && writeInstant(after),
        },
      ]
    : []

const ACTS: Record<MemberAct, Act> = {
  LOCK: {
    topic: 'member.locked',
    told: 'LOCKED',
    weakens: true,
    idle: member => member.lockedAt != null,
    carryOut: change((work, ids) =>
      work.db.rows(
        sql`update principal set locked_at = ${work.now}, updated_at = ${work.now} where id = any(${ids}::uuid[])`,
      ),
    ),
  },
  UNLOCK: {
    topic: 'member.unlocked',
    told: 'UNLOCKED',
    idle: member => member.lockedAt == null,
    carryOut: change((work, ids) =>
      work.db.rows(
        sql`update principal set locked_at = null, updated_at = ${work.now} where id = any(${ids}::uuid[])`,
      ),
    ),
  },
  SUSPEND: bar('SUSPENDED', 'member.suspended'),
  DEACTIVATE: bar('INACTIVE', 'member.deactivated'),
  ACTIVATE: {
    topic: 'member.activated',
    told: 'ACTIVATED',
    acceptedOnly: true,
    idle: member => member.status === 'ACTIVE',
    carryOut: change((work, ids) =>
      work.db.rows(sql`
        update principal set status = 'ACTIVE', suspended_until = null, updated_at = ${work.now}
        where id = any(${ids}::uuid[])`),
    ),
    changes: member => [{ field: 'status', before: member.status, after: 'ACTIVE' }],
  },
  REMOVE: {
    topic: 'member.removed',
    told: 'REMOVED',
    weakens: true,
    carryOut: async (work, ids) => {
      await endMemberships(work, ids, true)
      await revokeKeysOf(work, ...ids)
      const sessions = await endSessionsOfAll(work, ids, 'the membership ended')
      await closeInvitationsOf(work, ids)
      return sessions
    },
  },
  REVOKE_SESSIONS: {
    topic: 'member.sessions_revoked',
    carryOut: async (work, ids) => {
      await work.db.rows(
        sql`update principal set sessions_revoked_at = ${work.now} where id = any(${ids}::uuid[])`,
      )
      return endSessionsOfAll(work, ids, 'revoked by an administrator')
    },
    changes: (_member, sessions) => [{ field: 'sessions', before: String(sessions), after: '0' }],
  },
}

/** Does one thing to one member. */
export const actOnMember = async (
  work: Work,
  act: MemberAct,
  id: string,
  details: ActDetails = {},
): Promise<ActedOn> => only(await actOnMembers(work, act, [id], details))

/**
 * Does one thing to several members, each under the rules of one alone. No member may be named twice.
 *
 * @throws {AppError} what concerns all of them: who asks, the reason, `CONFLICT` / `LAST_ADMINISTRATOR`.
 */
export async function actOnMembers(
  work: Work,
  act: MemberAct,
  ids: string[],
  details: ActDetails,
): Promise<Outcome<ActedOn>[]> {
  const viewer = must(work.viewer, 'manageUser')
  if (act === 'REVOKE_SESSIONS') inSession(viewer)
  const { topic, told, weakens, acceptedOnly, idle, carryOut, changes } = ACTS[act]
  const path = details.path ?? []
  const reason = readReason(details.reason ?? null, [...path, 'reason'])
  if (details.until && details.until <= work.now)
    throw badInput([...path, 'until'], 'OUT_OF_RANGE', 'A suspension ends in the future.')
  const keepAdministrator = weakens ? await lockAdministration(work, viewer.organisationId) : null
  const managed = await findManagedMembers(work, viewer, ids)
  const planned = ids.map(id =>
    attempt(() => {
      const member = only([managed(id)])
      if (acceptedOnly) mustBeAccepted(member)
      if (act === 'UNLOCK' && member.id === viewer.principalId && member.lockedAt) throw ownLock()
      return member
    }),
  )
  const affected = doneOf(planned).filter(member => !idle?.(member))
  const affectedIds = affected.map(member => member.id)
  const sessions = affected.length ? await carryOut(work, affectedIds, details) : undefined
  await keepAdministrator?.()
  await recordAll(
    work,
    affected.map(member => ({
      topic,
      organisationId: viewer.organisationId,
      target: { kind: 'Member', id: member.id, name: member.name },
      ...(changes && { changes: changes(member, sessions?.get(member.id) ?? 0, details) }),
      reason,
    })),
  )
  if (told)
    await tellOfStanding(work, viewer, affected, { topic, how: told, until: details.until ?? null })
  const after = act === 'REMOVE' ? new Map<string, Member>() : await readMembers(work, affectedIds)
  return planned.map(each =>
    'refusal' in each
      ? each
      : {
          done: {
            member: after.get(each.done.id) ?? each.done,
            sessions: sessions?.get(each.done.id) ?? 0,
          },
        },
  )
}

function mustBeAccepted(member: Member): void {
  if (member.status === 'INVITED')
    throw conflict(
      'STATE_MISMATCH',
      'This person has not accepted yet. Revoke the invitation instead.',
    )
}
