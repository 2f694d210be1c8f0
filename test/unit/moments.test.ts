import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lastMoment, nextMoment } from '../../src/accounts/notifications/moments.ts'

const last = (now: string, zone: string, rhythm: 'DAILY' | 'WEEKLY' = 'DAILY') =>
  lastMoment(new Date(now), zone, rhythm).toISOString()
const next = (now: string, zone: string, rhythm: 'DAILY' | 'WEEKLY' = 'DAILY') =>
  nextMoment(new Date(now), zone, rhythm).toISOString()

test('a digest is due at eight o’clock where its reader is', () => {
  expect(next('2026-11-21T07:59:59.999Z', 'UTC')).toBe('2026-11-21T08:00:00.000Z')
  expect(last('2026-11-21T08:00:00Z', 'UTC')).toBe('2026-11-21T08:00:00.000Z')
  expect(next('2026-11-21T08:00:00Z', 'UTC')).toBe('2026-11-22T08:00:00.000Z')
  expect(next('2026-11-21T12:00:00Z', 'America/New_York')).toBe('2026-11-21T13:00:00.000Z')
  expect(next('2026-11-21T12:00:00Z', 'Asia/Kathmandu')).toBe('2026-11-22T02:15:00.000Z')
  // where it is tomorrow already
  expect(next('2026-12-31T17:00:00Z', 'Pacific/Kiritimati')).toBe('2026-12-31T18:00:00.000Z')
})

test('the hour stays when the clocks are put forward and back', () => {
  // Zurich: forward on 28 March 2027, back on 31 October 2027
  expect(next('2027-03-26T12:00:00Z', 'Europe/Zurich')).toBe('2027-03-27T07:00:00.000Z')
  expect(next('2027-03-27T07:00:00Z', 'Europe/Zurich')).toBe('2027-03-28T06:00:00.000Z')
  expect(last('2027-03-28T05:59:00Z', 'Europe/Zurich')).toBe('2027-03-27T07:00:00.000Z')
  expect(next('2027-10-30T06:00:00Z', 'Europe/Zurich')).toBe('2027-10-31T07:00:00.000Z')
  expect(next('2027-03-25T12:00:00Z', 'Europe/Zurich', 'WEEKLY')).toBe('2027-03-29T06:00:00.000Z')
})

test('of weeks it is due on Mondays', () => {
  expect(next('2026-11-21T12:00:00Z', 'UTC', 'WEEKLY')).toBe('2026-11-23T08:00:00.000Z')
  expect(last('2026-11-23T07:59:00Z', 'UTC', 'WEEKLY')).toBe('2026-11-16T08:00:00.000Z')
  expect(last('2026-11-23T08:00:00Z', 'UTC', 'WEEKLY')).toBe('2026-11-23T08:00:00.000Z')
  expect(next('2026-11-22T20:00:00Z', 'Pacific/Auckland', 'WEEKLY')).toBe(
    '2026-11-29T19:00:00.000Z',
  )
})

test('a place that nobody knows has the hours of UTC', () => {
  expect(next('2026-11-21T00:00:00Z', 'Atlantis/Capital')).toBe('2026-11-21T08:00:00.000Z')
})

test('wherever and whenever: the last is not after now, the next is, and nothing lies between', () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date('2024-01-01T00:00:00Z'),
        max: new Date('2032-01-01T00:00:00Z'),
        noInvalidDate: true,
      }),
      fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
      fc.constantFrom('DAILY', 'WEEKLY'),
      (now, zone, rhythm) => {
        const before = lastMoment(now, zone, rhythm)
        const after = nextMoment(now, zone, rhythm)
        const clock = new Intl.DateTimeFormat('en', {
          timeZone: zone,
          hour: 'numeric',
          minute: 'numeric',
          weekday: 'short',
          hourCycle: 'h23',
        })
        expect(before <= now && now < after).toBe(true)
        for (const moment of [before, after])
          expect(clock.format(moment)).toMatch(rhythm === 'DAILY' ? / 08:00$/ : /^Mon,? 08:00$/)
        expect(lastMoment(new Date(after.getTime() - 1), zone, rhythm)).toEqual(before)
        expect(lastMoment(after, zone, rhythm)).toEqual(after)
      },
    ),
    { numRuns: 300 },
  )
})
