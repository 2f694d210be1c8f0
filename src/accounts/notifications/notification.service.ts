import { inSession } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { SYSTEM } from '../../database/context.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { topicOf, type TopicName } from '../../outbox/events/topics.ts'
import { forgetMails, queueMails, type MailReader } from '../../outbox/mail/mail.service.ts'
import type { Mail } from '../../outbox/mail/templates.ts'
import { badInput, notFound } from '../../shared/errors.ts'
import { newId } from '../../shared/tokens.ts'
import { nextMoment } from './moments.ts'
import type { NotificationChannel, NotificationFrequency } from './notification.type.ts'
import { CHOICES, frequencyOf, type Choices } from './preference.service.ts'

/** A mail without its greeting's name, which is its reader's. */
type Unnamed<Any> = Any extends { template: infer Template; data: infer Data }
  ? { template: Template; data: Omit<Data, 'firstName'> }
  : never

/** What a notice says: that of the mail by which it may reach its reader. */
export type NoticeText = Unnamed<Mail>

/** Something that a person is to be told of. */
export interface Notice {
  /** The account of whoever is told. */
  userId: string
  topic: TopicName
  /** The organisation it comes from; null for the platform. */
  organisationId: string | null
  text: NoticeText
  /**
   * Told at once however its reader wants to be told of its topics: what protects an account is not switched off by
   * whoever has got into it. Default: as its category is.
   */
  security?: boolean
  /** Where it is mailed, if not to the login; null for nowhere. */
  to?: string | null
}

interface Reader {
  id: string
  email: string
  locale: string
  timeZone: string
  firstName: string
  choices: Choices
}

const MOST_IDS = 500
const NOBODY = 'Deleted account'

/**
 * Tells a person something, in the transaction of its cause: by mail and in their list, at once, with a digest or not
 * at all, as they want it. Mails that answer somebody's own request, such as those with a link, are no notices.
 */
export const notify = (work: Work, notice: Notice): Promise<void> => notifyAll(work, [notice])

/** Tells several people, in a constant number of statements. */
export const notifyAll = (work: Work, notices: Notice[]): Promise<void> =>
  notices.length ? work.as(SYSTEM, () => tell(work, notices)) : Promise.resolve()

async function tell(work: Work, notices: Notice[]): Promise<void> {
  const ids = [...new Set(notices.map(({ userId }) => userId))]
  const readers = await work.db.rows<Reader>(sql`
    select u.id, u.email, u.locale, u.time_zone as "timeZone", u.first_name as "firstName", ${CHOICES} as choices
    from user_account u where u.id = any(${ids}::uuid[]) and u.deleted_at is null`)
  const byId = new Map(readers.map(reader => [reader.id, reader]))
  const told = notices.flatMap(notice => {
    const reader = byId.get(notice.userId)
    return reader ? [{ notice, reader, ...planFor(work, notice, reader) }] : []
  })
  await keep(
    work,
    told.flatMap(({ row }) => row ?? []),
  )
  await queueMails(
    work,
    told
      .filter(({ mailed }) => mailed)
      .map(({ notice, reader, optional }) => ({
        to: notice.to ?? reader.email,
        locale: reader.locale,
        mail: named(notice.text, reader.firstName),
        reader: {
          userId: reader.id,
          categories: optional ? [topicOf(notice.topic).category] : [],
        },
      })),
  )
}

/** A notice as it is kept. */
interface Row {
  id: string
  user_id: string
  organisation_id: string | null
  topic: TopicName
  category: string
  mail: NoticeText
  shown_at: Date | null
  rhythm: 'DAILY' | 'WEEKLY' | null
  due_at: Date | null
}

