import { Arg, Ctx, FieldResolver, ID, Query, Resolver } from 'type-graphql'
import { describe, everything, granted, type PermissionInfo } from '../../access/permissions.ts'
import type { Context } from '../../graphql/context.ts'
import { isId } from '../../shared/tokens.ts'
import { Principal } from '../../tenancy/memberships/member.type.ts'
import { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { Project } from '../../tenancy/projects/project.type.ts'
import { Permission } from '../../tenancy/roles/role.type.ts'
import { Session } from '../sessions/session.type.ts'
import { ViewerType } from './viewer.type.ts'

/** Answers from the rows that the caller look-up has read: no further statement. */
@Resolver(() => ViewerType)
export class ViewerResolver {
  @Query(() => ViewerType, {
    nullable: true,
    description: 'How the server sees the caller of this request.',
  })
  viewer(@Ctx() { viewer }: Context): ViewerType | null {
    return viewer && { operator: viewer.operator }
  }

  @FieldResolver(() => Principal, {
    nullable: true,
    description: 'Who acts in the organisation. Null for people who have not chosen one.',
  })
  principal(@Ctx() { caller }: Context) {
    return caller?.member
  }

  @FieldResolver(() => Session, {
    nullable: true,
    description: 'The session in use; null for API keys.',
  })
  session(@Ctx() { caller }: Context) {
    return caller?.session
  }

  @FieldResolver(() => Organisation, { nullable: true })
  organisation(@Ctx() { caller }: Context) {
    return caller?.organisation
  }

  @FieldResolver(() => Project, { nullable: true })
  project(@Ctx() { caller }: Context) {
    return caller?.project
  }

  @FieldResolver(() => [Permission], {
    description: "What the caller may do right now: its role, narrowed by the key's scopes.",
  })
  async permissions(
    @Ctx() { viewer, caller, loaders }: Context,
    @Arg('projectId', () => ID, {
      nullable: true,
      description: 'Count what the caller may do inside this project too.',
    })
    projectId?: string | null,
  ): Promise<PermissionInfo[]> {
    if (!viewer?.organisationId || !viewer.principalId) return []
    const names = new Set(viewer.permissions)
    const { organisationId, principalId } = viewer
    if (projectId && isId(projectId)) {
      const project = await loaders.project.load({ organisationId, id: projectId })
      const roleId = await loaders.projectRole.load({ organisationId, principalId, projectId })
      const role = roleId ? await loaders.role.load({ organisationId, id: roleId }) : null
      if (project && caller?.role?.builtIn)
        for (const name of everything('PROJECT')) names.add(name)
      if (role) for (const name of granted(role)) names.add(name)
    }
    return describe(names)
  }
}
