import { firstRow, sql, type Queries } from '../../database/sql.ts'
import type { PasswordRules } from './password.service.ts'

/** Whose password it will be, as far as that is known. */
export interface PasswordOwner {
  userId?: string | null
  /** The organisation that they are about to enter. */
  organisationId?: string | null
  /** Names and addresses as just typed. */
  about?: readonly string[]
}

interface RulesRow {
  minLength: number
  blockCommon: boolean
  minCharacterKinds: number
  issuer: string
  organisations: string[] | null
  person: string[] | null
}

/**
 * What makes a password acceptable for a person: the strictest of the platform and of the organisations that they
 * have entered or are about to; as *system*.
 */
export async function readPasswordRules(
  system: Queries,
  { userId = null, organisationId = null, about = [] }: PasswordOwner,
): Promise<PasswordRules> {
  const row = await firstRow<RulesRow>(
    system,
    sql`select greatest(t.password_min_length, max(o.password_min_length)) as "minLength",
        t.password_block_common or coalesce(bool_or(o.password_block_common), false) as "blockCommon",
        greatest(t.password_min_character_kinds, max(o.password_min_character_kinds)) as "minCharacterKinds",
        t.mfa_issuer as issuer, array_agg(o.name) filter (where o.name is not null) as organisations,
        (select array[u.email, u.first_name, u.last_name] from user_account u where u.id = ${userId}) as person
      from platform_settings t
      left join organisation o on o.deleted_at is null and (o.id = ${organisationId} or o.id in (
        select m.organisation_id from principal m
        where m.user_id = ${userId} and m.entered_at is not null and m.removed_at is null))
      group by t.password_min_length, t.password_block_common, t.password_min_character_kinds, t.mfa_issuer`,
  )
  if (!row) throw new Error('The platform has no settings yet.')
  const { issuer, organisations, person, ...rules } = row
  return { ...rules, about: [...about, ...(person ?? []), ...(organisations ?? []), issuer] }
}
