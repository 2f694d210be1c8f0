import { columns } from '../../database/columns.ts'
import { readPage } from '../../database/keyset.ts'
import { firstRow, raw, sql, type Queries } from '../../database/sql.ts'
import { topicOf } from '../../outbox/events/topics.ts'
import { messageOf } from '../../outbox/mail/templates.ts'
import type { Page, PageArgs } from '../../shared/page.ts'
import type { KeyRing } from '../../shared/seal.ts'
import { named, type NoticeText } from './notification.service.ts'
import type { Notification } from './notification.type.ts'

const FIELDS = ['id', 'organisationId', 'createdAt', 'readAt', 'mail'] as const

interface Stored extends Omit<Notification, 'topic' | 'message'> {
  topicName: string
  mail: NoticeText
  locale: string
}

const SELECT = sql`${columns('n', FIELDS)}, n.topic as "topicName",
  (select u.locale from user_account u where u.id = n.user_id) as locale`

/** A notice in words, in the language that its reader has now. */
const inWords = ({ topicName, mail, locale, ...row }: Stored): Notification => ({
  ...row,
  topic: topicOf(topicName),
  message: messageOf(named(mail, ''), locale),
})

export interface NotificationsArgs extends PageArgs {
  unread?: boolean | null
}

/**
 * What somebody was told, the newest first.
 *
 * @param queries run as that very person.
 */
export function listNotifications(
  queries: Queries,
  ring: KeyRing,
  userId: string,
  args: NotificationsArgs,
  now: Date,
): Promise<Page<Notification>> {
  const read = args.unread == null ? null : !args.unread
  const marked =
    read === null ? sql`` : read ? sql`and n.read_at is not null` : sql`and n.read_at is null`
  return readPage<Notification>({
    queries,
    ring,
    list: ['notifications', userId, read],
    args,
    select: SELECT,
    from: sql`from notification n where n.user_id = ${userId} and n.shown_at is not null and n.shown_at <= ${now} ${marked}`,
    id: raw('n.id'),
    descending: true,
    shape: row => inWords(row as never),
  })
}

/** One notice out of the list of whoever the queries run as. */
export async function findNotification(
  queries: Queries,
  id: string,
  now: Date,
): Promise<Notification | null> {
  const row = await firstRow<Stored>(
    queries,
    sql`select ${SELECT} from notification n where n.id = ${id} and n.shown_at <= ${now}`,
  )
  return row ? inWords(row) : null
}
