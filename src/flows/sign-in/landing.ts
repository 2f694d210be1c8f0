import { toDate, type Instant } from '../../database/columns.ts'
import { membershipMayBeEntered, type MembershipStanding } from '../../credentials/callers/standing.ts'
import { NOWHERE, type PlaceOfSession } from '../../credentials/sessions/session.service.ts'

/** One of the person's memberships, in the order in which they joined. */
export interface Candidate extends MembershipStanding {
  id: string
  organisationId: string
  createdAt: Instant
}

export interface Arrival {
  candidates: Candidate[]
  /** The organisation asked for. */
  wanted: string | null
  /** Where they last were. */
  last: string | null
  proven: boolean
  operator: boolean
  now: Date
}

/**
 * Where a sign-in lands: in the organisation asked for, else where the person last was, else in the first that is
 * open. Null where they may not come in at all: the one asked for is closed to them, or all of theirs are.
 */
export function landing({
  candidates,
  wanted,
  last,
  proven,
  operator,
  now,
}: Arrival): PlaceOfSession | null {
  const open = candidates
    .filter(candidate => membershipMayBeEntered(candidate, proven, now))
    .toSorted((left, right) => toDate(left.createdAt).getTime() - toDate(right.createdAt).getTime())
  const at = (organisationId: string | null) =>
    open.find(candidate => candidate.organisationId === organisationId)
  const chosen = wanted ? at(wanted) : (at(last) ?? open[0])
  if (chosen)
    return { organisationId: chosen.organisationId, principalId: chosen.id, projectId: null }
  if (wanted) return null
  return candidates.length && !operator ? null : NOWHERE
}
