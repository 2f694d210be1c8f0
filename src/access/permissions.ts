export type AccessLevel = 'ORGANISATION' | 'PROJECT'

/** One thing that can be allowed. */
export interface PermissionInfo {
  name: string
  description: string
  level: AccessLevel
  builtIn: boolean
}

const ON_ORGANISATIONS = {
  viewUser: 'See the members of the organisation.',
  manageUser: 'Add, invite, change, bar and remove members, and end their sessions.',
  manageServiceAccount: 'Create, change and delete service accounts and their keys.',
  manageRole: 'Define roles and permissions.',
  manageProject: 'Create, change and delete projects, and say who may enter them.',
  manageOrganisation: 'Change the name and the policies of the organisation.',
  manageIntegration: 'Set up webhooks and workflows.',
  viewAudit: 'Read what happened in the organisation.',
  reviewAccess: 'Run access reviews.',
}
const IN_PROJECTS = {
  manageProjectAccess: 'Say who may enter the project, and as what.',
}

export type Permission = keyof typeof ON_ORGANISATIONS | keyof typeof IN_PROJECTS

const builtIn = (level: AccessLevel, described: Record<string, string>): PermissionInfo[] =>
  Object.entries(described).map(([name, description]) => ({
    name,
    description,
    level,
    builtIn: true,
  }))

/** The permissions that this server itself enforces. */
export const BUILT_IN: readonly PermissionInfo[] = [
  ...builtIn('ORGANISATION', ON_ORGANISATIONS),
  ...builtIn('PROJECT', IN_PROJECTS),
]

const IMPLIED: Record<string, string[]> = { manageUser: ['viewUser'] }

const all = (level: AccessLevel) =>
  new Set(BUILT_IN.filter(each => each.level === level).map(each => each.name))
const EVERYTHING: Record<AccessLevel, ReadonlySet<string>> = {
  ORGANISATION: all('ORGANISATION'),
  PROJECT: all('PROJECT'),
}

/** What decides about a role's reach. */
interface RoleGrant {
  builtIn: boolean
  level: AccessLevel
  permissions: readonly string[]
}

/** Permissions with what they imply. */
export const withImplied = (names: Iterable<string>): ReadonlySet<string> =>
  new Set([...names].flatMap(name => [name, ...(IMPLIED[name] ?? [])]))

/**
 * What a role grants on its level, with what that implies. The Administrator's is computed: everything.
 *
 * @param own permissions that the organisation has defined itself.
 */
export const granted = (role: RoleGrant, own: readonly PermissionInfo[]): ReadonlySet<string> =>
  role.builtIn ? everything(role.level, own) : withImplied(role.permissions)

/** Everything on one level: what the Administrator holds there. */
export function everything(
  level: AccessLevel,
  own: readonly PermissionInfo[],
): ReadonlySet<string> {
  if (!own.length) return EVERYTHING[level]
  return new Set([
    ...EVERYTHING[level],
    ...own.filter(each => each.level === level).map(each => each.name),
  ])
}

/** Everything a role can hold: what this server enforces, and what the organisation has defined. */
export const catalogue = (own: readonly PermissionInfo[]): readonly PermissionInfo[] =>
  own.length ? [...BUILT_IN, ...own] : BUILT_IN

/** The catalogue entries of some names, in the catalogue's order. */
export const describe = (
  names: ReadonlySet<string>,
  own: readonly PermissionInfo[],
): PermissionInfo[] => catalogue(own).filter(each => names.has(each.name))

/** Whether everything that a role lists lies within `own`. */
export function isContained(role: RoleGrant, own: ReadonlySet<string>): boolean {
  for (const name of withImplied(role.permissions)) if (!own.has(name)) return false
  return true
}

/** What this server itself guards, beyond seeing people. */
export const ADMINISTRATIVE: readonly string[] = BUILT_IN.map(each => each.name).filter(
  name => name !== 'viewUser',
)

/** Whether a role holds anything of that. */
export const isAdministrative = (role: RoleGrant): boolean =>
  role.builtIn || role.permissions.some(name => ADMINISTRATIVE.includes(name))
