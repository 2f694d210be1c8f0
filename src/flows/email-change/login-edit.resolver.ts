import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql'
import { can, isAbove } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { only } from '../../shared/outcome.ts'
import { Member, MemberPayload, UpdateMemberInput } from '../../tenancy/memberships/member.type.ts'
import { reserveLoginEdits } from './login-edit-limit.ts'
import { changeMembersAndLogins } from './login-edit.service.ts'

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
    await reserveLoginEdits(context, input.email === undefined ? 0 : 1)
    const row = { id, input, path: ['input'] }
    return {
      member: only(await context.transact(work => changeMembersAndLogins(work, [row]))),
    }
  }
}
