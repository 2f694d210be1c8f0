import { transactForServer, type ServerTools, type Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import type { TopicCategory } from '../../outbox/events/topic.type.ts'
import { queueMails, type NewMail } from '../../outbox/mail/mail.service.ts'
import { messageOf } from '../../outbox/mail/templates.ts'
import { newId } from '../../shared/tokens.ts'
import { lastMoment, nextMoment, type Rhythm } from './moments.ts'
import { named, type NoticeText } from './notification.service.ts'
import { CHOICES, frequencyOf, type Choices } from './preference.service.ts'

/** Digests that are sent in one transaction. */
const BATCH = 500
/** Notices that one mail lists. */
const MOST_ITEMS = 50

/** A digest that may be due, and its reader. */
interface Due {
  userId: string
  rhythm: Rhythm
  /** When the last one that was sent had been due. */
  period: string | null
  email: string
  locale: string
  timeZone: string
  firstName: string
  choices: Choices
}

interface Waiting {
  userId: string
  rhythm: Rhythm
  category: TopicCategory
  text: NoticeText
  at: string
}

/**
 * Sends the digests that are due, each once however many nodes try: whoever moves a reader's period forward sends what
 * waits, in the transaction that moves it.
 *
 * @returns how many were sent.
 */
export async function sendDigests(tools: ServerTools, signal: AbortSignal): Promise<number> {
  let sent = 0
  for (;;) {
    signal.throwIfAborted()
    const batch = await transactForServer(tools, newId(), sendBatch)
    sent += batch.sent
    if (batch.seen < BATCH) return sent
  }
}

async function sendBatch(work: Work): Promise<{ seen: number; sent: number }> {
  const due = await findDue(work)
  if (!due.length) return { seen: 0, sent: 0 }
  const claimed = await claim(work, due)
  const waiting = await take(work, due, claimed)
  const byReader = Map.groupBy(waiting, keyOf)
  const mails = due.flatMap(reader => {
    const wanted = (byReader.get(keyOf(reader)) ?? []).filter(
      ({ category }) => frequencyOf(reader.choices, category, 'EMAIL') !== 'NEVER',
    )
    return wanted.length ? [mailOf(reader, wanted)] : []
  })
  await queueMails(work, mails)
  return { seen: due.length, sent: mails.length }
}

const keyOf = ({ userId, rhythm }: { userId: string; rhythm: Rhythm }) => `${userId} ${rhythm}`

const findDue = (work: Work): Promise<Due[]> =>
  work.db.rows(sql`
    select w.user_id as "userId", w.rhythm, d.period, u.email, u.locale, u.time_zone as "timeZone",
      u.first_name as "firstName", ${CHOICES} as choices
    from (select distinct n.user_id, n.rhythm from notification n
        join user_account r on r.id = n.user_id and r.deleted_at is null
        where n.due_at <= ${work.now} limit ${BATCH}) as w
    join user_account u on u.id = w.user_id
    left join notification_digest d on d.user_id = w.user_id and d.rhythm = w.rhythm`)

/** Moves periods forward; answers which were, for of two who try at once one does. */
async function claim({ db, now }: Work, due: Due[]): Promise<Set<string>> {
  const rows = due.map(({ userId, rhythm, timeZone }) => ({
    user_id: userId,
    rhythm,
    period: lastMoment(now, timeZone, rhythm),
  }))
  const moved = await db.rows<{ userId: string; rhythm: Rhythm }>(sql`
    insert into notification_digest (user_id, rhythm, period)
    select user_id, rhythm, period from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as
      d (user_id uuid, rhythm text, period timestamptz) order by user_id, rhythm
    on conflict (user_id, rhythm) do update set period = excluded.period
      where notification_digest.period < excluded.period
    returning user_id as "userId", rhythm`)
  return new Set(moved.map(keyOf))
}

/**
 * Takes what waits for the digests that were claimed. What came too late for a digest that is out already waits for
 * the next.
 */
async function take({ db, now }: Work, due: Due[], claimed: Set<string>): Promise<Waiting[]> {
  const rows = due.map(reader => ({
    user_id: reader.userId,
    rhythm: reader.rhythm,
    next: claimed.has(keyOf(reader)) ? null : nextMoment(now, reader.timeZone, reader.rhythm),
  }))
  return db.rows(sql`
    with moved as (
      update notification n set rhythm = case when d.next is null then null else n.rhythm end, due_at = d.next
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as d (user_id uuid, rhythm text, next timestamptz)
      where n.user_id = d.user_id and n.rhythm = d.rhythm and (d.next is null or n.due_at <= ${now})
      returning n.id, n.user_id as "userId", d.rhythm, n.category, n.mail as text, n.created_at as at, d.next)
    select "userId", rhythm, category, text, at from moved where next is null order by id`)
}

function mailOf(reader: Due, waiting: Waiting[]): NewMail {
  const { userId, email: to, firstName, locale, rhythm } = reader
  const items = waiting.slice(-MOST_ITEMS).map(({ text, at }) => ({
    at: new Date(at).toISOString(),
    message: messageOf(named(text, ''), locale),
  }))
  return {
    to,
    locale,
    mail: {
      template: 'digest',
      data: { firstName, frequency: rhythm, items, more: waiting.length - items.length },
    },
    reader: { userId, categories: [...new Set(waiting.map(({ category }) => category))] },
  }
}
