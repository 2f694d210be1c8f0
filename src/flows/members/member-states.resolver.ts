import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { DeletePayload } from '../../tenancy/organisations/organisation.type.ts'
import { MemberPayload } from '../../tenancy/memberships/member.type.ts'
import { actOnMember } from './acts.service.ts'
import { leaveOrganisation } from './leave.service.ts'
import { SuspendInput } from './suspend.type.ts'

@Resolver()
export class MemberStatesResolver {
  @Mutation(() => MemberPayload, {
    nullable: true,
    description:
      'Bar a member for a while. Takes effect on their next request. Needs `manageUser`.',
  })
  suspendMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
    @Arg('input', () => SuspendInput, { nullable: true }) input?: SuspendInput | null,
  ): Promise<MemberPayload> {
    return transact(work => actOnMember(work, 'SUSPEND', id, { ...input, path: ['input'] }))
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description:
      'Bar a member until further notice. Takes effect on their next request. Needs `manageUser`.',
  })
  deactivateMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
  ): Promise<MemberPayload> {
    return transact(work => actOnMember(work, 'DEACTIVATE', id, { reason }))
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description: 'Readmit a suspended or inactive member. Needs `manageUser`.',
  })
  activateMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<MemberPayload> {
    return transact(work => actOnMember(work, 'ACTIVATE', id))
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description: 'Give up your membership of an organisation. Sessions only.',
  })
  async leaveOrganisation(
    @Arg('id', () => ID) id: string,
    @Ctx() { asSystem }: Context,
  ): Promise<DeletePayload> {
    const deletedId = await asSystem(work => leaveOrganisation(work, id))
    return { deletedId, organisation: null }
  }
}
