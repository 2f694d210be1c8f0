import { toDate, type Instant } from '../../database/columns.ts'
import {
  membershipMayBeEntered,
  reachOf,
  type MembershipStanding,
} from '../../credentials/callers/standing.ts'
import { NOWHERE, type PlaceOfSession } from '../../credentials/sessions/session.service.ts'
import type { SignInMethod } from '../../tenancy/policies/policy.type.ts'

/** One of the person's memberships, in the order in which they joined. */
export interface Candidate extends MembershipStanding {
  id: string
  organisationId: string
  createdAt: Instant
  /** The ways to sign in that are good enough to act there. */
  signInMethods: SignInMethod[]
}

export interface Arrival {
  candidates: Candidate[]
  /** The organisation asked for. */
  wanted: string | null
  /** The only organisation that the session may act in. */
  confinedTo: string | null
  /** The first factor that was right. */
  method: SignInMethod
  /** Where they last were. */
  last: string | null
  proven: boolean
  operator: boolean
  now: Date
}

/**
 * Where a sign-in lands: in the organisation asked for, else where the person last was, else in the first that is open
 * and takes the way in which they came. Who must prove their address first lands nowhere, to do that. Null where they
 * may not come in at all: the one asked for is closed to them, or all of theirs are.
 */
export function landing(arrival: Arrival): PlaceOfSession | null {
  const { candidates, confinedTo, method, last, proven, operator, now } = arrival
  const wanted = confinedTo ?? arrival.wanted
  if (arrival.wanted && wanted !== arrival.wanted) return null
  const standing = candidates.filter(candidate => membershipMayBeEntered(candidate, now))
  const open = standing
    .filter(
      candidate =>
        reachOf(candidate, proven) !== 'NONE' && candidate.signInMethods.includes(method),
    )
    .toSorted((left, right) => toDate(left.createdAt).getTime() - toDate(right.createdAt).getTime())
  const at = (some: Candidate[], organisationId: string | null) =>
    some.find(candidate => candidate.organisationId === organisationId)
  const chosen = wanted ? at(open, wanted) : (at(open, last) ?? open[0])
  if (chosen) return placeAt(chosen, proven)
  if (confinedTo) return null
  if (wanted) return at(standing, wanted) && !proven ? NOWHERE : null
  return candidates.length && !standing.length && !operator ? null : NOWHERE
}

/** Where a session acts through a membership: who has yet to prove their address, in the one project that lets them. */
const placeAt = (candidate: Candidate, proven: boolean): PlaceOfSession => ({
  organisationId: candidate.organisationId,
  principalId: candidate.id,
  projectId: reachOf(candidate, proven) === 'PROJECT' ? candidate.unprovenProjectId : null,
})
