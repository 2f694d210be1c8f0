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
import {
  BUILT_IN,
  describe,
  everything,
  granted,
  type PermissionInfo,
} from '../../access/permissions.ts'
import { can, inOrganisation, tenantOf } from '../../access/viewer.ts'
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
import { withinOwn } from './role.service.ts'
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
  permissions(@Root() role: Role): PermissionInfo[] {
    return describe(granted(role))
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
    return grants && withinOwn(inOrganisation(viewer), role, everything('PROJECT'))
  }

  @FieldResolver(() => Boolean, { description: 'True when the viewer may change it.' })
  viewerCanUpdate(@Root() role: Role, @Ctx() { viewer }: Context): boolean {
    if (viewer?.organisationId !== role.organisationId || role.builtIn) return false
    return (
      can(viewer, 'manageRole') && withinOwn(inOrganisation(viewer), role, everything('PROJECT'))
    )
  }
}

@Resolver(() => Organisation)
export class OrganisationRolesResolver {
  @FieldResolver(() => Role, { nullable: true })
  async role(@Arg('id', () => ID) id: string, @Ctx() { viewer, read }: Context): Promise<Role> {
    const inside = inOrganisation(viewer)
    const role = isId(id)
      ? await firstRow<Role>(
          read(tenantOf(inside)),
          sql`select ${columns('r', ROLE_FIELDS)} from role r
            where r.id = ${id} and r.organisation_id = ${inside.organisationId} and r.deleted_at is null`,
        )
      : null
    if (!role) throw notFound('role')
    return role
  }

  @FieldResolver(() => RoleConnection, { nullable: true })
  roles(@Args(() => RolesArgs) args: RolesArgs, @Ctx() { viewer, read, node }: Context) {
    return listRoles(read, node.server.keys, inOrganisation(viewer), args)
  }

  @FieldResolver(() => [Permission], {
    nullable: true,
    description: 'Everything a role here can hold, built in or defined here.',
  })
  permissions(
    @Arg('level', () => AccessLevel, { nullable: true }) level?: AccessLevel | null,
  ): PermissionInfo[] {
    return BUILT_IN.filter(each => !level || each.level === level)
  }
}
