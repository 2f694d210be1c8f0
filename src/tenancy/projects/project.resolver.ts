import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Resolver,
  Root,
} from 'type-graphql'
import { describe, everything, granted, type PermissionInfo } from '../../access/permissions.ts'
import { can, inOrganisation } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { Organisation } from '../organisations/organisation.type.ts'
import { Permission, Role } from '../roles/role.type.ts'
import { getVisibleProject, listProjects } from './project.list.ts'
import { createProject } from './project.service.ts'
import {
  CreateProjectInput,
  Project,
  ProjectAccess,
  ProjectConnection,
  ProjectPayload,
  RegistrationPolicy,
} from './project.type.ts'

@ArgsType()
class ProjectsArgs extends PageArgs {
  @Field(() => String, { nullable: true })
  search?: string | null
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

  @FieldResolver(() => [Permission], { description: 'What the viewer may do inside.' })
  async viewerPermissions(
    @Root() project: Project,
    @Ctx() { viewer, loaders }: Context,
  ): Promise<PermissionInfo[]> {
    const { organisationId, id } = project
    if (viewer?.organisationId !== organisationId || !viewer.principalId) return []
    if (can(viewer, 'manageProject')) return describe(everything('PROJECT'))
    const roleId = await loaders.projectRole.load({
      organisationId,
      principalId: viewer.principalId,
      projectId: id,
    })
    const role = roleId ? await loaders.role.load({ organisationId, id: roleId }) : null
    return role ? describe(granted(role)) : []
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
  project(@Arg('id', () => ID) id: string, @Ctx() { viewer, read }: Context) {
    return getVisibleProject(read, inOrganisation(viewer), id)
  }

  @FieldResolver(() => ProjectConnection, {
    nullable: true,
    description: 'Projects the viewer can enter, or all for those who manage projects.',
  })
  projects(@Args(() => ProjectsArgs) args: ProjectsArgs, @Ctx() { viewer, read, node }: Context) {
    return listProjects(read, node.server.keys, inOrganisation(viewer), args)
  }

  @Mutation(() => ProjectPayload, {
    nullable: true,
    description: 'Open a project. Needs `manageProject`.',
  })
  async createProject(
    @Arg('input', () => CreateProjectInput) input: CreateProjectInput,
    @Ctx() { transact }: Context,
  ): Promise<ProjectPayload> {
    return { project: await transact(work => createProject(work, input)) }
  }
}
