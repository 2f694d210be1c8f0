import type { Work } from '../../access/work.ts'
import { toDate, type Instant } from '../../database/columns.ts'
import { firstRow, sql } from '../../database/sql.ts'

/** A status with the moment at which a suspension lifts by itself. */
export interface Status {
  status: string
  suspendedUntil: Instant | null
}

/** What decides whether an account may do anything at all. */
export interface AccountStanding extends Status {
  lockedAt: Instant | null
  deletedAt: Instant | null
}

/** What decides whether a membership may be acted through. */
export interface MembershipStanding extends Status {
  lockedAt: Instant | null
  removedAt: Instant | null
  vouched: boolean
  /** The project that an address need not be proven for; null where there is none, or it is closed to them. */
  unprovenProjectId: string | null
  organisationSuspendedAt: Instant | null
  organisationDeletedAt: Instant | null
}

/** Active, or suspended until a moment that has passed. */
export const isActive = ({ status, suspendedUntil }: Status, now: Date): boolean =>
  status === 'ACTIVE' ||
  (status === 'SUSPENDED' && suspendedUntil != null && toDate(suspendedUntil) <= now)

/** A live session goes on: a lock bars entry only, everything else ends it. */
export const accountGoesOn = (account: AccountStanding, now: Date): boolean =>
  account.deletedAt == null && isActive(account, now)

export const membershipGoesOn = (membership: MembershipStanding, now: Date): boolean =>
  membership.removedAt == null &&
  membership.organisationSuspendedAt == null &&
  membership.organisationDeletedAt == null &&
  isActive(membership, now)

/** A new sign-in, or a switch, may enter. */
export const accountMayEnter = (account: AccountStanding, now: Date): boolean =>
  account.lockedAt == null && accountGoesOn(account, now)

export const membershipMayBeEntered = (membership: MembershipStanding, now: Date): boolean =>
  membership.lockedAt == null && membershipGoesOn(membership, now)

/** How far an account gets with a membership: one whose address was never proven may have to prove it first. */
export function reachOf(
  membership: Pick<MembershipStanding, 'vouched' | 'unprovenProjectId'>,
  proven: boolean,
): 'ORGANISATION' | 'PROJECT' | 'NONE' {
  if (proven || membership.vouched) return 'ORGANISATION'
  return membership.unprovenProjectId ? 'PROJECT' : 'NONE'
}

/** Locks a person's account, before any membership of theirs; as *system*. */
export const lockAccount = (work: Work, userId: string) =>
  firstRow<AccountStanding>(
    work.db,
    sql`select status, suspended_until as "suspendedUntil", locked_at as "lockedAt", deleted_at as "deletedAt"
      from user_account where id = ${userId} for no key update`,
  )
