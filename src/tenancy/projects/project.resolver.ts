import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, ID, Resolver, Root } from 'type-graphql'
import { describe, granted, type PermissionInfo } from '../../access/permissions.ts'
import { inEveryProject, inProject, inside, type TenantViewer } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { Organisation } from '../organisations/organisation.type.ts'
import { Permission, Role } from '../roles/role.type.ts'
import { forbidden } from '../../shared/errors.ts'
import { getVisibleProject, listAccessTo, listProjects } from './project.list.ts'
import {
  Project,
  ProjectAccess,
  ProjectAccessConnection,
  ProjectConnection,
  RegistrationPolicy,
} from './project.type.ts'

@ArgsType()
class ProjectsArgs extends PageArgs {
  @Field(() => String, { nullable: true, description: 'Matches the name, from its beginning.' })
  search?: string | null
}

/** What a viewer holds in a project, read by the loaders of the operation. */
async function heldIn(
  viewer: TenantViewer,
  { id, organisationId }: Project,
  { loaders }: Context,
): Promise<ReadonlySet<string>> {
  const everywhere = inEveryProject(viewer, id)
  const roleId = await loaders.projectRole.load({
    organisationId,
    principalId: viewer.principalId,
    projectId: id,
  })
  const role = roleId ? await loaders.role.load({ organisationId, id: roleId }) : null
  return role
    ? everywhere.union(inProject(viewer, id, granted(role, viewer.ownCatalogue)))
    : everywhere
}

@Resolver(() => Project)
export class ProjectResolver {
  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId }: Project, @Ctx() { loaders }: Context) {
    return certain(loaders.organisation.load({ organisationId, id: organisationId }))
  }

  @FieldResolver(() => RegistrationPolicy, {
    description: 'Rules for people who register themselves.',
  })
  registration(@Root() project: Project): RegistrationPolicy {
    return {
      organisationId: project.organisationId,
      defaultRoleId: project.registrationDefaultRoleId,
      enabled: project.registrationEnabled,
      allowedEmailDomains: project.registrationAllowedEmailDomains,
      emailVerificationRequired: project.registrationEmailVerificationRequired,
    }
  }

  @FieldResolver(() => ProjectAccessConnection, {
    nullable: true,
    description:
      'Who can enter, and as what. Needs `manageProject`, or `manageProjectAccess` in the project.',
  })
  async access(
    @Root() project: Project,
    @Args(() => ProjectsArgs) args: ProjectsArgs,
    @Ctx() context: Context,
  ) {
    const reader = inside(context.viewer, project.organisationId)
    const own = await heldIn(reader, project, context)
    if (!own.has('manageProjectAccess'))
      throw forbidden(
        'PERMISSION_MISSING',
        'This needs `manageProject`, or `manageProjectAccess` in the project.',
      )
    return listAccessTo(context.read, context.node.server.keys, reader, project.id, args)
  }

  @FieldResolver(() => [Permission], { description: 'What the viewer may do inside.' })
  async viewerPermissions(
    @Root() project: Project,
    @Ctx() context: Context,
  ): Promise<PermissionInfo[]> {
    const { viewer } = context
    if (viewer?.organisationId !== project.organisationId || !viewer.principalId) return []
    return describe(
      await heldIn(inside(viewer, project.organisationId), project, context),
      viewer.ownCatalogue,
    )
  }
}

@Resolver(() => RegistrationPolicy)
export class RegistrationPolicyResolver {
  @FieldResolver(() => Role, {
    nullable: true,
    description: 'Project role that newcomers get. Never an administrative role.',
  })
  defaultRole(
    @Root() { organisationId, defaultRoleId }: RegistrationPolicy,
    @Ctx() { loaders }: Context,
  ) {
    return defaultRoleId ? loaders.role.load({ organisationId, id: defaultRoleId }) : null
  }
}

@Resolver(() => ProjectAccess)
export class ProjectAccessResolver {
  @FieldResolver(() => Project)
  project(@Root() { organisationId, projectId }: ProjectAccess, @Ctx() { loaders }: Context) {
    return certain(loaders.project.load({ organisationId, id: projectId }))
  }

  @FieldResolver(() => Role)
  role(@Root() { organisationId, roleId }: ProjectAccess, @Ctx() { loaders }: Context) {
    return certain(loaders.role.load({ organisationId, id: roleId }))
  }
}

@Resolver(() => Organisation)
export class OrganisationProjectsResolver {
  @FieldResolver(() => Project, { nullable: true })
  project(
    @Root() organisation: Organisation,
    @Arg('id', () => ID) id: string,
    @Ctx() { viewer, read }: Context,
  ) {
    return getVisibleProject(read, inside(viewer, organisation.id), id)
  }

  @FieldResolver(() => ProjectConnection, {
    nullable: true,
    description: 'Projects the viewer can enter, or all for those who manage projects.',
  })
  projects(
    @Root() { id }: Organisation,
    @Args(() => ProjectsArgs) args: ProjectsArgs,
    @Ctx() { viewer, read, node }: Context,
  ) {
    return listProjects(read, node.server.keys, inside(viewer, id), args)
  }
}
