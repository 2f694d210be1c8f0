import { asOperator } from '../../access/viewer.ts'
import type { Work } from '../../access/work.ts'
import { sql } from '../../database/sql.ts'
import { changesBetween, record } from '../../outbox/events/event.service.ts'
import { badInput } from '../../shared/errors.ts'
import { singleLine } from '../../shared/normalise.ts'
import { readPlatform, type PlatformRow } from './policy.ts'
import type { UpdatePlatformSettingsInput } from './policy.type.ts'
import { within, type Range } from './ranges.ts'
import { endWhatRanOut } from './session-end.ts'

const SECONDS_PER_MINUTE = 60
const LONGEST_ISSUER = 64

/** Changes the policies of the platform; for operators, as *operator*. */
export async function updatePlatformSettings(
  work: Work,
  input: UpdatePlatformSettingsInput,
): Promise<void> {
  asOperator(work.viewer)
  await work.db.rows(sql`select id from platform_settings for update`)
  await endWhatRanOut(work, null)
  const before = await readPlatform(work.db)
  const { password, session } = input
  const number = (value: number | null | undefined, kept: number, path: string[], range: Range) =>
    value == null ? kept : within(value, path, range)
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
      ${Math.max(1, Math.floor(SESSION_IDLE_SECONDS / SECONDS_PER_MINUTE))},
      ${Math.max(1, Math.floor(SESSION_LIFETIME_SECONDS / 3_600))}, 50, 5, 15, false, ${work.now})
    on conflict do nothing returning id`)
  return made.length > 0
}
