import type { TopicCategory } from './topic.type.ts'

const of = (category: TopicCategory, description: string) => ({ category, description })

/** Every kind of event, as `thing.happened`: one vocabulary for audit, webhooks, workflows and notifications. */
const TOPICS = {
  'session.started': of('SECURITY', 'Someone signed in.'),
  'session.new_device': of(
    'SECURITY',
    'Someone signed in from a device or network not seen before.',
  ),
  'session.refused': of('SECURITY', 'A sign-in failed.'),
  'session.switched': of('SECURITY', 'A session went to another organisation.'),
  'session.confirmed': of('SECURITY', 'Someone proved again who they are.'),
  'session.ended': of('SECURITY', 'A session was signed out or revoked.'),
  'session.others_ended': of('SECURITY', 'A person ended all their other sessions.'),
  'session.reuse_detected': of(
    'SECURITY',
    'A spent refresh token came back; the session was ended.',
  ),
  'mfa.enabled': of('SECURITY', 'Someone turned second factors on.'),
  'mfa.disabled': of('SECURITY', 'Someone removed their last second factor.'),
  'mfa.factor_added': of('SECURITY', 'Someone added a second factor.'),
  'mfa.factor_removed': of('SECURITY', 'Someone removed a second factor.'),
  'mfa.recovery_codes_replaced': of('SECURITY', 'Someone replaced their recovery codes.'),
  'mfa.recovery_code_used': of('SECURITY', 'A recovery code was used.'),
  'mfa.guesses_exceeded': of('SECURITY', "The day's guesses at a second factor were used up."),
  'mfa.reset': of('SECURITY', 'An operator removed all second factors of an account.'),
  'user.created': of('ACCOUNT', 'An account was set up.'),
  'user.updated': of('ACCOUNT', 'A person changed their profile.'),
  'user.deleted': of('ACCOUNT', 'An account was deleted.'),
  'user.notifications_changed': of('ACCOUNT', 'Someone chose anew what to be told of, and how.'),
  'user.link_mailed': of('SECURITY', 'A link was mailed to the owner of an account.'),
  'user.email_verified': of('ACCOUNT', 'The address of an account was confirmed.'),
  'user.email_change_requested': of(
    'ACCOUNT',
    'Someone asked to move their account to another address.',
  ),
  'user.email_change_cancelled': of('ACCOUNT', 'A pending change of address was called off.'),
  'user.email_changed': of('ACCOUNT', 'The login of an account was changed.'),
  'user.password_reset': of('SECURITY', 'A password was replaced through a mailed link.'),
  'user.password_changed': of('SECURITY', 'Someone replaced their password.'),
  'member.added': of('MEMBERSHIP', 'A person was added.'),
  'member.joined': of('MEMBERSHIP', 'A person accepted an invitation.'),
  'member.updated': of('MEMBERSHIP', 'A member was changed.'),
  'member.locked': of('MEMBERSHIP', 'New sign-ins of a member were barred.'),
  'member.unlocked': of('MEMBERSHIP', 'The lock of a member was lifted.'),
  'member.removed': of('MEMBERSHIP', 'A membership ended.'),
  'member.password_reset_requested': of(
    'SECURITY',
    'A link for a new password was sent to a member by an administrator.',
  ),
  'member.sessions_revoked': of('SECURITY', 'All sessions of a member were ended.'),
  'invitation.sent': of('MEMBERSHIP', 'An invitation was mailed or its link handed out.'),
  'invitation.revoked': of('MEMBERSHIP', 'An invitation was withdrawn.'),
  'invitation.declined': of('MEMBERSHIP', 'An invitation was turned down.'),
  'member.suspended': of('MEMBERSHIP', 'A member was barred for a while.'),
  'member.deactivated': of('MEMBERSHIP', 'A member was barred until further notice.'),
  'member.activated': of('MEMBERSHIP', 'A member was readmitted.'),
  'member.left': of('MEMBERSHIP', 'A person gave up a membership.'),
  'role.created': of('ACCESS', 'A role was defined.'),
  'role.updated': of('ACCESS', 'A role was changed.'),
  'role.deleted': of('ACCESS', 'A role was deleted.'),
  'permission.created': of('ACCESS', 'A permission was defined.'),
  'permission.deleted': of('ACCESS', 'A permission was retired.'),
  'project.updated': of('ACCESS', 'A project was changed.'),
  'project.deleted': of('ACCESS', 'A project was deleted.'),
  'project_access.changed': of('ACCESS', 'A principal got another role in a project.'),
  'project_access.revoked': of('ACCESS', 'A principal was put out of a project.'),
  'access_review.started': of('ACCESS', 'A review of who still needs their access was opened.'),
  'access_review.decided': of('ACCESS', 'A reviewer decided whether someone keeps an access.'),
  'access_review.completed': of('ACCESS', 'The decisions of a review were carried out.'),
  'access_review.cancelled': of('ACCESS', 'A review was closed, and nothing carried out.'),
  'service_account.created': of('API_KEY', 'A service account was created.'),
  'service_account.updated': of('API_KEY', 'A service account was changed.'),
  'service_account.deleted': of('API_KEY', 'A service account was deleted.'),
  'api_key.created': of('API_KEY', 'An API key was created.'),
  'api_key.updated': of('API_KEY', 'An API key was renamed or narrowed.'),
  'api_key.renewed': of('API_KEY', 'An API key got a new secret, or lost its old one.'),
  'api_key.revoked': of('API_KEY', 'An API key was revoked.'),
  'user.locked': of('ACCOUNT', 'New sign-ins of an account were barred.'),
  'user.unlocked': of('ACCOUNT', 'The lock of an account was lifted.'),
  'user.suspended': of('ACCOUNT', 'An account was barred for a while.'),
  'user.deactivated': of('ACCOUNT', 'An account was barred until further notice.'),
  'user.activated': of('ACCOUNT', 'An account was readmitted.'),
  'user.sessions_revoked': of('SECURITY', 'All sessions of an account were ended.'),
  'operator.granted': of('PLATFORM', 'An account became operator.'),
  'operator.revoked': of('PLATFORM', 'An account ceased to be operator.'),
  'webhook.created': of('INTEGRATION', 'A webhook was set up.'),
  'webhook.updated': of('INTEGRATION', 'A webhook was changed, or switched on or off.'),
  'webhook.secret_rotated': of('INTEGRATION', 'A webhook got a new signing secret.'),
  'webhook.tested': of('INTEGRATION', 'A webhook was sent a sample.'),
  'webhook.delivery_retried': of('INTEGRATION', 'An event was sent to a webhook again.'),
  'webhook.switched_off': of(
    'INTEGRATION',
    'A webhook was switched off, for nothing came through.',
  ),
  'webhook.deleted': of('INTEGRATION', 'A webhook was deleted.'),
  'workflow.created': of('INTEGRATION', 'A workflow was defined.'),
  'workflow.updated': of('INTEGRATION', 'A workflow was changed, or switched on or off.'),
  'workflow.deleted': of('INTEGRATION', 'A workflow was deleted.'),
  'workflow.mail_sent': of('INTEGRATION', 'A workflow sent a member a mail.'),
  'workflow.webhook_called': of('INTEGRATION', 'A workflow had an event posted to a webhook.'),
  'workflow.run_failed': of('INTEGRATION', 'A run of a workflow was stopped by a problem.'),
  'organisation.suspended': of('PLATFORM', 'An organisation was barred.'),
  'organisation.activated': of('PLATFORM', 'An organisation was readmitted.'),
  'organisation.deleted': of('PLATFORM', 'An organisation was deleted.'),
  'project.created': of('ACCESS', 'A project was opened.'),
  'project_access.granted': of('ACCESS', 'A principal was let into a project.'),
  'organisation.created': of('PLATFORM', 'An organisation was founded.'),
  'organisation.updated': of('PLATFORM', 'An organisation was renamed.'),
  'organisation.settings_updated': of('PLATFORM', 'The policies of an organisation were changed.'),
  'platform.settings_updated': of('PLATFORM', 'The policies of the platform were changed.'),
} as const satisfies Record<string, { category: TopicCategory; description: string }>

export type TopicName = keyof typeof TOPICS

/** What is known of a topic. */
export interface TopicInfo {
  name: string
  category: TopicCategory
  description: string
}

/** Every topic, by name. */
export const allTopics: readonly TopicInfo[] = Object.entries(TOPICS)
  .map(([name, topic]) => ({ name, ...topic }))
  .toSorted((one, other) => (one.name < other.name ? -1 : 1))

const byName = new Map(allTopics.map(topic => [topic.name, topic]))

/** The topic of a name; one that was retired since it was written down still has its name. */
export const topicOf = (name: string): TopicInfo =>
  byName.get(name) ?? { name, category: 'PLATFORM', description: 'A topic of an earlier version.' }

/** Whether something is known by this name; a family such as `member.*` is not one thing. */
export const isTopic = (name: string): boolean => byName.has(name)

/** The names that a filter means: a topic, or a family such as `member.*`. Null where there is none. */
export function topicsMeant(pattern: string): string[] | null {
  if (byName.has(pattern)) return [pattern]
  const family = /^([a-z_]+)\.\*$/.exec(pattern)?.[1]
  const names = family
    ? allTopics.map(({ name }) => name).filter(name => name.startsWith(`${family}.`))
    : []
  return names.length ? names : null
}
