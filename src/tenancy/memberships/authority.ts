import { everything, granted } from '../../access/permissions.ts'
import { certain } from '../../database/loader.ts'
import { isId } from '../../shared/tokens.ts'
import type { createProjectLoaders } from '../projects/project.loaders.ts'
import type { createRoleLoaders } from '../roles/role.loaders.ts'
import type { createMemberLoaders } from './member.loaders.ts'

/** Who holds a role in an organisation. */
export interface Holder {
  id: string
  organisationId: string
  roleId: string
}

type AuthorityLoaders = ReturnType<typeof createRoleLoaders> &
  ReturnType<typeof createProjectLoaders> &
  ReturnType<typeof createMemberLoaders>

/** Everything a principal holds: on the organisation, and in a project where one is named. */
export async function permissionsOf(
  loaders: AuthorityLoaders,
  { id, organisationId, roleId }: Holder,
  projectId: string | null,
): Promise<{ names: Set<string>; inProject: ReadonlySet<string> }> {
  const own = await loaders.ownCatalogue.load(organisationId)
  const role = await certain(loaders.role.load({ organisationId, id: roleId }))
  const names = new Set(granted(role, own))
  const project =
    projectId && isId(projectId)
      ? await loaders.project.load({ organisationId, id: projectId })
      : null
  if (!project || project.deletedAt) return { names, inProject: new Set() }
  if (role.builtIn) return { names, inProject: everything('PROJECT', own) }
  const held = await loaders.projectRole.load({
    organisationId,
    principalId: id,
    projectId: project.id,
  })
  const projectRole = held ? await loaders.role.load({ organisationId, id: held }) : null
  return { names, inProject: projectRole ? granted(projectRole, own) : new Set() }
}
