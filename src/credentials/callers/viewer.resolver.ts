import { Arg, Ctx, FieldResolver, ID, Query, Resolver } from 'type-graphql'
import { describe, type PermissionInfo } from '../../access/permissions.ts'
import { inEveryProject, inProject } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { isId } from '../../shared/tokens.ts'
import { permissionsOf } from '../../tenancy/memberships/authority.ts'
import { Principal } from '../../tenancy/memberships/member.type.ts'
import { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { Project } from '../../tenancy/projects/project.type.ts'
import { Permission } from '../../tenancy/roles/role.type.ts'
import { ApiKey } from '../api-keys/api-key.type.ts'
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
    if (!viewer?.organisationId || !caller?.member) return []
    if (!projectId) return describe(viewer.permissions, viewer.ownCatalogue)
    const { organisationId } = caller.member
    const project =
      isId(projectId) && (await loaders.project.load({ organisationId, id: projectId }))
    if (!project || project.deletedAt) return describe(viewer.permissions, viewer.ownCatalogue)
    const held = await permissionsOf(loaders, caller.member, projectId)
    const everywhere = inEveryProject(viewer, projectId)
    return describe(
      viewer.permissions.union(inProject(viewer, projectId, held.inProject)).union(everywhere),
      viewer.ownCatalogue,
    )
  }

  @FieldResolver(() => ApiKey, {
    nullable: true,
    description: 'The API key in use; null for sessions.',
  })
  apiKey(@Ctx() { caller }: Context) {
    return caller?.apiKey
  }
}
