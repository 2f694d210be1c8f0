import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { membershipMayBeEntered } from '../../src/credentials/callers/standing.ts'
import { landing, type Arrival, type Candidate } from '../../src/flows/sign-in/landing.ts'

const NOW = new Date('2026-05-01T12:00:00Z')
const EARLIER = '2026-04-01 00:00:00+00'
const LATER = '2026-06-01 00:00:00+00'
const NOWHERE = { organisationId: null, principalId: null, projectId: null }

const candidate = (organisationId: string, more: Partial<Candidate> = {}): Candidate => ({
  id: `member of ${organisationId}`,
  organisationId,
  createdAt: EARLIER,
  status: 'ACTIVE',
  suspendedUntil: null,
  lockedAt: null,
  removedAt: null,
  vouched: false,
  organisationSuspendedAt: null,
  organisationDeletedAt: null,
  ...more,
})
const arrive = (candidates: Candidate[], more: Partial<Arrival> = {}) =>
  landing({
    candidates,
    wanted: null,
    last: null,
    proven: true,
    operator: false,
    now: NOW,
    ...more,
  })
const inside = (organisationId: string) => ({
  organisationId,
  principalId: `member of ${organisationId}`,
  projectId: null,
})

describe('a sign-in lands', () => {
  const two = [
    candidate('a', { createdAt: EARLIER }),
    candidate('b', { createdAt: '2026-03-01 00:00:00+00' }),
  ]

  test('in the organisation asked for', () => {
    expect(arrive(two, { wanted: 'a', last: 'b' })).toEqual(inside('a'))
  })

  test('else where the person last was', () => {
    expect(arrive(two, { last: 'a' })).toEqual(inside('a'))
  })

  test('else in the one joined first', () => {
    expect(arrive(two)).toEqual(inside('b'))
    expect(arrive(two, { last: 'left since' })).toEqual(inside('b'))
  })

  test('elsewhere where the last one is closed by now', () => {
    const closed = candidate('a', { organisationSuspendedAt: EARLIER })
    expect(arrive([closed, two[1]!], { last: 'a' })).toEqual(inside('b'))
  })

  test('nowhere, and may choose, where there is no membership', () => {
    expect(arrive([])).toEqual(NOWHERE)
  })
})

describe('a sign-in is refused', () => {
  test('where the organisation asked for is not theirs or closed to them, though others are open', () => {
    expect(arrive([candidate('a')], { wanted: 'b' })).toBeNull()
    expect(
      arrive([candidate('a'), candidate('b', { lockedAt: EARLIER })], { wanted: 'b' }),
    ).toBeNull()
  })

  test.each<[string, Partial<Candidate>]>([
    ['locked', { lockedAt: EARLIER }],
    ['removed', { removedAt: EARLIER }],
    ['suspended', { status: 'SUSPENDED' }],
    ['suspended until later', { status: 'SUSPENDED', suspendedUntil: LATER }],
    ['inactive', { status: 'INACTIVE' }],
    ['not accepted yet', { status: 'INVITED' }],
    ['in a suspended organisation', { organisationSuspendedAt: EARLIER }],
    ['in a deleted organisation', { organisationDeletedAt: EARLIER }],
  ])('where the only membership is %s; an operator comes in all the same', (_state, more) => {
    expect(arrive([candidate('a', more)])).toBeNull()
    expect(arrive([candidate('a', more)], { operator: true })).toEqual(NOWHERE)
    expect(arrive([candidate('a', more)], { operator: true, wanted: 'a' })).toBeNull()
  })

  test('where the address was never proven, unless the organisation vouches for it', () => {
    expect(arrive([candidate('a')], { proven: false })).toBeNull()
    expect(arrive([candidate('a', { vouched: true })], { proven: false })).toEqual(inside('a'))
  })
})

test('a suspension lifts by itself', () => {
  const suspended = candidate('a', { status: 'SUSPENDED', suspendedUntil: EARLIER })
  expect(arrive([suspended])).toEqual(inside('a'))
})

test('nobody ever lands where they may not enter, nor elsewhere than asked', () => {
  const instant = fc.constantFrom(null, EARLIER, LATER)
  const anyCandidate = fc
    .record({
      name: fc.constantFrom('a', 'b', 'c'),
      createdAt: fc.constantFrom(EARLIER, LATER),
      status: fc.constantFrom('ACTIVE', 'SUSPENDED', 'INACTIVE', 'INVITED'),
      suspendedUntil: instant,
      lockedAt: instant,
      removedAt: instant,
      vouched: fc.boolean(),
      organisationSuspendedAt: instant,
    })
    .map(({ name, ...more }) => candidate(name, more))
  const anyArrival = fc.record({
    candidates: fc.uniqueArray(anyCandidate, { selector: each => each.organisationId }),
    wanted: fc.constantFrom(null, 'a', 'b'),
    last: fc.constantFrom(null, 'a', 'c'),
    proven: fc.boolean(),
    operator: fc.boolean(),
  })
  fc.assert(
    fc.property(anyArrival, arrival => {
      const place = landing({ ...arrival, now: NOW })
      const open = arrival.candidates.filter(each =>
        membershipMayBeEntered(each, arrival.proven, NOW),
      )
      if (place?.organisationId) {
        expect(open.map(each => each.id)).toContain(place.principalId)
        if (arrival.wanted) expect(place.organisationId).toBe(arrival.wanted)
      } else {
        // whoever has an open door, and asks for no other, is let in
        expect(
          open.filter(each => !arrival.wanted || each.organisationId === arrival.wanted),
        ).toEqual([])
      }
    }),
    { numRuns: 1_000 },
  )
})
