import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { dropChallenges } from '../challenges/challenge.service.ts'
import { closeLinks } from './link.service.ts'

export interface ClearOut {
  /** Why, as the sessions will say. */
  reason: string
  /** The session in which it happens, which goes on. */
  keep?: string | null
}

/** Ends the sessions of a person and whatever may yet become one, pending links and challenges; as *system*. */
export async function clearOut(work: Work, userId: string, { reason, keep }: ClearOut) {
  await work.db.rows(sql`
    update session set ended_at = ${work.now}, end_reason = ${reason} where user_id = ${userId} and ended_at is null
      and id is distinct from ${keep ?? null}::uuid`)
  await closeLinks(work, userId)
  await dropChallenges(work, userId)
}
