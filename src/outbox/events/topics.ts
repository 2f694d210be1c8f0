type TopicCategory =
  'SECURITY' | 'ACCOUNT' | 'MEMBERSHIP' | 'ACCESS' | 'API_KEY' | 'INTEGRATION' | 'PLATFORM'

const of = (category: TopicCategory, description: string) => ({ category, description })

/** Every kind of event, as `thing.happened`: one vocabulary for audit, webhooks, workflows and notifications. */
const TOPICS = {
  'session.started': of('SECURITY', 'Someone signed in.'),
  'session.refused': of('SECURITY', 'A sign-in failed.'),
  'session.switched': of('SECURITY', 'A session went to another organisation.'),
  'session.confirmed': of('SECURITY', 'Someone proved again who they are.'),
  'session.ended': of('SECURITY', 'A session was signed out or revoked.'),
  'session.reuse_detected': of(
    'SECURITY',
    'A spent refresh token came back; the session was ended.',
  ),
  'user.created': of('ACCOUNT', 'An account was set up.'),
  'member.added': of('MEMBERSHIP', 'A person was added.'),
  'member.joined': of('MEMBERSHIP', 'A person accepted an invitation.'),
  'member.updated': of('MEMBERSHIP', 'A member was changed.'),
  'member.locked': of('MEMBERSHIP', 'New sign-ins of a member were barred.'),
  'member.unlocked': of('MEMBERSHIP', 'The lock of a member was lifted.'),
  'member.removed': of('MEMBERSHIP', 'A membership ended.'),
  'member.sessions_revoked': of('SECURITY', 'All sessions of a member were ended.'),
  'invitation.sent': of('MEMBERSHIP', 'An invitation was mailed or its link handed out.'),
  'invitation.revoked': of('MEMBERSHIP', 'An invitation was withdrawn.'),
  'invitation.declined': of('MEMBERSHIP', 'An invitation was turned down.'),
  'project.created': of('ACCESS', 'A project was opened.'),
  'project_access.granted': of('ACCESS', 'A principal was let into a project.'),
  'organisation.created': of('PLATFORM', 'An organisation was founded.'),
  'organisation.updated': of('PLATFORM', 'An organisation was renamed.'),
  'organisation.settings_updated': of('PLATFORM', 'The policies of an organisation were changed.'),
  'platform.settings_updated': of('PLATFORM', 'The policies of the platform were changed.'),
} as const satisfies Record<string, { category: TopicCategory; description: string }>

export type TopicName = keyof typeof TOPICS
