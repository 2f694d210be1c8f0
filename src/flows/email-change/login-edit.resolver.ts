import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql'
import { can, isAbove } from '../../access/viewer.ts'
import { reserveMail } from '../../credentials/links/mail-limit.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { Member, MemberPayload, UpdateMemberInput } from '../../tenancy/memberships/member.type.ts'
import { changeMember } from './login-edit.service.ts'

@Resolver(() => Member)
export class LoginEditResolver {
  @FieldResolver(() => Boolean, {
    description: 'True when, beyond that, the account belongs to this organisation alone.',
  })
  async viewerCanChangeEmail(
    @Root() member: Member,
    @Ctx() { viewer, loaders }: Context,
  ): Promise<boolean> {
    const { organisationId, id, userId, roleId } = member
    const here = viewer?.organisationId === organisationId && viewer.credential === 'SESSION'
    if (!here || !userId || member.removedAt || id === viewer.principalId) return false
    if (!can(viewer, 'manageUser')) return false
    const role = await certain(loaders.role.load({ organisationId, id: roleId }))
    if (!isAbove(viewer, role)) return false
    return (await loaders.soleAccount.load({ organisationId, id }))?.sole ?? false
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description:
      "Change a member's role, name, login or external id. Needs `manageUser`; the login, a session.",
  })
  async updateMember(
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateMemberInput) input: UpdateMemberInput,
    @Ctx() context: Context,
  ): Promise<MemberPayload> {
    await context.close() // the reads of earlier fields: on PGlite they hold the only connection
    const { system, request, now, transact } = context
    if (input.email) await reserveMail(system, input.email, request.ipAddress, now)
    return { member: await transact(work => changeMember(work, id, input)) }
  }
}
