import type { Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import { sql, type Sql } from '../../database/sql.ts'

/** Ceilings of the configuration, in seconds. */
export interface SessionCeilings {
  idle: number
  lifetime: number
}

/** Sessions with what limits them, as `s`, `t` and `o`. */
export const SESSION_WITH_LIMITS: Sql = sql`session s cross join platform_settings t
  left join organisation o on o.id = s.organisation_id`

/**
 * When a session of `SESSION_WITH_LIMITS` ends by itself: at rest, and whatever is done in it. The strictest of
 * configuration, platform and the organisation it acts in counts.
 */
export const sessionEnds = (ceilings: SessionCeilings): { idle: Sql; absolute: Sql } => ({
  idle: sql`s.last_active_at + make_interval(secs => least(${ceilings.idle}::int,
    t.session_idle_minutes * 60, o.session_idle_minutes * 60))`,
  absolute: sql`least(s.expires_at, s.created_at + make_interval(secs => least(${ceilings.lifetime}::int,
    t.session_lifetime_hours * 3600, o.session_lifetime_hours * 3600)))`,
})

/**
 * Ends for good what has run out by the rules in force. To be called before a rule is changed, for a looser one would
 * bring to life again what the stricter one had ended.
 *
 * @param organisationId where to look; null for everywhere.
 */
export async function endWhatRanOut(work: Work, organisationId: string | null): Promise<void> {
  const { SESSION_IDLE_SECONDS: idle, SESSION_LIFETIME_SECONDS: lifetime } = work.server.config
  const ends = sessionEnds({ idle, lifetime })
  const here = organisationId ? sql`and s.organisation_id = ${organisationId}` : sql``
  // those of members whom the viewer's role does not show too
  await work.as(SYSTEM, () =>
    work.db.rows(sql`
      update session set ended_at = ${work.now}, end_reason = 'it ran out' where id in (
        select s.id from ${SESSION_WITH_LIMITS} where s.ended_at is null ${here}
          and least(${ends.idle}, ${ends.absolute}) <= ${work.now}::timestamptz)`),
  )
}
