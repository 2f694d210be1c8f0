import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { DeletePayload } from '../organisations/organisation.type.ts'
import { grantProjectAccess, revokeProjectAccess } from './project-access.service.ts'
import { createProject, deleteProject, updateProject } from './project.service.ts'
import {
  CreateProjectInput,
  GrantProjectAccessInput,
  ProjectAccessPayload,
  ProjectPayload,
  UpdateProjectInput,
} from './project.type.ts'

@Resolver()
export class ProjectActsResolver {
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

  @Mutation(() => ProjectPayload, {
    nullable: true,
    description: 'Change a project or its self-registration rules. Needs `manageProject`.',
  })
  async updateProject(
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateProjectInput) input: UpdateProjectInput,
    @Ctx() { transact }: Context,
  ): Promise<ProjectPayload> {
    return { project: await transact(work => updateProject(work, id, input)) }
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description:
      'Delete a project and all access to it. Refused while a workflow names it. Needs `manageProject`.',
  })
  async deleteProject(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, caller }: Context,
  ): Promise<DeletePayload> {
    const project = await transact(work => deleteProject(work, id))
    return { deletedId: project.id, organisation: caller!.organisation }
  }

  @Mutation(() => ProjectAccessPayload, {
    nullable: true,
    description:
      'Let a principal into a project with a role, or change the role held there. Needs `manageProject`, or `manageProjectAccess` in the project.',
  })
  async grantProjectAccess(
    @Arg('input', () => GrantProjectAccessInput) input: GrantProjectAccessInput,
    @Ctx() { transact }: Context,
  ): Promise<ProjectAccessPayload> {
    return { projectAccess: await transact(work => grantProjectAccess(work, input)) }
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description:
      'Put a principal out of a project. Needs `manageProject`, or `manageProjectAccess` in the project.',
  })
  async revokeProjectAccess(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, caller }: Context,
  ): Promise<DeletePayload> {
    return {
      deletedId: await transact(work => revokeProjectAccess(work, id)),
      organisation: caller!.organisation,
    }
  }
}
