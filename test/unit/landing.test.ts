import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { membershipMayBeEntered, reachOf } from '../../src/credentials/callers/standing.ts'
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
  unprovenProjectId: null,
  signInMethods: ['PASSWORD', 'MAGIC_LINK'],
  organisationSuspendedAt: null,
  organisationDeletedAt: null,
  ...more,
})
const arrive = (candidates: Candidate[], more: Partial<Arrival> = {}) =>
  landing({
    candidates,
    wanted: null,
    confinedTo: null,
    method: 'PASSWORD',
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
    expect(arrive([candidate('a', { lockedAt: EARLIER })], { proven: false })).toBeNull()
    expect(arrive([candidate('a', { vouched: true })], { proven: false })).toEqual(inside('a'))
  })
})

describe('who never proved their address', () => {
  test('lands nowhere, to prove it, be it in the organisation asked for or not', () => {
    expect(arrive([candidate('a')], { proven: false })).toEqual(NOWHERE)
    expect(arrive([candidate('a')], { proven: false, wanted: 'a' })).toEqual(NOWHERE)
    expect(arrive([candidate('a')], { proven: false, wanted: 'b' })).toBeNull()
  })

  test('lands in the one project that lets them in', () => {
    const member = candidate('a', { unprovenProjectId: 'p' })
    expect(arrive([member], { proven: false })).toEqual({ ...inside('a'), projectId: 'p' })
    expect(arrive([member])).toEqual(inside('a'))
    const vouched = candidate('a', { unprovenProjectId: 'p', vouched: true })
    expect(arrive([vouched], { proven: false })).toEqual(inside('a'))
  })
})

describe('the way in which one came', () => {
  const byLink = candidate('a', { signInMethods: ['MAGIC_LINK'] })

  test('is good only where it is taken; the next organisation does', () => {
    expect(arrive([byLink, candidate('b', { createdAt: LATER })])).toEqual(inside('b'))
    expect(arrive([byLink, candidate('b')], { method: 'MAGIC_LINK' })).toEqual(inside('a'))
    expect(arrive([byLink], { last: 'a' })).toEqual(NOWHERE)
    expect(arrive([byLink], { wanted: 'a' })).toBeNull()
  })

  test('may lead into one organisation alone', () => {
    const two = [candidate('a'), candidate('b')]
    expect(arrive(two, { confinedTo: 'b', last: 'a' })).toEqual(inside('b'))
    expect(arrive(two, { confinedTo: 'b', wanted: 'a' })).toBeNull()
    expect(arrive(two, { confinedTo: 'c' })).toBeNull()
    expect(arrive([], { confinedTo: 'c', operator: true })).toBeNull()
    expect(arrive([candidate('b')], { confinedTo: 'b', proven: false })).toBeNull()
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
      unprovenProjectId: fc.constantFrom(null, 'p'),
      signInMethods: fc.subarray<'PASSWORD' | 'MAGIC_LINK'>(['PASSWORD', 'MAGIC_LINK']),
      organisationSuspendedAt: instant,
    })
    .map(({ name, ...more }) => candidate(name, more))
  const anyArrival = fc.record({
    candidates: fc.uniqueArray(anyCandidate, { selector: each => each.organisationId }),
    wanted: fc.constantFrom(null, 'a', 'b'),
    confinedTo: fc.constantFrom(null, null, 'a', 'b'),
    method: fc.constantFrom('PASSWORD' as const, 'MAGIC_LINK' as const),
    last: fc.constantFrom(null, 'a', 'c'),
    proven: fc.boolean(),
    operator: fc.boolean(),
  })
  fc.assert(
    fc.property(anyArrival, arrival => {
      const place = landing({ ...arrival, now: NOW })
      const { proven, method, confinedTo } = arrival
      const wanted = [confinedTo, arrival.wanted].filter(each => each != null)
      const open = arrival.candidates.filter(
        each =>
          membershipMayBeEntered(each, NOW) &&
          reachOf(each, proven) !== 'NONE' &&
          each.signInMethods.includes(method),
      )
      if (place?.organisationId) {
        expect(open.map(each => each.id)).toContain(place.principalId)
        for (const each of wanted) expect(place.organisationId).toBe(each)
      } else {
        // whoever has an open door, and asks for no other, is let in
        expect(open.filter(each => wanted.every(id => each.organisationId === id))).toEqual([])
      }
    }),
    { numRuns: 1_000 },
  )
})
