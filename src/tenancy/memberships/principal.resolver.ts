import { Arg, Args, Ctx, FieldResolver, ID, Resolver, Root } from 'type-graphql'
import { describe, type PermissionInfo } from '../../access/permissions.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { Organisation } from '../organisations/organisation.type.ts'
import { listProjectAccess } from '../projects/project.list.ts'
import { ProjectAccessConnection } from '../projects/project.type.ts'
import { Permission, Role } from '../roles/role.type.ts'
import { permissionsOf, type Holder } from './authority.ts'
import { Principal } from './member.type.ts'

/** What members and service accounts have in common. */
@Resolver(() => Principal)
export class PrincipalResolver {
  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId }: Holder, @Ctx() context: Context) {
    const fresh = context.fresh('organisation', organisationId)
    const place = { organisationId, id: organisationId }
    return fresh ?? certain(context.loaders.organisation.find(place))
  }

  @FieldResolver(() => Role)
  role(@Root() { organisationId, roleId }: Holder, @Ctx() context: Context) {
    const fresh = context.fresh('role', roleId)
    return fresh ?? certain(context.loaders.role.find({ organisationId, id: roleId }))
  }

  @FieldResolver(() => [Permission], {
    description: 'Everything the role grants, with the project role added when a project is named.',
  })
  async permissions(
    @Root() principal: Holder,
    @Ctx() { loaders, viewer }: Context,
    @Arg('projectId', () => ID, { nullable: true }) projectId?: string | null,
  ): Promise<PermissionInfo[]> {
    // to a key that is confined, other projects are unknown
    const shown = projectId && (viewer?.confinedTo?.has(projectId) ?? true) ? projectId : null
    const { names, inProject } = await permissionsOf(loaders, principal, shown)
    return describe(
      names.union(inProject),
      await loaders.ownCatalogue.load(principal.organisationId),
    )
  }

  @FieldResolver(() => ProjectAccessConnection, {
    description: 'Projects it can enter, and as what.',
  })
  projectAccess(
    @Root() principal: Holder,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { readIn, loaders, node, viewer }: Context,
  ) {
    const confinedTo = viewer?.confinedTo ?? null
    return listProjectAccess(readIn, loaders.places, node.server.keys, principal, args, confinedTo)
  }
}
