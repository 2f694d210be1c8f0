import type { Work } from '../../access/work.ts'
import { notify } from '../../accounts/notifications/notification.service.ts'
import { sql, type Sql } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { sourceOf } from '../throttle/throttle.service.ts'
import { deviceOf } from './device.ts'

// words only: nothing that a mail program would make a link of
const PLAIN = /^[\p{L}\p{N} ()_-]{1,60}$/u

/** What a sign-in was seen with, beside what the account had been seen with before. */
export interface Sighting {
  proven: boolean
  name: string
  /** The account has been signed in to before. */
  known: boolean
  /** A trait of this sign-in is new to the account. */
  news: boolean
}

/**
 * A part of the statement that begins a session, named `seen`: notes the kind of program and system, and the network,
 * each by itself. It is one upsert, so that of sign-ins at once one finds a trait new.
 */
export function sighting({ now, request }: Work, userId: string): Sql {
  const traits = [
    `device ${deviceIn(request.userAgent) ?? 'unknown'}`,
    `network ${networkOf(request.ipAddress)}`,
  ]
  return sql`seen as (
    insert into sighting (user_id, trait, created_at, last_seen_at)
    select ${userId}, trait, ${now}, ${now} from unnest(${traits}::text[]) as trait
    on conflict (user_id, trait) do update set last_seen_at = excluded.last_seen_at
    returning created_at = last_seen_at as fresh)`
}

/** What `Sighting` is read from: the part `seen`, and the account `u` as it was before. */
export const SIGHTING = sql`u.email_verified_at is not null as proven, btrim(u.first_name || ' ' || u.last_name) as name,
  u.last_sign_in_at is not null as known, (select bool_or(fresh) from seen) as news`

/**
 * Tells the account's owner where something of a sign-in is new, so that a laptop that moves home or a browser that is
 * brought up to date tells nothing. The first sign-in of an account is no news, and no mail goes to an address that was
 * never proven. As *system*.
 */
export async function tellOfDevice(
  work: Work,
  session: {
    id: string
    userId: string
    place: { organisationId: string | null; principalId: string | null }
  },
  seen: Sighting,
): Promise<void> {
  if (!seen.known || !seen.news) return
  const { id, userId, place } = session
  const { ipAddress, userAgent } = work.request
  await record(work, 'session.new_device', {
    organisationId: place.organisationId,
    target: { kind: 'Session', id },
    actor: { userId, principalId: place.principalId, name: seen.name },
  })
  const data = { device: deviceIn(userAgent), address: ipAddress, at: work.now.toISOString() }
  await notify(work, {
    userId,
    topic: 'session.new_device',
    // a sign-in is the account's affair
    organisationId: null,
    text: { template: 'newDevice', data },
    ...(!seen.proven && { to: null }),
  })
}

/** Null for what is unknown, and for what is not plain: a client says of itself what it likes. */
function deviceIn(userAgent: string | null): string | null {
  const device = userAgent ? deviceOf(userAgent) : ''
  return PLAIN.test(device) ? device : null
}

/** The neighbourhood of an address: the first half of an IPv4 one, what providers are given of IPv6 (a /32). */
export function networkOf(address: string): string {
  const source = sourceOf(address)
  return source.includes(':')
    ? source.split(':').slice(0, 2).join(':')
    : source.split('.').slice(0, 2).join('.')
}
