import { Arg, Args, ArgsType, Ctx, Field, FieldResolver, ID, Resolver } from 'type-graphql'
import { operatorOf } from '../../access/viewer.ts'
import { getUser } from '../../accounts/users/user.loaders.ts'
import { User } from '../../accounts/users/user.type.ts'
import type { Context } from '../../graphql/context.ts'
import { notFound } from '../../shared/errors.ts'
import { PageArgs } from '../../shared/page.ts'
import { isId } from '../../shared/tokens.ts'
import {
  Organisation,
  OrganisationConnection,
} from '../../tenancy/organisations/organisation.type.ts'
import { Platform } from '../../tenancy/policies/policy.type.ts'
import { getOrganisation, listOrganisations, listUsers } from './platform.list.ts'
import { UserConnection, UserFilter } from './platform.type.ts'

@ArgsType()
class OrganisationsArgs extends PageArgs {
  @Field(() => String, {
    nullable: true,
    description: 'Matches name and short name, by beginnings of words.',
  })
  search?: string | null

  @Field(() => Boolean, {
    nullable: true,
    description: 'Only those that are barred, or only those that are not.',
  })
  suspended?: boolean | null
}

@ArgsType()
class UsersArgs extends PageArgs {
  @Field(() => String, {
    nullable: true,
    description: 'Matches name and email, by beginnings of words.',
  })
  search?: string | null

  @Field(() => UserFilter, { nullable: true })
  filter?: UserFilter | null
}

@Resolver(() => Platform)
export class PlatformListsResolver {
  @FieldResolver(() => Organisation, { nullable: true })
  organisation(@Arg('id', () => ID) id: string, @Ctx() { viewer, read }: Context) {
    return getOrganisation(read, viewer, id)
  }

  @FieldResolver(() => OrganisationConnection)
  organisations(
    @Args(() => OrganisationsArgs) args: OrganisationsArgs,
    @Ctx() { viewer, read, node }: Context,
  ) {
    return listOrganisations(read, node.server.keys, viewer, args)
  }

  @FieldResolver(() => User, { nullable: true })
  user(@Arg('id', () => ID) id: string, @Ctx() { viewer, read }: Context) {
    if (!isId(id)) throw notFound('user')
    return getUser(read(operatorOf(viewer)), id)
  }

  @FieldResolver(() => UserConnection)
  users(@Args(() => UsersArgs) args: UsersArgs, @Ctx() { viewer, read, node, now }: Context) {
    return listUsers(read, node.server.keys, viewer, args, now)
  }
}
