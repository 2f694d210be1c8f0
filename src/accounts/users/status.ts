import { toDate, type Instant } from '../../database/columns.ts'
import type { AccessStatus } from './user.type.ts'

interface Stored {
  status: AccessStatus
  suspendedUntil: Instant | null
}

/** A standing as it is now: a suspension lifts by itself at its moment. */
export function standingAt({ status, suspendedUntil }: Stored, now: Date): Stored {
  const lifted = status === 'SUSPENDED' && suspendedUntil != null && toDate(suspendedUntil) <= now
  return lifted ? { status: 'ACTIVE', suspendedUntil: null } : { status, suspendedUntil }
}
