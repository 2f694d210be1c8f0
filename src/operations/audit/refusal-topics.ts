import type { TopicName } from '../../outbox/events/topics.ts'

/** What a refused mutation would have been, as the trail has it; null where that is no act, or tells itself. */
const ACTS: Record<string, TopicName | null> = {
  acceptInvitation: 'member.joined',
  activateMember: 'member.activated',
  activateOrganisation: 'organisation.activated',
  activateUser: 'user.activated',
  addMember: 'member.added',
  addMembers: 'member.added',
  applyMemberAction: 'member.updated',
  cancelAccessReview: 'access_review.cancelled',
  cancelEmailChange: 'user.email_change_cancelled',
  changePassword: 'user.password_changed',
  completeAccessReview: 'access_review.completed',
  confirmEmailChange: 'user.email_changed',
  confirmTotpEnrolment: 'mfa.factor_added',
  createApiKey: 'api_key.created',
  createAvatarUpload: 'user.updated',
  createOrganisation: 'organisation.created',
  createPermission: 'permission.created',
  createProject: 'project.created',
  createRole: 'role.created',
  createServiceAccount: 'service_account.created',
  createWebhook: 'webhook.created',
  createWorkflow: 'workflow.created',
  deactivateMember: 'member.deactivated',
  deactivateUser: 'user.deactivated',
  decideAccessReviewItems: 'access_review.decided',
  declineInvitation: 'invitation.declined',
  deleteAccount: 'user.deleted',
  deleteOrganisation: 'organisation.deleted',
  deletePermission: 'permission.deleted',
  deleteProject: 'project.deleted',
  deleteRole: 'role.deleted',
  deleteServiceAccount: 'service_account.deleted',
  deleteUser: 'user.deleted',
  deleteWebhook: 'webhook.deleted',
  deleteWorkflow: 'workflow.deleted',
  grantOperator: 'operator.granted',
  grantProjectAccess: 'project_access.granted',
  inviteMember: 'invitation.sent',
  inviteMembers: 'invitation.sent',
  joinProject: 'member.joined',
  leaveOrganisation: 'member.left',
  lockMember: 'member.locked',
  lockUser: 'user.locked',
  // of what one has read nobody is told
  markNotificationsRead: null,
  reauthenticate: 'session.confirmed',
  // clients come with tokens that are over all the time; a spent one tells itself
  refreshSession: null,
  regenerateRecoveryCodes: 'mfa.recovery_codes_replaced',
  removeAvatar: 'user.updated',
  removeMember: 'member.removed',
  removeMfaFactor: 'mfa.factor_removed',
  renewApiKey: 'api_key.renewed',
  requestEmailChange: 'user.email_change_requested',
  requestEmailVerification: 'user.link_mailed',
  requestMagicLink: 'user.link_mailed',
  requestMemberPasswordReset: 'member.password_reset_requested',
  requestPasswordReset: 'user.link_mailed',
  resendInvitation: 'invitation.sent',
  resetPassword: 'user.password_reset',
  resetUserMfa: 'mfa.reset',
  retryDelivery: 'webhook.delivery_retried',
  revokeApiKey: 'api_key.revoked',
  revokeInvitation: 'invitation.revoked',
  revokeMemberSessions: 'member.sessions_revoked',
  revokeOperator: 'operator.revoked',
  revokeOtherSessions: 'session.others_ended',
  revokeProjectAccess: 'project_access.revoked',
  revokeSession: 'session.ended',
  revokeUserSessions: 'user.sessions_revoked',
  rotateWebhookSecret: 'webhook.secret_rotated',
  setAvatar: 'user.updated',
  setNotificationPreferences: 'user.notifications_changed',
  signIn: 'session.refused',
  signInWithMagicLink: 'session.refused',
  signOut: 'session.ended',
  signUp: 'user.created',
  startAccessReview: 'access_review.started',
  startTotpEnrolment: 'mfa.factor_added',
  suspendMember: 'member.suspended',
  suspendOrganisation: 'organisation.suspended',
  suspendUser: 'user.suspended',
  switchOrganisation: 'session.switched',
  switchProject: 'session.switched',
  testWebhook: 'webhook.tested',
  unlockMember: 'member.unlocked',
  unlockUser: 'user.unlocked',
  updateApiKey: 'api_key.updated',
  updateMember: 'member.updated',
  updateMembers: 'member.updated',
  updateOrganisation: 'organisation.updated',
  updateOrganisationSettings: 'organisation.settings_updated',
  updatePlatformSettings: 'platform.settings_updated',
  updateProfile: 'user.updated',
  updateProject: 'project.updated',
  updateRole: 'role.updated',
  updateServiceAccount: 'service_account.updated',
  updateWebhook: 'webhook.updated',
  updateWorkflow: 'workflow.updated',
  verifyEmail: 'user.email_verified',
  verifyMfa: 'session.refused',
}

/** The mutation that does to one member what an action does to many. */
export const ALONE = {
  LOCK: 'lockMember',
  UNLOCK: 'unlockMember',
  SUSPEND: 'suspendMember',
  DEACTIVATE: 'deactivateMember',
  ACTIVATE: 'activateMember',
  REMOVE: 'removeMember',
  REVOKE_SESSIONS: 'revokeMemberSessions',
  RESEND_INVITATION: 'resendInvitation',
}

/** Acts on one's own account, or on other places: no business of the organisation in use. */
const ELSEWHERE = new Set([
  'acceptInvitation',
  'declineInvitation',
  'joinProject',
  'leaveOrganisation',
  'revokeOtherSessions',
  'switchOrganisation',
  'switchProject',
])
const OF_THE_ORGANISATION = new Set(['organisation.updated', 'organisation.settings_updated'])

const KINDS: Record<string, string> = {
  access_review: 'AccessReview',
  api_key: 'ApiKey',
  invitation: 'Invitation',
  member: 'Member',
  mfa: 'MfaFactor',
  operator: 'User',
  organisation: 'Organisation',
  project: 'Project',
  project_access: 'ProjectAccess',
  role: 'Role',
  service_account: 'ServiceAccount',
  session: 'Session',
  user: 'User',
  webhook: 'Webhook',
  workflow: 'Workflow',
}
/** What the id of some mutations names, where the topic says otherwise. */
const NAMED: Record<string, string> = {
  joinProject: 'Project',
  leaveOrganisation: 'Organisation',
  resetUserMfa: 'User',
  retryDelivery: 'WebhookDelivery',
  switchOrganisation: 'Organisation',
  switchProject: 'Project',
}

/** How the refusal of a mutation is told of. */
export interface RefusedAct {
  topic: TopicName
  /** Whether the organisation in use is where it would have happened. */
  here: boolean
  /** The type of what its `id` names. */
  kind: string | null
}

/**
 * @param args by these, some mutations are one act or another.
 * @returns null for what leaves no trace; undefined for a mutation that nobody has put down yet.
 */
export function refusedAct(
  mutation: string,
  args: Record<string, unknown> = {},
): RefusedAct | null | undefined {
  if (mutation === 'applyMemberAction' && 'action' in args)
    return refusedAct(ALONE[args.action as keyof typeof ALONE])
  const topic = ACTS[mutation]
  if (!topic) return topic
  const family = topic.split('.')[0]!
  const apart = /^(user|mfa|operator|platform|organisation)$/.test(family)
  return {
    topic,
    here: !ELSEWHERE.has(mutation) && (!apart || OF_THE_ORGANISATION.has(topic)),
    kind: NAMED[mutation] ?? KINDS[family] ?? null,
  }
}
