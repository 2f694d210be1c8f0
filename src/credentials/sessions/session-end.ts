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
