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
import { inside, tenantOf } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { Member } from '../../tenancy/memberships/member.type.ts'
import { shownMember } from '../../tenancy/memberships/shown-member.ts'
import { DeletePayload, Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { getServiceAccount, listServiceAccounts } from './service-account.loaders.ts'
import {
  createServiceAccount,
  deleteServiceAccount,
  updateServiceAccount,
} from './service-account.service.ts'
import {
  CreateServiceAccountInput,
  ServiceAccount,
  ServiceAccountConnection,
  ServiceAccountPayload,
  UpdateServiceAccountInput,
} from './service-account.type.ts'

@ArgsType()
class ServiceAccountsArgs extends PageArgs {
  @Field(() => String, { nullable: true, description: 'Matches the name, from its beginning.' })
  search?: string | null
}

/** The caller look-up reads of a machine only what it has in common with people. */
const wholeOf = (account: ServiceAccount, { loaders }: Context) =>
  account.createdById === undefined ? certain(loaders.serviceAccount.load(account)) : account

@Resolver(() => ServiceAccount)
export class ServiceAccountResolver {
  @FieldResolver(() => Member, { nullable: true })
  async createdBy(@Root() account: ServiceAccount, @Ctx() context: Context) {
    const { organisationId, createdById } = await wholeOf(account, context)
    return createdById ? shownMember(context, { organisationId, id: createdById }) : null
  }

  @FieldResolver(() => String, { nullable: true })
  async description(@Root() account: ServiceAccount, @Ctx() context: Context) {
    return (await wholeOf(account, context)).description
  }

  @Mutation(() => ServiceAccountPayload, {
    nullable: true,
    description: 'Create an identity for a machine. Needs `manageServiceAccount`.',
  })
  async createServiceAccount(
    @Arg('input', () => CreateServiceAccountInput) input: CreateServiceAccountInput,
    @Ctx() { transact }: Context,
  ): Promise<ServiceAccountPayload> {
    return { serviceAccount: await transact(work => createServiceAccount(work, input)) }
  }

  @Mutation(() => ServiceAccountPayload, {
    nullable: true,
    description: 'Change a service account, or switch it on or off. Needs `manageServiceAccount`.',
  })
  async updateServiceAccount(
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateServiceAccountInput) input: UpdateServiceAccountInput,
    @Ctx() { transact }: Context,
  ): Promise<ServiceAccountPayload> {
    return { serviceAccount: await transact(work => updateServiceAccount(work, id, input)) }
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description: 'Delete a service account and its keys. Needs `manageServiceAccount`.',
  })
  async deleteServiceAccount(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, caller }: Context,
  ): Promise<DeletePayload> {
    return {
      deletedId: await transact(work => deleteServiceAccount(work, id)),
      organisation: caller!.organisation,
    }
  }
}

@Resolver(() => Organisation)
export class OrganisationServiceAccountsResolver {
  @FieldResolver(() => ServiceAccount, {
    nullable: true,
    description: 'Needs `manageServiceAccount`.',
  })
  serviceAccount(
    @Root() organisation: Organisation,
    @Arg('id', () => ID) id: string,
    @Ctx() { viewer, read }: Context,
  ): Promise<ServiceAccount> {
    const reader = inside(viewer, organisation.id)
    return getServiceAccount(read(tenantOf(reader)), reader, id)
  }

  @FieldResolver(() => ServiceAccountConnection, {
    nullable: true,
    description: 'Needs `manageServiceAccount`.',
  })
  serviceAccounts(
    @Root() { id }: Organisation,
    @Args(() => ServiceAccountsArgs) args: ServiceAccountsArgs,
    @Ctx() { viewer, read, node }: Context,
  ) {
    const reader = inside(viewer, id)
    return listServiceAccounts(read(tenantOf(reader)), node.server.keys, reader, args)
  }
}
