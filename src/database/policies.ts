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

/** Members that the role of the viewer shows, by the column that names them. */
export const shownBy = (column: string): string =>
  `(select app_visibility()) = 'ORGANISATION' or ${column} in (select app_visible_principals())`

/**
 * What lies inside one organisation and tells of a member: read, changed and deleted as far as the viewer's role shows
 * them. New rows need only be in the organisation, for whoever adds a member does not always see them.
 *
 * @param shown which rows those are, such as `shownBy('principal_id')`.
 */
export function memberPolicies(table: string, shown: string): Policy[] {
  const here = 'organisation_id = app_organisation()'
  const seen = `${here} and (${shown})`
  return [
    allow(table, 'tenant', seen, 'select'),
    allow(table, 'tenant', here, 'insert'),
    { ...allow(table, 'tenant', seen, 'update'), check: here },
    allow(table, 'tenant', seen, 'delete'),
    allow(table, 'system', 'true'),
  ]
}

/** A further policy by which oneself reads rows of a table, named after what they are. */
export const named = (what: string, table: string, rows: string): Policy => ({
  ...allow(table, 'self', rows, 'select'),
  name: `${table}_${what}`,
})
