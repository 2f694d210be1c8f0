import { isAdministrative } from '../../access/permissions.ts'
import { asOperator, must } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { columns } from '../../database/columns.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { badInput, forbidden } from '../../shared/errors.ts'
import { singleLine } from '../../shared/normalise.ts'
import { getAssignableRole } from '../roles/role.service.ts'
import { readDomains } from './domains.ts'
import type { UpdateOrganisationSettingsInput, UpdatePlatformSettingsInput } from './policy.type.ts'

const PLATFORM_FIELDS = [
  'mfaIssuer',
  'mfaEnabled',
  'mfaRequired',
  'passwordMinLength',
  'passwordBlockCommon',
  'passwordMinCharacterKinds',
  'sessionIdleMinutes',
  'sessionLifetimeHours',
  'sessionMaxPerUser',
  'failedSignInLimit',
  'failedSignInWindowMinutes',
  'organisationCreationOpen',
] as const

/** The policies of the platform, as stored. */
export interface PlatformRow {
  mfaIssuer: string
  mfaEnabled: boolean
  mfaRequired: boolean
  passwordMinLength: number
  passwordBlockCommon: boolean
  passwordMinCharacterKinds: number
  sessionIdleMinutes: number
  sessionLifetimeHours: number
  sessionMaxPerUser: number
  failedSignInLimit: number
  failedSignInWindowMinutes: number
  organisationCreationOpen: boolean
}

const ORGANISATION_POLICY_FIELDS = [
  'passwordMinLength',
  'passwordBlockCommon',
  'passwordMinCharacterKinds',
  'sessionIdleMinutes',
  'sessionLifetimeHours',
  'sessionMaxPerUser',
  'apiKeyMaxLifetimeDays',
  'apiKeySelfService',
  'signInMethods',
  'mfaRequired',
  'invitationLifetimeHours',
  'allowedEmailDomains',
  'defaultRoleId',
] as const

/** The policies of one organisation, as stored; null where it has none of its own. */
export interface OrganisationPolicyRow {
  passwordMinLength: number | null
  passwordBlockCommon: boolean | null
  passwordMinCharacterKinds: number | null
  sessionIdleMinutes: number | null
  sessionLifetimeHours: number | null
  sessionMaxPerUser: number | null
  apiKeyMaxLifetimeDays: number | null
  apiKeySelfService: boolean
  signInMethods: ('PASSWORD' | 'MAGIC_LINK')[]
  mfaRequired: boolean
  invitationLifetimeHours: number
  allowedEmailDomains: string[]
  defaultRoleId: string
}

/** Bounds of every number, inclusive. */
const RANGES = {
  minLength: [8, 128],
  minCharacterKinds: [0, 4],
  idleTimeoutMinutes: [1, 525_600],
  lifetimeHours: [1, 8_760],
  maxPerUser: [1, 1_000],
  maxLifetimeDays: [1, 3_650],
  invitationLifetimeHours: [1, 2_160],
  failedSignInLimit: [1, 100],
  failedSignInWindowMinutes: [1, 10_080],
} as const

const HOURS_PER_MINUTE = 60
const LONGEST_ISSUER = 64

export async function readPlatform(queries: Queries): Promise<PlatformRow> {
  const row = await firstRow<PlatformRow>(
    queries,
    sql`select ${columns('s', PLATFORM_FIELDS)} from platform_settings s`,
  )
  if (!row) throw new Error('The platform has no settings yet.')
  return row
}

export async function readOrganisationPolicy(
  queries: Queries,
  organisationId: string,
): Promise<OrganisationPolicyRow> {
  const row = await firstRow<OrganisationPolicyRow>(
    queries,
    sql`select ${columns('o', ORGANISATION_POLICY_FIELDS)} from organisation o where o.id = ${organisationId}`,
  )
  if (!row) throw new Error('The organisation could not be read.')
  return row
}

/** What holds in an organisation: the stricter of its own policy and the platform's. */
export function effectivePolicy(platform: PlatformRow, own: OrganisationPolicyRow) {
  const atLeast = (mine: number | null, all: number) => Math.max(mine ?? all, all)
  const atMost = (mine: number | null, all: number) => Math.min(mine ?? all, all)
  return {
    password: {
      minLength: atLeast(own.passwordMinLength, platform.passwordMinLength),
      blockCommon: own.passwordBlockCommon || platform.passwordBlockCommon,
      minCharacterKinds: atLeast(own.passwordMinCharacterKinds, platform.passwordMinCharacterKinds),
    },
    session: {
      idleTimeoutMinutes: atMost(own.sessionIdleMinutes, platform.sessionIdleMinutes),
      lifetimeHours: atMost(own.sessionLifetimeHours, platform.sessionLifetimeHours),
      maxPerUser: atMost(own.sessionMaxPerUser, platform.sessionMaxPerUser),
    },
    apiKey: { maxLifetimeDays: own.apiKeyMaxLifetimeDays, selfService: own.apiKeySelfService },
    signInMethods: own.signInMethods,
    mfaRequired: own.mfaRequired || (platform.mfaEnabled && platform.mfaRequired),
    invitationLifetimeHours: own.invitationLifetimeHours,
    allowedEmailDomains: own.allowedEmailDomains,
    defaultRoleId: own.defaultRoleId,
  }
}

