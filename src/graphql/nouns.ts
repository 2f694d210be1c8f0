import type { NonEmptyArray } from 'type-graphql'
import type { Rules } from '../access/rules.ts'
import { AvatarResolver } from '../accounts/avatars/avatar.resolver.ts'
import { avatarRules } from '../accounts/avatars/avatar.rules.ts'
import { NotificationResolver } from '../accounts/notifications/notification.resolver.ts'
import { notificationRules } from '../accounts/notifications/notification.rules.ts'
import { UserResolver } from '../accounts/users/user.resolver.ts'
import { userRules } from '../accounts/users/user.rules.ts'
import { ViewerResolver } from '../credentials/callers/viewer.resolver.ts'
import { viewerRules } from '../credentials/callers/viewer.rules.ts'
import {
  MemberSessionsResolver,
  OrganisationSessionsResolver,
  SessionResolver,
  UserSessionsResolver,
} from '../credentials/sessions/session.resolver.ts'
import { sessionRules } from '../credentials/sessions/session.rules.ts'
import { AccountDeletionResolver } from '../flows/account-deletion/account-deletion.resolver.ts'
import { accountDeletionRules } from '../flows/account-deletion/account-deletion.rules.ts'
import { MfaActsResolver, MfaResolver, UserMfaResolver } from '../credentials/totp/mfa.resolver.ts'
import { mfaRules } from '../credentials/totp/mfa.rules.ts'
import { FoundingResolver } from '../flows/founding/founding.resolver.ts'
import { foundingRules } from '../flows/founding/founding.rules.ts'
import {
  InvitationResolver,
  MemberInvitationResolver,
  OrganisationInvitationsResolver,
  UserInvitationsResolver,
} from '../flows/invitations/invitation.resolver.ts'
import { invitationRules } from '../flows/invitations/invitation.rules.ts'
import { MemberActsResolver } from '../flows/members/members.resolver.ts'
import { memberActRules } from '../flows/members/members.rules.ts'
import { EmailChangeResolver } from '../flows/email-change/email-change.resolver.ts'
import { emailChangeRules } from '../flows/email-change/email-change.rules.ts'
import { LoginEditResolver } from '../flows/email-change/login-edit.resolver.ts'
import { EmailVerificationResolver } from '../flows/email-verification/email-verification.resolver.ts'
import { emailVerificationRules } from '../flows/email-verification/email-verification.rules.ts'
import { MagicLinkResolver } from '../flows/magic-links/magic-link.resolver.ts'
import { magicLinkRules } from '../flows/magic-links/magic-link.rules.ts'
import { PasswordChangeResolver } from '../flows/password-change/password-change.resolver.ts'
import { passwordChangeRules } from '../flows/password-change/password-change.rules.ts'
import { RegistrationResolver } from '../flows/registration/registration.resolver.ts'
import { registrationRules } from '../flows/registration/registration.rules.ts'
import { PasswordResetResolver } from '../flows/password-reset/password-reset.resolver.ts'
import { passwordResetRules } from '../flows/password-reset/password-reset.rules.ts'
import { ProfileResolver } from '../flows/profile/profile.resolver.ts'
import { profileRules } from '../flows/profile/profile.rules.ts'
import { SignInResolver } from '../flows/sign-in/sign-in.resolver.ts'
import { signInRules } from '../flows/sign-in/sign-in.rules.ts'
import {
  ApiKeyResolver,
  OrganisationKeysResolver,
  PrincipalKeysResolver,
  UserKeysResolver,
} from '../credentials/api-keys/api-key.resolver.ts'
import { apiKeyRules } from '../credentials/api-keys/api-key.rules.ts'
import {
  OrganisationServiceAccountsResolver,
  ServiceAccountResolver,
} from '../credentials/service-accounts/service-account.resolver.ts'
import { serviceAccountRules } from '../credentials/service-accounts/service-account.rules.ts'
import { MemberStatesResolver } from '../flows/members/member-states.resolver.ts'
import { OperatorOrganisationsResolver } from '../flows/operators/operator-organisations.resolver.ts'
import { OperatorUsersResolver } from '../flows/operators/operator-users.resolver.ts'
import { operatorRules } from '../flows/operators/operator.rules.ts'
import { BulkResolver } from '../operations/bulk/bulk.resolver.ts'
import { bulkRules } from '../operations/bulk/bulk.rules.ts'
import {
  AccessReviewItemResolver,
  AccessReviewResolver,
  OrganisationAccessReviewsResolver,
} from '../operations/access-reviews/access-review.resolver.ts'
import { accessReviewRules } from '../operations/access-reviews/access-review.rules.ts'
import {
  AuditResolver,
  OrganisationAuditResolver,
  PlatformAuditResolver,
} from '../operations/audit/audit.resolver.ts'
import { auditRules } from '../operations/audit/audit.rules.ts'
import { NodeResolver } from '../operations/nodes/node.resolver.ts'
import { nodeRules } from '../operations/nodes/node.rules.ts'
import { PlatformListsResolver } from '../operations/platform/platform.resolver.ts'
import { platformRules } from '../operations/platform/platform.rules.ts'
import {
  OrganisationWebhooksResolver,
  WebhookDeliveryResolver,
  WebhookResolver,
} from '../operations/webhooks/webhook.resolver.ts'
import { webhookRules } from '../operations/webhooks/webhook.rules.ts'
import {
  AssignRoleStepResolver,
  CallWebhookStepResolver,
  GrantProjectAccessStepResolver,
} from '../operations/workflows/step.resolver.ts'
import {
  OrganisationWorkflowsResolver,
  WorkflowResolver,
  WorkflowRunResolver,
} from '../operations/workflows/workflow.resolver.ts'
import { workflowRules } from '../operations/workflows/workflow.rules.ts'
import { ProjectActsResolver } from '../tenancy/projects/project-acts.resolver.ts'
import { RoleActsResolver } from '../tenancy/roles/role-acts.resolver.ts'
import {
  MemberResolver,
  OrganisationMembersResolver,
  ProjectAccessPrincipalResolver,
  UserMembershipsResolver,
} from '../tenancy/memberships/member.resolver.ts'
import { memberRules } from '../tenancy/memberships/member.rules.ts'
import { PrincipalResolver } from '../tenancy/memberships/principal.resolver.ts'
import { NotificationOrganisationResolver } from '../tenancy/organisations/notification-organisation.resolver.ts'
import { OrganisationResolver } from '../tenancy/organisations/organisation.resolver.ts'
import { organisationRules } from '../tenancy/organisations/organisation.rules.ts'
import {
  OrganisationPolicyResolver,
  OrganisationSettingsResolver,
  PlatformResolver,
} from '../tenancy/policies/policy.resolver.ts'
import { policyRules } from '../tenancy/policies/policy.rules.ts'
import {
  OrganisationProjectsResolver,
  ProjectAccessResolver,
  ProjectResolver,
  RegistrationPolicyResolver,
} from '../tenancy/projects/project.resolver.ts'
import { projectRules } from '../tenancy/projects/project.rules.ts'
import { OrganisationRolesResolver, RoleResolver } from '../tenancy/roles/role.resolver.ts'
import { roleRules } from '../tenancy/roles/role.rules.ts'

