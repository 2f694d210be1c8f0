import { columns } from '../../database/columns.ts'
import { firstRow, sql, type Queries } from '../../database/sql.ts'

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

/** What `PlatformRow` is read from: table `s`. */
export const PLATFORM_COLUMNS = columns('s', PLATFORM_FIELDS)

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

export async function readPlatform(queries: Queries): Promise<PlatformRow> {
  const row = await firstRow<PlatformRow>(
    queries,
    sql`select ${PLATFORM_COLUMNS} from platform_settings s`,
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