export const platformView = (row: PlatformRow) => ({
  mfaIssuer: row.mfaIssuer,
  mfaEnabled: row.mfaEnabled,
  mfaRequired: row.mfaRequired,
  password: {
    minLength: row.passwordMinLength,
    blockCommon: row.passwordBlockCommon,
    minCharacterKinds: row.passwordMinCharacterKinds,
  },
  session: {
    idleTimeoutMinutes: row.sessionIdleMinutes,
    lifetimeHours: row.sessionLifetimeHours,
    maxPerUser: row.sessionMaxPerUser,
  },
  failedSignInLimit: row.failedSignInLimit,
  failedSignInWindowMinutes: row.failedSignInWindowMinutes,
  organisationCreationOpen: row.organisationCreationOpen,
})

/** Changes the policies of the organisation in use. Absent keeps; null clears, so that the platform's holds. */
export async function updateOrganisationSettings(
  work: Work,
  input: UpdateOrganisationSettingsInput,
): Promise<void> {
  const viewer = must(work.viewer, 'manageOrganisation')
  await work.db.rows(
    sql`select id from organisation where id = ${viewer.organisationId} for update`,
  )
  const before = await readOrganisationPolicy(work.db, viewer.organisationId)
  const number = (
    value: number | null | undefined,
    kept: number | null,
    path: string[],
    range: keyof typeof RANGES,
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
  const role = await getAssignableRole(work, viewer, id, 'ORGANISATION', null, [
    'input',
    'defaultRoleId',
  ])
  if (isAdministrative(role))
    throw forbidden('POLICY_FORBIDS', 'The default role cannot be an administrative one.')
  return role.id
}

/** Changes the policies of the platform; for operators, as *operator*. */
export async function updatePlatformSettings(
  work: Work,
  input: UpdatePlatformSettingsInput,
): Promise<void> {
  asOperator(work.viewer)
  await work.db.rows(sql`select id from platform_settings for update`)
  const before = await readPlatform(work.db)
  const { password, session } = input
  const number = (
    value: number | null | undefined,
    kept: number,
    path: string[],
    range: keyof typeof RANGES,
  ) => (value == null ? kept : within(value, path, range))
  const after: PlatformRow = {
    mfaIssuer: input.mfaIssuer == null ? before.mfaIssuer : readIssuer(input.mfaIssuer),
    mfaEnabled: input.mfaEnabled ?? before.mfaEnabled,
    mfaRequired: input.mfaRequired ?? before.mfaRequired,
    passwordMinLength: number(
      password?.minLength,
      before.passwordMinLength,
      ['password', 'minLength'],
      'minLength',
    ),
    passwordBlockCommon: password?.blockCommon ?? before.passwordBlockCommon,
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
    failedSignInLimit: number(
      input.failedSignInLimit,
      before.failedSignInLimit,
      ['failedSignInLimit'],
      'failedSignInLimit',
    ),
    failedSignInWindowMinutes: number(
      input.failedSignInWindowMinutes,
      before.failedSignInWindowMinutes,
      ['failedSignInWindowMinutes'],
      'failedSignInWindowMinutes',
    ),
    organisationCreationOpen: input.organisationCreationOpen ?? before.organisationCreationOpen,
  }
  await work.db.rows(sql`
    update platform_settings set mfa_issuer = ${after.mfaIssuer}, mfa_enabled = ${after.mfaEnabled},
      mfa_required = ${after.mfaRequired}, password_min_length = ${after.passwordMinLength},
      password_block_common = ${after.passwordBlockCommon}, password_min_character_kinds = ${after.passwordMinCharacterKinds},
      session_idle_minutes = ${after.sessionIdleMinutes}, session_lifetime_hours = ${after.sessionLifetimeHours},
      session_max_per_user = ${after.sessionMaxPerUser}, failed_sign_in_limit = ${after.failedSignInLimit},
      failed_sign_in_window_minutes = ${after.failedSignInWindowMinutes},
      organisation_creation_open = ${after.organisationCreationOpen}, updated_at = ${work.now}`)
  await record(work, 'platform.settings_updated', {
    organisationId: null,
    changes: changesBetween(before, after),
  })
}

function readIssuer(text: string): string {
  const line = singleLine(text)
  if (!line || line.length > LONGEST_ISSUER || line.includes(':'))
    throw badInput(
      ['input', 'mfaIssuer'],
      'INVALID_FORMAT',
      `An issuer is one line of at most ${LONGEST_ISSUER} characters, without a colon.`,
    )
  return line
}

function within(value: number, path: string[], range: keyof typeof RANGES): number {
  const [least, most] = RANGES[range]
  if (value < least || value > most)
    throw badInput(
      ['input', ...path],
      'OUT_OF_RANGE',
      `\`${path.join('.')}\` takes ${least} to ${most}.`,
    )
  return value
}

/** The platform's first settings; false where it has some already. */
export async function createPlatformSettings(
  work: Work,
  passwordMinLength: number,
): Promise<boolean> {
  const { SESSION_IDLE_SECONDS, SESSION_LIFETIME_SECONDS } = work.server.config
  const made = await work.db.rows(sql`
    insert into platform_settings (id, mfa_issuer, mfa_enabled, mfa_required, password_min_length, password_block_common,
      password_min_character_kinds, session_idle_minutes, session_lifetime_hours, session_max_per_user,
      failed_sign_in_limit, failed_sign_in_window_minutes, organisation_creation_open, updated_at)
    values (1, 'Gatehouse', true, false, ${passwordMinLength}, true, 0,
      ${Math.max(1, Math.floor(SESSION_IDLE_SECONDS / HOURS_PER_MINUTE))},
      ${Math.max(1, Math.floor(SESSION_LIFETIME_SECONDS / 3_600))}, 50, 5, 15, false, ${work.now})
    on conflict do nothing returning id`)
  return made.length > 0
}
