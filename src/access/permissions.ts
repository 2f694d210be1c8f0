export type AccessLevel = 'ORGANISATION' | 'PROJECT'

/** One thing that can be allowed. */
export interface PermissionInfo {
  name: string
  description: string
  level: AccessLevel
  builtIn: boolean
}

const organisation = (name: string, description: string): PermissionInfo => ({
  name,
  description,
  level: 'ORGANISATION',
  builtIn: true,
})

/** The permissions that this server itself enforces. */
export const BUILT_IN: readonly PermissionInfo[] = [
  organisation('viewUser', 'See the members of the organisation.'),
  organisation(
    'manageUser',
    'Add, invite, change, bar and remove members, and end their sessions.',
  ),
  organisation(
    'manageServiceAccount',
    'Create, change and delete service accounts and their keys.',
  ),
  organisation('manageRole', 'Define roles and permissions.'),
  organisation('manageProject', 'Create, change and delete projects, and say who may enter them.'),
  organisation('manageOrganisation', 'Change the name and the policies of the organisation.'),
  organisation('manageIntegration', 'Set up webhooks and workflows.'),
  organisation('viewAudit', 'Read what happened in the organisation.'),
  organisation('reviewAccess', 'Run access reviews.'),
  {
    name: 'manageProjectAccess',
    description: 'Say who may enter the project, and as what.',
    level: 'PROJECT',
    builtIn: true,
  },
]

export type Permission =
  | 'viewUser'
  | 'manageUser'
  | 'manageServiceAccount'
  | 'manageRole'
  | 'manageProject'
  | 'manageOrganisation'
  | 'manageIntegration'
  | 'viewAudit'
  | 'reviewAccess'
  | 'manageProjectAccess'

const IMPLIED: Record<string, string[]> = { manageUser: ['viewUser'] }

const all = (level: AccessLevel) =>
  new Set(BUILT_IN.filter(each => each.level === level).map(each => each.name))
const EVERYTHING: Record<AccessLevel, ReadonlySet<string>> = {
  ORGANISATION: all('ORGANISATION'),
  PROJECT: all('PROJECT'),
}

/** What a role grants on its level, with what that implies. The Administrator's is computed: everything. */
export function granted(role: {
  builtIn: boolean
  level: AccessLevel
  permissions: string[]
}): ReadonlySet<string> {
  if (role.builtIn) return EVERYTHING[role.level]
  return new Set(role.permissions.flatMap(name => [name, ...(IMPLIED[name] ?? [])]))
}

/** Everything on one level: what the Administrator holds there. */
export const everything = (level: AccessLevel): ReadonlySet<string> => EVERYTHING[level]

/** The catalogue entries of some names, in the catalogue's order. */
export const describe = (names: ReadonlySet<string>): PermissionInfo[] =>
  BUILT_IN.filter(each => names.has(each.name))

/** The permission that makes a principal one whom only their like may act on. */
export const contains = (own: ReadonlySet<string>, other: Iterable<string>): boolean => {
  for (const name of other) if (!own.has(name)) return false
  return true
}
