/** What is not told at once is told at this hour, in the place of its reader, and of weeks on Mondays. */
const HOUR = 8
const MONDAY = 1
const DAY_MS = 86_400_000

export type Rhythm = 'DAILY' | 'WEEKLY'

/** The last time that a digest was due: now, or before. */
export const lastMoment = (now: Date, zone: string, rhythm: Rhythm): Date =>
  momentBy(now, zone, rhythm, 0)

/** The next time that a digest is due, after now. */
export const nextMoment = (now: Date, zone: string, rhythm: Rhythm): Date =>
  momentBy(now, zone, rhythm, 1)

/** @param further 0 for the last moment that has come, 1 for the one after it. */
function momentBy(now: Date, zone: string, rhythm: Rhythm, further: 0 | 1): Date {
  const formatter = formatterOf(zone)
  const today = dayOf(now, formatter)
  const step = rhythm === 'DAILY' ? 1 : 7
  const since = rhythm === 'DAILY' ? 0 : (weekdayOf(today) - MONDAY + 7) % 7
  const latest = hourOn(today - since * DAY_MS, formatter)
  if (latest <= now) return further ? hourOn(today + (step - since) * DAY_MS, formatter) : latest
  return further ? latest : hourOn(today - (since + step) * DAY_MS, formatter)
}

const weekdayOf = (day: number): number => new Date(day).getUTCDay()

/** The calendar day at a place, as midnight UTC of that day. */
function dayOf(now: Date, formatter: Intl.DateTimeFormat): number {
  return Math.floor(localTime(now.getTime(), formatter) / DAY_MS) * DAY_MS
}

/** The instant at which it strikes the hour on a day at a place. */
function hourOn(day: number, formatter: Intl.DateTimeFormat): Date {
  const wanted = day + HOUR * 3_600_000
  // the clocks may have been put forward or back between the guess and the hour, so it is looked at twice
  const guess = wanted - (localTime(wanted, formatter) - wanted)
  return new Date(guess - (localTime(guess, formatter) - wanted))
}

/** What clocks show at a place, as if that were UTC; in milliseconds. */
function localTime(instant: number, formatter: Intl.DateTimeFormat): number {
  const parts = Object.fromEntries(
    formatter.formatToParts(instant).map(({ type, value }) => [type, Number(value)]),
  )
  const { year, month, day, hour, minute, second } = parts as Record<string, number>
  return Date.UTC(year!, month! - 1, day, hour, minute, second)
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone)
  if (!formatter) formatters.set(zone, (formatter = makeFormatter(zone)))
  return formatter
}

function makeFormatter(timeZone: string): Intl.DateTimeFormat {
  const options = {
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const
  try {
    return new Intl.DateTimeFormat('en', { ...options, timeZone })
  } catch (error) {
    // a place that another version of the server knew
    if (error instanceof RangeError)
      return new Intl.DateTimeFormat('en', { ...options, timeZone: 'UTC' })
    throw error
  }
}
