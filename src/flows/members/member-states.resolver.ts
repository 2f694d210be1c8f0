import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { DeletePayload } from '../../tenancy/organisations/organisation.type.ts'
import { MemberPayload } from '../../tenancy/memberships/member.type.ts'
import {
  activateMember,
  deactivateMember,
  leaveOrganisation,
  suspendMember,
} from './member-states.service.ts'
import { SuspendInput } from './suspend.type.ts'

@Resolver()
export class MemberStatesResolver {
  @Mutation(() => MemberPayload, {
    nullable: true,
    description:
      'Bar a member for a while. Takes effect on their next request. Needs `manageUser`.',
  })
  async suspendMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
    @Arg('input', () => SuspendInput, { nullable: true }) input?: SuspendInput | null,
  ): Promise<MemberPayload> {
    return {
      member: await transact(work =>
        suspendMember(work, id, input?.reason ?? null, input?.until ?? null),
      ),
    }
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description:
      'Bar a member until further notice. Takes effect on their next request. Needs `manageUser`.',
  })
  async deactivateMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
  ): Promise<MemberPayload> {
    return { member: await transact(work => deactivateMember(work, id, reason ?? null)) }
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description: 'Readmit a suspended or inactive member. Needs `manageUser`.',
  })
  async activateMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<MemberPayload> {
    return { member: await transact(work => activateMember(work, id)) }
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
