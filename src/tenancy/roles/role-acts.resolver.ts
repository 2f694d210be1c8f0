import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { DeletePayload, OrganisationPayload } from '../organisations/organisation.type.ts'
import { createPermission, deletePermission } from './permission.service.ts'
import { createRole, deleteRole, updateRole } from './role-acts.service.ts'
import {
  CreatePermissionInput,
  CreateRoleInput,
  PermissionPayload,
  RolePayload,
  UpdateRoleInput,
} from './role.type.ts'

@Resolver()
export class RoleActsResolver {
  @Mutation(() => RolePayload, {
    nullable: true,
    description: 'Define a role. It may hold no permission its author lacks. Needs `manageRole`.',
  })
  async createRole(
    @Arg('input', () => CreateRoleInput) input: CreateRoleInput,
    @Ctx() { transact }: Context,
  ): Promise<RolePayload> {
    return { role: await transact(work => createRole(work, input)) }
  }

  @Mutation(() => RolePayload, {
    nullable: true,
    description: 'Change a role. Holders feel it on their next request. Needs `manageRole`.',
  })
  async updateRole(
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateRoleInput) input: UpdateRoleInput,
    @Ctx() { transact }: Context,
  ): Promise<RolePayload> {
    return { role: await transact(work => updateRole(work, id, input)) }
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description: 'Delete a role. Needs `manageRole`.',
  })
  async deleteRole(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, caller }: Context,
    @Arg('replacementId', () => ID, {
      nullable: true,
      description:
        'Role that present holders, invitations, defaults and workflows move to. Required while anything names the role.',
    })
    replacementId?: string | null,
  ): Promise<DeletePayload> {
    const role = await transact(work => deleteRole(work, id, replacementId ?? null))
    return { deletedId: role.id, organisation: caller!.organisation }
  }

  @Mutation(() => PermissionPayload, {
    nullable: true,
    description:
      'Give a name to something that apps built on this server will check. Needs `manageRole`.',
  })
  async createPermission(
    @Arg('input', () => CreatePermissionInput) input: CreatePermissionInput,
    @Ctx() { transact }: Context,
  ): Promise<PermissionPayload> {
    return { permission: await transact(work => createPermission(work, input)) }
  }

  @Mutation(() => OrganisationPayload, {
    nullable: true,
    description:
      'Retire a permission of your own and drop it from every role and key. Needs `manageRole`.',
  })
  async deletePermission(
    @Arg('name', () => String) name: string,
    @Ctx() { transact, caller }: Context,
  ): Promise<OrganisationPayload> {
    await transact(work => deletePermission(work, name))
    return { organisation: caller!.organisation! }
  }
}