/** Every class that resolves fields. */
export const RESOLVERS: NonEmptyArray<Function> = [
  AccessReviewItemResolver,
  AccessReviewResolver,
  AccountDeletionResolver,
  ApiKeyResolver,
  AssignRoleStepResolver,
  AuditResolver,
  EmailChangeResolver,
  EmailVerificationResolver,
  AvatarResolver,
  BulkResolver,
  CallWebhookStepResolver,
  FoundingResolver,
  GrantProjectAccessStepResolver,
  InvitationResolver,
  LoginEditResolver,
  MagicLinkResolver,
  MemberActsResolver,
  MemberInvitationResolver,
  MemberResolver,
  MemberSessionsResolver,
  MemberStatesResolver,
  MfaActsResolver,
  MfaResolver,
  NodeResolver,
  NotificationOrganisationResolver,
  NotificationResolver,
  OrganisationAccessReviewsResolver,
  OperatorOrganisationsResolver,
  OperatorUsersResolver,
  OrganisationAuditResolver,
  OrganisationInvitationsResolver,
  OrganisationKeysResolver,
  OrganisationMembersResolver,
  OrganisationPolicyResolver,
  OrganisationProjectsResolver,
  OrganisationResolver,
  OrganisationRolesResolver,
  OrganisationServiceAccountsResolver,
  OrganisationSessionsResolver,
  OrganisationSettingsResolver,
  OrganisationWebhooksResolver,
  OrganisationWorkflowsResolver,
  PasswordChangeResolver,
  PasswordResetResolver,
  PlatformAuditResolver,
  PlatformListsResolver,
  PlatformResolver,
  PrincipalKeysResolver,
  PrincipalResolver,
  ProfileResolver,
  ProjectAccessPrincipalResolver,
  ProjectAccessResolver,
  ProjectActsResolver,
  ProjectResolver,
  RegistrationPolicyResolver,
  RegistrationResolver,
  RoleActsResolver,
  RoleResolver,
  ServiceAccountResolver,
  SessionResolver,
  SignInResolver,
  UserInvitationsResolver,
  UserKeysResolver,
  UserMembershipsResolver,
  UserMfaResolver,
  UserResolver,
  UserSessionsResolver,
  ViewerResolver,
  WebhookDeliveryResolver,
  WebhookResolver,
  WorkflowResolver,
  WorkflowRunResolver,
]

/** The doors of every noun. */
export const ALL_RULES: Rules[] = [
  accessReviewRules,
  accountDeletionRules,
  apiKeyRules,
  auditRules,
  emailChangeRules,
  emailVerificationRules,
  avatarRules,
  bulkRules,
  foundingRules,
  invitationRules,
  magicLinkRules,
  memberActRules,
  memberRules,
  mfaRules,
  nodeRules,
  notificationRules,
  operatorRules,
  organisationRules,
  passwordChangeRules,
  passwordResetRules,
  platformRules,
  profileRules,
  policyRules,
  projectRules,
  registrationRules,
  roleRules,
  serviceAccountRules,
  sessionRules,
  signInRules,
  userRules,
  viewerRules,
  webhookRules,
  workflowRules,
]
