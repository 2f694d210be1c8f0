import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import { inSession } from '../../access/viewer.ts'
import { reserveMail } from '../../credentials/links/mail-limit.ts'
import { readPasswordRules } from '../../credentials/passwords/password-rules.service.ts'
import { mustBeAcceptable } from '../../credentials/passwords/password.service.ts'
import { Authenticated } from '../../credentials/sessions/session.type.ts'
import type { Context } from '../../graphql/context.ts'
import { MemberPayload } from '../../tenancy/memberships/member.type.ts'
import { wrongCredentials } from '../sign-in/entry.service.ts'
import { provePassword } from '../sign-in/sign-in.service.ts'
import {
  changePassword,
  getMemberWithAccount,
  requestMemberPasswordReset,
} from './password-change.service.ts'
import { ChangePasswordInput } from './password-change.type.ts'

@Resolver()
export class PasswordChangeResolver {
  @Mutation(() => Authenticated, {
    nullable: true,
    description:
      'Replace your password. Ends your other sessions and renews this one. Sessions only.',
  })
  async changePassword(
    @Arg('input', () => ChangePasswordInput) { currentPassword, newPassword }: ChangePasswordInput,
    @Ctx() context: Context,
  ): Promise<Authenticated> {
    await context.close() // the reads of earlier fields: on PGlite they hold the only connection
    const person = inSession(context.viewer)
    const { system, request, now, node } = context
    const { hasher } = node
    const { userId, organisationId } = person
    const rules = await readPasswordRules(system, { userId })
    mustBeAcceptable(newPassword, rules, ['input', 'newPassword'])
    const tools = { system, hasher, request, now }
    // an organisation may take other ways in alone: the session that is here came by one
    const method = context.caller?.session?.method
    const proven = await provePassword(tools, person.email, currentPassword, organisationId, method)
    if (proven.userId !== userId) throw wrongCredentials()
    const change = {
      provenSetAt: proven.passwordSetAt,
      passwordHash: await hasher.hash(newPassword),
    }
    return context.authenticated(
      await context.asSystem(work => changePassword(work, person, change)),
    )
  }

  @Mutation(() => MemberPayload, {
    nullable: true,
    description:
      'Mail a member the usual password link. The caller never sees it. Needs `manageUser`. Sessions only.',
  })
  async requestMemberPasswordReset(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact, system, request, now }: Context,
  ): Promise<MemberPayload> {
    const { email } = await transact(work => getMemberWithAccount(work, id))
    await reserveMail(system, email, request.ipAddress, now)
    return { member: await transact(work => requestMemberPasswordReset(work, id)) }
  }
}
