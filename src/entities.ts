import { AvatarImageEntity } from './accounts/avatars/avatar-image.entity.ts'
import { AvatarUploadEntity } from './accounts/avatars/avatar-upload.entity.ts'
import { NotificationDigestEntity } from './accounts/notifications/notification-digest.entity.ts'
import { NotificationPreferenceEntity } from './accounts/notifications/notification-preference.entity.ts'
import { NotificationEntity } from './accounts/notifications/notification.entity.ts'
import { UserWordEntity } from './accounts/users/user-word.entity.ts'
import { UserEntity } from './accounts/users/user.entity.ts'
import { ApiKeyProjectEntity } from './credentials/api-keys/api-key-project.entity.ts'
import { ApiKeyEntity } from './credentials/api-keys/api-key.entity.ts'
import { ChallengeEntity } from './credentials/challenges/challenge.entity.ts'
import { LinkEntity } from './credentials/links/link.entity.ts'
import { RecoveryCodeEntity } from './credentials/recovery-codes/recovery-code.entity.ts'
import { SessionEntity } from './credentials/sessions/session.entity.ts'
import { SightingEntity } from './credentials/sessions/sighting.entity.ts'
import { SigningKeyEntity } from './credentials/signing-keys/signing-key.entity.ts'
import { AttemptEntity } from './credentials/throttle/attempt.entity.ts'
import { TotpFactorEntity } from './credentials/totp/totp-factor.entity.ts'
import { InvitationEntity } from './flows/invitations/invitation.entity.ts'
import { AccessReviewItemEntity } from './operations/access-reviews/access-review-item.entity.ts'
import { AccessReviewEntity } from './operations/access-reviews/access-review.entity.ts'
import { WebhookDeliveryEntity } from './operations/webhooks/delivery.entity.ts'
import { WebhookEntity } from './operations/webhooks/webhook.entity.ts'
import {
  EventChainEntity,
  EventSealEntity,
  EventUnsealedEntity,
} from './outbox/events/chain.entity.ts'
import { EventPersonEntity } from './outbox/events/event-person.entity.ts'
import { WorkflowRunEntity } from './operations/workflows/run.entity.ts'
import { WorkflowStepEntity } from './operations/workflows/step.entity.ts'
import { WorkflowEntity } from './operations/workflows/workflow.entity.ts'
import { EventEntity } from './outbox/events/event.entity.ts'
import { MemberWordEntity } from './tenancy/memberships/member-word.entity.ts'
import { PrincipalEntity } from './tenancy/memberships/principal.entity.ts'
import { IdempotencyEntity, IdempotencyStepEntity } from './graphql/idempotency.entity.ts'
import { OrganisationWordEntity } from './tenancy/organisations/organisation-word.entity.ts'
import { OrganisationEntity } from './tenancy/organisations/organisation.entity.ts'
import { PlatformSettingsEntity } from './tenancy/policies/platform-settings.entity.ts'
import { ProjectAccessEntity } from './tenancy/projects/project-access.entity.ts'
import { ProjectEntity } from './tenancy/projects/project.entity.ts'
import { PermissionEntity } from './tenancy/roles/permission.entity.ts'
import { RoleEntity } from './tenancy/roles/role.entity.ts'

/** Every row class. */
export const entities = [
  AccessReviewEntity,
  AccessReviewItemEntity,
  ApiKeyEntity,
  ApiKeyProjectEntity,
  AttemptEntity,
  AvatarImageEntity,
  AvatarUploadEntity,
  ChallengeEntity,
  EventChainEntity,
  EventEntity,
  EventPersonEntity,
  EventSealEntity,
  EventUnsealedEntity,
  IdempotencyEntity,
  IdempotencyStepEntity,
  InvitationEntity,
  LinkEntity,
  MemberWordEntity,
  NotificationDigestEntity,
  NotificationEntity,
  NotificationPreferenceEntity,
  OrganisationEntity,
  OrganisationWordEntity,
  PermissionEntity,
  PlatformSettingsEntity,
  PrincipalEntity,
  ProjectAccessEntity,
  ProjectEntity,
  RecoveryCodeEntity,
  RoleEntity,
  SessionEntity,
  SightingEntity,
  SigningKeyEntity,
  TotpFactorEntity,
  UserEntity,
  UserWordEntity,
  WebhookDeliveryEntity,
  WebhookEntity,
  WorkflowEntity,
  WorkflowRunEntity,
  WorkflowStepEntity,
]
