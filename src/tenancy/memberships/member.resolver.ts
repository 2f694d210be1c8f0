import type { GraphQLResolveInfo } from 'graphql'
import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Info,
  Resolver,
  Root,
} from 'type-graphql'
import { standingAt } from '../../accounts/users/status.ts'
import { avatarUrl } from '../../accounts/avatars/avatar.service.ts'
import { AccessStatus, User } from '../../accounts/users/user.type.ts'
import { can, inside, isAbove, tenantOf } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { DateTime, WebUrl } from '../../shared/scalars.ts'
import { asksFor } from '../../shared/selection.ts'
import { Organisation } from '../organisations/organisation.type.ts'
import { ProjectAccess } from '../projects/project.type.ts'
import { firstRoles } from '../roles/role.loaders.ts'
import { listMembers, readVisibleMember } from './member.list.ts'
import { listMemberships } from './membership.list.ts'
import { mayRead } from './member.service.ts'
import { Member, MemberConnection, MemberFilter, MemberOrder, Principal } from './member.type.ts'

@ArgsType()
class MembersArgs extends PageArgs {
  @Field(() => String, {
    nullable: true,
    description: 'Matches name and email, by beginnings of words.',
  })
  search?: string | null

  @Field(() => MemberFilter, { nullable: true })
  filter?: MemberFilter | null

  @Field(() => MemberOrder, { defaultValue: { field: 'NAME', direction: 'ASC' } })
  orderBy!: MemberOrder
}

@Resolver(() => Member)
export class MemberResolver {
  @FieldResolver(() => WebUrl, { nullable: true })
  avatarUrl(@Root() { avatarKey }: Member, @Ctx() { node }: Context): string | null {
    return avatarUrl(node.server.config.PUBLIC_URL, avatarKey)
  }

  @FieldResolver(() => AccessStatus)
  status(@Root() member: Member, @Ctx() { now }: Context) {
    return standingAt(member, now).status
  }

  @FieldResolver(() => DateTime, { nullable: true })
  suspendedUntil(@Root() member: Member, @Ctx() { now }: Context) {
    return standingAt(member, now).suspendedUntil
  }

  @FieldResolver(() => Boolean, {
    description:
      'Whether their second factors satisfy the policy here. Says nothing more about them.',
  })
  async meetsMfaPolicy(
    @Root() { organisationId, secondFactor }: Member,
    @Ctx() { loaders }: Context,
  ): Promise<boolean> {
    return secondFactor || !(await loaders.insistsOnMfa.load(organisationId))
  }

  @FieldResolver(() => Boolean, {
    description:
      "True when the viewer manages users and holds at least all this member's organisation permissions.",
  })
  viewerCanManage(
    @Root() member: Member,
    @Ctx() { viewer, loaders }: Context,
  ): boolean | Promise<boolean> {
    const { organisationId, roleId } = member
    if (viewer?.organisationId !== organisationId || member.removedAt || !can(viewer, 'manageUser'))
      return false
    const role = certain(loaders.role.find({ organisationId, id: roleId }))
    return role instanceof Promise
      ? role.then(read => isAbove(viewer, read))
      : isAbove(viewer, role)
  }
}

@Resolver(() => Organisation)
export class OrganisationMembersResolver {
  @FieldResolver(() => Member, {
    nullable: true,
    description: 'Needs `viewUser`, except for oneself.',
  })
  member(
    @Root() { id: organisationId }: Organisation,
    @Arg('id', () => ID) id: string,
    @Ctx() { viewer, read }: Context,
  ): Promise<Member> {
    const reader = mayRead(inside(viewer, organisationId), id)
    return readVisibleMember(read(tenantOf(reader)), reader, id)
  }

  @FieldResolver(() => MemberConnection, {
    nullable: true,
    description:
      "People here. Rows depend on the viewer's role; see `Role.visibility`. Needs `viewUser`.",
  })
  async members(
    @Root() { id }: Organisation,
    @Args(() => MembersArgs) args: MembersArgs,
    @Ctx() { viewer, read, node, now, loaders }: Context,
    @Info() info: GraphQLResolveInfo,
  ) {
    const reader = inside(viewer, id)
    const asksRoles = asksFor(info, 'role') || asksFor(info, 'viewerCanManage')
    if (asksRoles) loaders.role.readAhead(id, firstRoles(id))
    const page = await listMembers(read, node.server.keys, reader, args, now)
    if (asksRoles) await loaders.role.loadAll(id, new Set(page.nodes.map(({ roleId }) => roleId)))
    return page
  }
}

@Resolver(() => User)
export class UserMembershipsResolver {
  @FieldResolver(() => MemberConnection, {
    description: 'Where this person belongs, for organisation switchers.',
  })
  memberships(@Root() { id }: User, @Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    const only = context.boundOf(id)
    return listMemberships(context.readSelf(id), context.node.server.keys, id, args, only)
  }
}

@Resolver(() => ProjectAccess)
export class ProjectAccessPrincipalResolver {
  @FieldResolver(() => Principal)
  async principal(
    @Root() { organisationId, principalId }: ProjectAccess,
    @Ctx() { loaders }: Context,
  ) {
    const place = { organisationId, id: principalId }
    return (await loaders.member.load(place)) ?? certain(loaders.serviceAccount.load(place))
  }
}
