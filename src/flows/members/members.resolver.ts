import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { RevokeSessionsPayload } from '../../credentials/sessions/session.type.ts'
import { MemberPayload } from '../../tenancy/memberships/member.type.ts'
import { addPerson } from './add-people.service.ts'
import { withinHourlyLimit } from './additions.ts'
import { actOnMember } from './acts.service.ts'
import { DeletePayload } from '../../tenancy/organisations/organisation.type.ts'
import { AddMemberInput, AddMemberPayload, InviteMemberInput } from './members.type.ts'

@Resolver()
export class MemberActsResolver {
  @Mutation(() => AddMemberPayload, {
    nullable: true,
    description:
      'Add a person. A new account gets a mailed link to set a password and stays `INVITED` until then; an existing account joins at once and is told so. Nothing else about the account is revealed. Needs `manageUser`, and without mail a session.',
  })
  addMember(
    @Arg('input', () => AddMemberInput) input: AddMemberInput,
    @Ctx() context: Context,
  ): Promise<AddMemberPayload> {
    return withinHourlyLimit(context, 1, () =>
      context.transact(work => addPerson(work, { how: 'ADD', input, path: ['input'] })),
    )
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description: 'Ask a person to join. Nothing is granted until they accept. Needs `manageUser`.',
  })
  inviteMember(
    @Arg('input', () => InviteMemberInput) input: InviteMemberInput,
    @Ctx() context: Context,
  ): Promise<MemberPayload> {
    return withinHourlyLimit(context, 1, () =>
      context.transact(work => addPerson(work, { how: 'INVITE', input, path: ['input'] })),
    )
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description:
      'Stop new sign-ins and key use here. Sessions already open run on until they end. Needs `manageUser`.',
  })
  lockMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
  ): Promise<MemberPayload> {
    return transact(work => actOnMember(work, 'LOCK', id, { reason }))
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description: 'Lift a lock. Needs `manageUser`.',
  })
  unlockMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<MemberPayload> {
    return transact(work => actOnMember(work, 'UNLOCK', id))
  }

  @Mutation(() => DeletePayload, {
    nullable: true,
    description:
      'End a membership together with its roles, project access and keys. The account lives on. Needs `manageUser`.',
  })
  async removeMember(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, caller }: Context,
  ): Promise<DeletePayload> {
    const { member } = await transact(work => actOnMember(work, 'REMOVE', id))
    return { deletedId: member.id, organisation: caller!.organisation }
  }

  @Mutation(() => RevokeSessionsPayload, {
    nullable: true,
    description:
      'End every session a member has in this organisation. Needs `manageUser`. Sessions only.',
  })
  async revokeMemberSessions(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<RevokeSessionsPayload> {
    const { sessions } = await transact(work => actOnMember(work, 'REVOKE_SESSIONS', id))
    return { count: sessions }
  }
}
