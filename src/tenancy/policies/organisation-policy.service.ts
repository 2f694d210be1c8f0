import { isAdministrative } from '../../access/permissions.ts'
import { must } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { badInput, forbidden } from '../../shared/errors.ts'
import { getAssignableRole } from '../roles/role.service.ts'
import { readDomains } from './domains.ts'
import { readOrganisationPolicy, type OrganisationPolicyRow } from './policy.ts'
import type { UpdateOrganisationSettingsInput } from './policy.type.ts'
import { within, type Range } from './ranges.ts'
import { endWhatRanOut } from './session-end.ts'

/** Changes the policies of the organisation in use. Absent keeps; null clears, so that the platform's holds. */
export async function updateOrganisationSettings(
  work: Work,
  input: UpdateOrganisationSettingsInput,
): Promise<void> {
  const viewer = must(work.viewer, 'manageOrganisation')
  await work.db.rows(
    sql`select id from organisation where id = ${viewer.organisationId} for no key update`,
  )
  await endWhatRanOut(work, viewer.organisationId)
  const before = await readOrganisationPolicy(work.db, viewer.organisationId)
  const number = (
    value: number | null | undefined,
    kept: number | null,
    path: string[],
    range: Range,
  ) => (value === undefined ? kept : value === null ? null : within(value, path, range))
  const { password, session, apiKey } = input
  const after: OrganisationPolicyRow = {
    passwordMinLength: number(
      password?.minLength,
      before.passwordMinLength,
      ['password', 'minLength'],
      'minLength',
    ),
    passwordBlockCommon:
      password?.blockCommon === undefined ? before.passwordBlockCommon : password.blockCommon,
    passwordMinCharacterKinds: number(
      password?.minCharacterKinds,
      before.passwordMinCharacterKinds,
      ['password', 'minCharacterKinds'],
      'minCharacterKinds',
    ),
    sessionIdleMinutes: number(
      session?.idleTimeoutMinutes,
      before.sessionIdleMinutes,
      ['session', 'idleTimeoutMinutes'],
      'idleTimeoutMinutes',
    ),
    sessionLifetimeHours: number(
      session?.lifetimeHours,
      before.sessionLifetimeHours,
      ['session', 'lifetimeHours'],
      'lifetimeHours',
    ),
    sessionMaxPerUser: number(
      session?.maxPerUser,
      before.sessionMaxPerUser,
      ['session', 'maxPerUser'],
      'maxPerUser',
    ),
    apiKeyMaxLifetimeDays: number(
      apiKey?.maxLifetimeDays,
      before.apiKeyMaxLifetimeDays,
      ['apiKey', 'maxLifetimeDays'],
      'maxLifetimeDays',
    ),
    apiKeySelfService: apiKey?.selfService ?? before.apiKeySelfService,
    signInMethods: readMethods(input.signInMethods, before.signInMethods),
    mfaRequired: input.mfaRequired ?? before.mfaRequired,
    invitationLifetimeHours:
      input.invitationLifetimeHours == null
        ? before.invitationLifetimeHours
        : within(
            input.invitationLifetimeHours,
            ['invitationLifetimeHours'],
            'invitationLifetimeHours',
          ),
    allowedEmailDomains:
      input.allowedEmailDomains === undefined
        ? before.allowedEmailDomains
        : readDomains(input.allowedEmailDomains ?? [], ['input', 'allowedEmailDomains']),
    defaultRoleId: input.defaultRoleId
      ? await harmlessRole(work, input.defaultRoleId)
      : before.defaultRoleId,
  }
  await work.db.rows(sql`
    update organisation set password_min_length = ${after.passwordMinLength}, password_block_common = ${after.passwordBlockCommon},
      password_min_character_kinds = ${after.passwordMinCharacterKinds}, session_idle_minutes = ${after.sessionIdleMinutes},
      session_lifetime_hours = ${after.sessionLifetimeHours}, session_max_per_user = ${after.sessionMaxPerUser},
      api_key_max_lifetime_days = ${after.apiKeyMaxLifetimeDays}, api_key_self_service = ${after.apiKeySelfService},
      sign_in_methods = ${after.signInMethods}::text[], mfa_required = ${after.mfaRequired},
      invitation_lifetime_hours = ${after.invitationLifetimeHours}, allowed_email_domains = ${after.allowedEmailDomains}::text[],
      default_role_id = ${after.defaultRoleId}, updated_at = ${work.now}
    where id = ${viewer.organisationId}`)
  await record(work, 'organisation.settings_updated', {
    organisationId: viewer.organisationId,
    target: { kind: 'Organisation', id: viewer.organisationId },
    changes: changesBetween(before, after),
  })
}

function readMethods(
  given: UpdateOrganisationSettingsInput['signInMethods'],
  kept: OrganisationPolicyRow['signInMethods'],
) {
  if (given == null) return kept
  if (!given.length)
    throw badInput(
      ['input', 'signInMethods'],
      'REQUIRED',
      'At least one way to sign in must remain.',
    )
  return [...new Set(given)].toSorted()
}

async function harmlessRole(work: Work, id: string): Promise<string> {
  const viewer = must(work.viewer, 'manageOrganisation')
  const path = ['input', 'defaultRoleId']
  const role = await getAssignableRole(work, viewer, id, 'ORGANISATION', null, path)
  if (isAdministrative(role))
    throw forbidden('POLICY_FORBIDS', 'The default role cannot be an administrative one.', path)
  return role.id
}
