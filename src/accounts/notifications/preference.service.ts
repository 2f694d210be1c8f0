import type { Work } from '../../access/work.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { record } from '../../outbox/events/event.service.ts'
import { TopicCategory } from '../../outbox/events/topic.type.ts'
import type { MailReader } from '../../outbox/mail/mail.service.ts'
import { badInput } from '../../shared/errors.ts'
import { nextMoment } from './moments.ts'
import {
  NotificationChannel,
  type NotificationFrequency,
  type NotificationPreference,
  type NotificationPreferenceInput,
} from './notification.type.ts'

const CATEGORIES = Object.keys(TopicCategory) as TopicCategory[]
const CHANNELS = Object.keys(NotificationChannel) as NotificationChannel[]

/** How people are told who have not chosen. What is of moment to nobody but administrators can wait for a digest. */
const MAILED: Record<TopicCategory, NotificationFrequency> = {
  SECURITY: 'IMMEDIATELY',
  ACCOUNT: 'IMMEDIATELY',
  MEMBERSHIP: 'IMMEDIATELY',
  ACCESS: 'DAILY',
  API_KEY: 'IMMEDIATELY',
  INTEGRATION: 'IMMEDIATELY',
  PLATFORM: 'WEEKLY',
}

/** What a person has chosen, by category and channel. */
export type Choices = Partial<Record<string, NotificationFrequency>>

/** What the account `u` of a query has chosen, as one column. */
export const CHOICES = sql`(select coalesce(jsonb_object_agg(p.category || '.' || p.channel, p.frequency), '{}')
  from notification_preference p where p.user_id = u.id)`

/** How somebody wants to be told. */
export function frequencyOf(
  choices: Choices,
  category: TopicCategory,
  channel: NotificationChannel,
): NotificationFrequency {
  const standard = channel === 'EMAIL' ? MAILED[category] : 'IMMEDIATELY'
  return category === 'SECURITY' ? standard : (choices[`${category}.${channel}`] ?? standard)
}

interface Chooser {
  choices: Choices
  timeZone: string
  name: string
}

const readChooser = (queries: Queries, userId: string): Promise<Chooser | undefined> =>
  firstRow(
    queries,
    sql`select ${CHOICES} as choices, u.time_zone as "timeZone", btrim(u.first_name || ' ' || u.last_name) as name
      from user_account u where u.id = ${userId} and u.deleted_at is null`,
  )

/** Every line of a person's choices, those included that they never made. */
export async function readPreferences(
  queries: Queries,
  userId: string,
): Promise<NotificationPreference[]> {
  const { choices = {} } = (await readChooser(queries, userId)) ?? {}
  return CATEGORIES.flatMap(category =>
    CHANNELS.map(channel => ({
      category,
      channel,
      frequency: frequencyOf(choices, category, channel),
      mandatory: category === 'SECURITY',
    })),
  )
}

/**
 * Sets some of one's own choices; the others stay. What waits for a digest goes with them.
 *
 * @throws {AppError} `BAD_USER_INPUT` for a security notice that is not to come at once, and for a pair named twice.
 */
export async function setPreferences(
  work: Work,
  userId: string,
  preferences: NotificationPreferenceInput[],
): Promise<void> {
  const named = new Set<string>()
  preferences.forEach(({ category, channel, frequency }, index) => {
    const path = ['preferences', index]
    if (category === 'SECURITY' && frequency !== 'IMMEDIATELY')
      throw badInput(
        [...path, 'frequency'],
        'OUT_OF_RANGE',
        'Security notices cannot be switched off or put off. Leave them at IMMEDIATELY.',
      )
    const pair = `${category}.${channel}`
    if (named.has(pair))
      throw badInput(path, 'ALREADY_EXISTS', 'An earlier entry is about the same pair.')
    named.add(pair)
  })
  await choose(
    work,
    userId,
    preferences.filter(({ category }) => category !== 'SECURITY'),
  )
}

/** Stops the mails of some kinds, by a link that came with one of them; as *system*. */
export async function stopMails(work: Work, { userId, categories }: MailReader): Promise<void> {
  const optional = categories.filter(category => category !== 'SECURITY')
  await choose(
    work,
    userId,
    optional.map(category => ({ category, channel: 'EMAIL', frequency: 'NEVER' })),
  )
}

async function choose(work: Work, userId: string, wanted: NotificationPreferenceInput[]) {
  const chooser = await readChooser(work.db, userId)
  if (!chooser) return
  const changed = wanted.filter(
    ({ category, channel, frequency }) =>
      frequencyOf(chooser.choices, category, channel) !== frequency,
  )
  if (!changed.length) return
  // in one order, so that two at once wait for each other and do not lock each other out
  await work.db.rows(sql`
    insert into notification_preference (user_id, category, channel, frequency, updated_at)
    select ${userId}, category, channel, frequency, ${work.now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) as c (category text, channel text, frequency text)
    order by category, channel
    on conflict (user_id, category, channel) do update set frequency = excluded.frequency, updated_at = excluded.updated_at`)
  await moveWaiting(work, userId, chooser.timeZone, changed)
  await record(work, 'user.notifications_changed', {
    organisationId: null,
    target: { kind: 'User', id: userId, name: chooser.name },
    changes: changed.map(({ category, channel, frequency }) => ({
      field: `${category}.${channel}`,
      before: frequencyOf(chooser.choices, category, channel),
      after: frequency,
    })),
    actor: { userId, principalId: null, name: chooser.name },
  })
}

/** What waits for a digest waits for another one, for the next that is sent, or for none. */
async function moveWaiting(
  work: Work,
  userId: string,
  zone: string,
  changed: NotificationPreferenceInput[],
): Promise<void> {
  const moves = changed
    .filter(({ channel }) => channel === 'EMAIL')
    .map(({ category, frequency }) => ({ category, ...placeOf(work.now, zone, frequency) }))
  if (!moves.length) return
  await work.db.rows(sql`
    update notification n set rhythm = m.rhythm, due_at = m.due
    from jsonb_to_recordset(${JSON.stringify(moves)}::jsonb) as m (category text, rhythm text, due timestamptz)
    where n.user_id = ${userId} and n.category = m.category and n.due_at is not null`)
}

function placeOf(now: Date, zone: string, frequency: NotificationFrequency) {
  if (frequency === 'NEVER') return { rhythm: null, due: null }
  // the digest under way takes it along, so that it comes within minutes
  if (frequency === 'IMMEDIATELY') return { rhythm: 'DAILY', due: now }
  return { rhythm: frequency, due: nextMoment(now, zone, frequency) }
}

/** Has a person told as those are who have not chosen; as *system*. */
export async function forgetChoices(work: Work, userId: string): Promise<void> {
  await work.db.rows(sql`delete from notification_preference where user_id = ${userId}`)
}

/** Moves the digests that a person waits for to the hours of another place; as *system*. */
export async function moveDigests(work: Work, userId: string, zone: string): Promise<void> {
  await work.db.rows(sql`
    update notification set due_at = case rhythm when 'DAILY' then ${nextMoment(work.now, zone, 'DAILY')}::timestamptz
      else ${nextMoment(work.now, zone, 'WEEKLY')}::timestamptz end
    where user_id = ${userId} and due_at > ${work.now}`)
}
