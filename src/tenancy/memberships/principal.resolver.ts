import { Arg, Args, Ctx, FieldResolver, ID, Resolver, Root } from 'type-graphql'
import { describe, everything, granted, type PermissionInfo } from '../../access/permissions.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { isId } from '../../shared/tokens.ts'
import { Organisation } from '../organisations/organisation.type.ts'
import { listProjectAccess } from '../projects/project.list.ts'
import { ProjectAccessConnection } from '../projects/project.type.ts'
import { Permission, Role } from '../roles/role.type.ts'
import { Principal } from './member.type.ts'

interface PrincipalRow {
  id: string
  organisationId: string
  roleId: string
}

/** What members and service accounts have in common. */
@Resolver(() => Principal)
export class PrincipalResolver {
  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId }: PrincipalRow, @Ctx() { loaders }: Context) {
    return certain(loaders.organisation.load({ organisationId, id: organisationId }))
  }

  @FieldResolver(() => Role)
  role(@Root() { organisationId, roleId }: PrincipalRow, @Ctx() { loaders }: Context) {
    return certain(loaders.role.load({ organisationId, id: roleId }))
  }

  @FieldResolver(() => [Permission], {
    description: 'Everything the role grants, with the project role added when a project is named.',
  })
  async permissions(
    @Root() { id, organisationId, roleId }: PrincipalRow,
    @Ctx() { loaders }: Context,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
  ): Promise<PermissionInfo[]> {
    const role = await certain(loaders.role.load({ organisationId, id: roleId }))
    const names = new Set(granted(role))
    if (projectId && isId(projectId)) {
      const project = await loaders.project.load({ organisationId, id: projectId })
      const projectRole = await loaders.projectRole.load({
        organisationId,
        principalId: id,
        projectId,
      })
      const inProject = projectRole
        ? await loaders.role.load({ organisationId, id: projectRole })
        : null
      if (role.builtIn && project) for (const name of everything('PROJECT')) names.add(name)
      if (inProject) for (const name of granted(inProject)) names.add(name)
    }
    return describe(names)
  }

  @FieldResolver(() => ProjectAccessConnection, {
    description: 'Projects it can enter, and as what.',
  })
  projectAccess(
    @Root() principal: PrincipalRow,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { readIn, node }: Context,
  ) {
    return listProjectAccess(readIn, node.server.keys, principal, args)
  }
}
