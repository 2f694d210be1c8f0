import { accountOwner, type Rules } from '../../access/rules.ts'

export const notificationRules = {
  Mutation: { setNotificationPreferences: accountOwner, markNotificationsRead: accountOwner },
} satisfies Rules
