import { firstRow, sql, type Queries } from '../../database/sql.ts'
import type { PasswordRules } from './password.service.ts'

/** What makes a password acceptable for a person: the strictest of the platform and the organisations they entered. */
export async function passwordRulesOf(system: Queries, userId: string): Promise<PasswordRules> {
  const rules = await firstRow<PasswordRules>(
    system,
    sql`select greatest(t.password_min_length, max(o.password_min_length)) as "minLength"
      from platform_settings t
      left join principal m on m.user_id = ${userId} and m.entered_at is not null and m.removed_at is null
      left join organisation o on o.id = m.organisation_id and o.deleted_at is null
      group by t.password_min_length`,
  )
  if (!rules) throw new Error('The platform has no settings yet.')
  return rules
}