/** What becomes of a notice: its row, where it has one, and whether it is mailed at once. */
function planFor({ now }: Work, notice: Notice, { timeZone, choices }: Reader) {
  const { category } = topicOf(notice.topic)
  const optional = !notice.security && category !== 'SECURITY'
  const frequency = (channel: NotificationChannel): NotificationFrequency =>
    optional ? frequencyOf(choices, category, channel) : 'IMMEDIATELY'
  const inApp = frequency('IN_APP')
  const byMail = notice.to === null ? 'NEVER' : frequency('EMAIL')
  const rhythm = byMail === 'DAILY' || byMail === 'WEEKLY' ? byMail : null
  const shownAt =
    inApp === 'NEVER' ? null : inApp === 'IMMEDIATELY' ? now : nextMoment(now, timeZone, inApp)
  const row: Row | null =
    shownAt || rhythm
      ? {
          id: newId(),
          user_id: notice.userId,
          organisation_id: notice.organisationId,
          topic: notice.topic,
          category,
          mail: notice.text,
          shown_at: shownAt,
          rhythm,
          due_at: rhythm && nextMoment(now, timeZone, rhythm),
        }
      : null
  return { row, mailed: byMail === 'IMMEDIATELY', optional }
}

async function keep(work: Work, rows: Row[]): Promise<void> {
  if (!rows.length) return
  await work.db.rows(sql`
    insert into notification (id, created_at, user_id, organisation_id, topic, category, mail, actor_id, shown_at, rhythm, due_at)
    select id, ${work.now}::timestamptz, user_id, organisation_id, topic, category, mail, ${work.viewer?.userId ?? null}::uuid,
      shown_at, rhythm, due_at
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as n (id uuid, user_id uuid, organisation_id uuid, topic text,
      category text, mail jsonb, shown_at timestamptz, rhythm text, due_at timestamptz)`)
}

/** The mail of a notice, with the name of whoever reads it. */
export const named = (text: NoticeText, firstName: string): Mail =>
  ({ template: text.template, data: { ...text.data, firstName } }) as Mail

/** Whether a reader is still there and wants at least one of the kinds of notices that a mail brings. */
export const createReaderCheck =
  (system: Queries) =>
  async ({ userId, categories }: MailReader): Promise<boolean> => {
    const row = await firstRow<{ choices: Choices }>(
      system,
      sql`select ${CHOICES} as choices from user_account u where u.id = ${userId} and u.deleted_at is null`,
    )
    if (!row) return false
    const wanted = (category: MailReader['categories'][number]) =>
      frequencyOf(row.choices, category, 'EMAIL') !== 'NEVER'
    return !categories.length || categories.some(wanted)
  }

/**
 * Marks notices of one's own list as read: those that are named, or all of them.
 *
 * @throws {AppError} `NOT_FOUND` where one of them is not in the list; then none is marked.
 */
export async function markRead(work: Work, ids: string[] | null): Promise<void> {
  const { userId } = inSession(work.viewer)
  if (!ids) {
    await work.db.rows(sql`
      update notification set read_at = ${work.now} where user_id = ${userId} and read_at is null
        and shown_at <= ${work.now}`)
    return
  }
  if (ids.length > MOST_IDS)
    throw badInput(['ids'], 'OUT_OF_RANGE', `Mark at most ${MOST_IDS} at once.`)
  const row = await firstRow<{ found: number }>(
    work.db,
    sql`with named as (
        select id from notification where user_id = ${userId} and id = any(${ids}::uuid[]) and shown_at <= ${work.now}
        order by id for no key update),
      marked as (
        update notification n set read_at = ${work.now}::timestamptz from named where n.id = named.id and n.read_at is null)
      select count(*)::int as found from named`,
  )
  if (row?.found !== new Set(ids).size) throw notFound('notification')
}

/**
 * Deletes what a person was told and what they chose, with every mail for them that is still on its way, and takes
 * their name out of what others were told; as *system*, while the account still has its login.
 */
export async function forgetNotices(work: Work, userId: string): Promise<void> {
  const account = await firstRow<{ email: string }>(
    work.db,
    sql`select email from user_account where id = ${userId}`,
  )
  for (const table of [sql`notification`, sql`notification_preference`, sql`notification_digest`])
    await work.db.rows(sql`delete from ${table} where user_id = ${userId}`)
  await work.db.rows(sql`
    update notification set actor_id = null,
      mail = jsonb_set(jsonb_set(mail, '{data,by}', to_jsonb(${NOBODY}::text), false),
        '{data,inviter}', to_jsonb(${NOBODY}::text), false)
    where actor_id = ${userId}`)
  await forgetMails(work, [userId, ...(account ? [account.email] : [])])
}
