import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { DeletePayload } from '../../tenancy/organisations/organisation.type.ts'
import { deleteAccount, deleteUser } from './account-deletion.service.ts'

@Resolver()
export class AccountDeletionResolver {
  @Mutation(() => DeletePayload, {
    nullable: true,
    description:
      'Delete your own account and every membership of it. Needs a recent sign-in. Sessions only.',
  })
  async deleteAccount(@Ctx() { asSystem, cookie }: Context): Promise<DeletePayload> {
    const deletedId = await asSystem(deleteAccount)
    cookie.clear()
    return { deletedId, organisation: null }
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description:
      'Delete an account and every membership of it. Operators only, with a recent sign-in. Sessions only.',
  })
  async deleteUser(
    @Arg('id', () => ID) id: string,
    @Ctx() { asSystem }: Context,
  ): Promise<DeletePayload> {
    return { deletedId: await asSystem(work => deleteUser(work, id)), organisation: null }
  }
}
