import type { Person } from '../support/people.ts'

export interface Shown {
  id: string
  topic: { name: string; category: string }
  organisation: { id: string } | null
  message: string
  createdAt: string
  readAt: string | null
}

const LIST = `query ($first: Int!, $after: String, $unread: Boolean) { me { notifications(first: $first, after: $after, unread: $unread) {
  totalCount pageInfo { hasNextPage endCursor }
  nodes { id topic { name category } organisation { id } message createdAt readAt } } } }`

/** A page of somebody's own list. */
export const pageOf = async (
  person: Person,
  args: { first?: number; after?: string; unread?: boolean } = {},
): Promise<{
  totalCount: number
  nodes: Shown[]
  pageInfo: { hasNextPage: boolean; endCursor: string }
}> => (await person.ask(LIST, { first: 100, ...args })).me.notifications

/** What somebody was told, the newest first. */
export const noticesOf = async (person: Person, unread?: boolean): Promise<Shown[]> =>
  (await pageOf(person, unread === undefined ? {} : { unread })).nodes

/** The names of their topics. */
export const topicsOf = async (person: Person): Promise<string[]> =>
  (await noticesOf(person)).map(({ topic }) => topic.name)

export const MARK = `mutation ($ids: [ID!]) { markNotificationsRead(ids: $ids) { user { id notifications(unread: true) { totalCount } } } }`

export interface Choice {
  category: string
  channel: string
  frequency: string
  mandatory?: boolean
}

export const CHOOSE = `mutation ($preferences: [NotificationPreferenceInput!]!) { setNotificationPreferences(preferences: $preferences) {
  user { notificationPreferences { category channel frequency mandatory } } } }`

/** Chooses how to be told, such as `MEMBERSHIP.EMAIL`: `DAILY`. */
export const choose = async (
  person: Person,
  choices: Record<string, string>,
): Promise<Choice[]> => {
  const preferences = Object.entries(choices).map(([pair, frequency]) => {
    const [category, channel] = pair.split('.')
    return { category, channel, frequency }
  })
  const { setNotificationPreferences } = await person.ask(CHOOSE, { preferences })
  return setNotificationPreferences.user.notificationPreferences
}

/** Has an administrator bar and readmit somebody: two notices of the category MEMBERSHIP. */
export async function lockAndUnlock(admin: Person, { memberId: id }: Person): Promise<void> {
  await lock(admin, id)
  await admin.ask(`mutation ($id: ID!) { unlockMember(id: $id) { member { id } } }`, { id })
}

export const lock = (admin: Person, id: string) =>
  admin.ask(`mutation ($id: ID!) { lockMember(id: $id) { member { id } } }`, { id })
