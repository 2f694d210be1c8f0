import { roleName, type DatabaseContext } from './context.ts'

type Command = 'select' | 'insert' | 'update' | 'delete' | 'all'

export interface Policy {
  name: string
  roles: string[]
  command: Command
  using?: string
  check?: string
}

/**
 * One row-level security policy of a table for one context. What may be read is also all that may be written.
 * `app_organisation()` and `app_user()` read the context and are null where it is unset.
 */
export function allow(
  table: string,
  role: DatabaseContext['role'],
  rows: string,
  command: Command = 'all',
): Policy {
  return {
    name: `${table}_${role}${command === 'all' ? '' : `_${command}`}`,
    roles: [roleName(role)],
    command,
    ...(command === 'insert' ? {} : { using: rows }),
    ...(command === 'select' || command === 'delete' ? {} : { check: rows }),
  }
}

/** What lies inside one organisation: its own requests and the system. */
export const tenantPolicies = (table: string): Policy[] => [
  allow(table, 'tenant', 'organisation_id = app_organisation()'),
  allow(table, 'system', 'true'),
]
