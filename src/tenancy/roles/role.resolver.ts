import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  Resolver,
  Root,
} from 'type-graphql'
import { catalogue, describe, granted, type PermissionInfo } from '../../access/permissions.ts'
import { can, inside, tenantOf, withinOwn } from '../../access/viewer.ts'
import { columns } from '../../database/columns.ts'
import { certain } from '../../database/loader.ts'
import { firstRow, sql } from '../../database/sql.ts'
import type { Context } from '../../graphql/context.ts'
import { notFound } from '../../shared/errors.ts'
import { PageArgs } from '../../shared/page.ts'
import { isId } from '../../shared/tokens.ts'
import { Organisation } from '../organisations/organisation.type.ts'
import { listRoles } from './role.list.ts'
import { ROLE_FIELDS } from './role.loaders.ts'
import { AccessLevel, Permission, Role, RoleConnection } from './role.type.ts'

@ArgsType()
class RolesArgs extends PageArgs {
  @Field(() => AccessLevel, { nullable: true })
  level?: AccessLevel | null
}

@Resolver(() => Role)
export class RoleResolver {
  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId }: Role, @Ctx() { loaders }: Context) {
    return certain(loaders.organisation.load({ organisationId, id: organisationId }))
  }

  @FieldResolver(() => [Permission])
  async permissions(@Root() role: Role, @Ctx() { loaders }: Context): Promise<PermissionInfo[]> {
    const own = await loaders.ownCatalogue.load(role.organisationId)
    return describe(granted(role, own), own)
  }

  @FieldResolver(() => Int, {
    description: 'How many principals hold it, in the organisation or in any project.',
  })
  async holderCount(
    @Root() { id, organisationId }: Role,
    @Ctx() { loaders }: Context,
  ): Promise<number> {
    return (await certain(loaders.holderCount.load({ organisationId, id }))).count
  }

  @FieldResolver(() => Boolean, {
    description: 'True when the viewer holds all its permissions and may give it to others.',
  })
  viewerCanAssign(@Root() role: Role, @Ctx() { viewer }: Context): boolean {
    if (viewer?.organisationId !== role.organisationId) return false
    const grants = can(viewer, role.level === 'PROJECT' ? 'manageProject' : 'manageUser')
    return grants && withinOwn(viewer, role)
  }

  @FieldResolver(() => Boolean, { description: 'True when the viewer may change it.' })
  viewerCanUpdate(@Root() role: Role, @Ctx() { viewer }: Context): boolean {
    if (viewer?.organisationId !== role.organisationId || role.builtIn) return false
    return can(viewer, 'manageRole') && withinOwn(viewer, role)
  }
}

@Resolver(() => Organisation)
export class OrganisationRolesResolver {
  @FieldResolver(() => Role, { nullable: true })
  async role(
    @Root() organisation: Organisation,
    @Arg('id', () => ID) id: string,
    @Ctx() { viewer, read }: Context,
  ): Promise<Role> {
    const reader = inside(viewer, organisation.id)
    const role = isId(id)
      ? await firstRow<Role>(
          read(tenantOf(reader)),
          sql`select ${columns('r', ROLE_FIELDS)} from role r
            where r.id = ${id} and r.organisation_id = ${reader.organisationId} and r.deleted_at is null`,
        )
      : null
    if (!role) throw notFound('role')
    return role
  }

  @FieldResolver(() => RoleConnection, { nullable: true })
  roles(
    @Root() { id }: Organisation,
    @Args(() => RolesArgs) args: RolesArgs,
    @Ctx() { viewer, read, node }: Context,
  ) {
    return listRoles(read, node.server.keys, inside(viewer, id), args)
  }

  @FieldResolver(() => [Permission], {
    nullable: true,
    description: 'Everything a role here can hold, built in or defined here.',
  })
  async permissions(
    @Root() { id }: Organisation,
    @Ctx() { loaders }: Context,
    @Arg('level', () => AccessLevel, { nullable: true }) level?: AccessLevel | null,
  ): Promise<PermissionInfo[]> {
    const own = await loaders.ownCatalogue.load(id)
    return catalogue(own).filter(each => !level || each.level === level)
  }
}
