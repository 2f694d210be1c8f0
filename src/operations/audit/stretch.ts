import { firstIdAt, momentOf } from '../../shared/tokens.ts'

/** The events between two ids, and so between two moments: from `since` on, and before `below`. Null is no end. */
export interface Stretch {
  since: string | null
  below: string | null
}

/**
 * Reads a stretch of the trail, the newest first: its newest month and the one before, and what is older only where
 * those do not fill the page. Every month that a statement may open costs, in planning and again for each value that is
 * looked for, whether it holds anything or not; so the page of a long trail costs what that of a short one does.
 *
 * @param read gives the newest rows of a stretch, at most so many.
 */
export async function newestFirst<Row>(
  whole: Stretch,
  limit: number,
  now: Date,
  read: (stretch: Stretch, limit: number) => Promise<Row[]>,
): Promise<Row[]> {
  const edge = firstIdAt(monthBefore(whole.below ? earlier(momentOf(whole.below), now) : now))
  if (whole.since && whole.since >= edge) return read(whole, limit)
  const newest = await read({ ...whole, since: edge }, limit)
  if (newest.length === limit) return newest
  return [...newest, ...(await read({ ...whole, below: edge }, limit - newest.length))]
}

/** The beginning of the month before the one of a moment. */
const monthBefore = (moment: Date): Date =>
  new Date(Date.UTC(moment.getUTCFullYear(), moment.getUTCMonth() - 1))

const earlier = (left: Date, right: Date): Date => (left < right ? left : right)
