import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import { operatorOf } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { DeletePayload } from '../../tenancy/organisations/organisation.type.ts'
import { OrganisationPayload } from '../../tenancy/organisations/organisation.type.ts'
import {
  activateOrganisation,
  deleteOrganisation,
  suspendOrganisation,
} from './operator-organisations.service.ts'

@Resolver()
export class OperatorOrganisationsResolver {
  @Mutation(() => OrganisationPayload, {
    nullable: true,
    description:
      'Bar an organisation: nobody can act in it. Operators only, with a recent sign-in. Sessions only.',
  })
  async suspendOrganisation(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, viewer }: Context,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
  ): Promise<OrganisationPayload> {
    return {
      organisation: await transact(
        work => suspendOrganisation(work, id, reason ?? null),
        operatorOf(viewer),
      ),
    }
  }

  @Mutation(() => OrganisationPayload, {
    nullable: true,
    description:
      'Readmit a suspended organisation. Operators only, with a recent sign-in. Sessions only.',
  })
  async activateOrganisation(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, viewer }: Context,
  ): Promise<OrganisationPayload> {
    return {
      organisation: await transact(work => activateOrganisation(work, id), operatorOf(viewer)),
    }
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description:
      'Delete an organisation with everything in it. Accounts live on. Operators only, with a recent sign-in. Sessions only.',
  })
  async deleteOrganisation(
    @Arg('id', () => ID) id: string,
    @Ctx() { asSystem }: Context,
  ): Promise<DeletePayload> {
    return { deletedId: await asSystem(work => deleteOrganisation(work, id)), organisation: null }
  }
}
