import { Arg, Ctx, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { Acknowledgement } from '../../shared/payloads.type.ts'
import { EmailAddress } from '../../shared/scalars.ts'
import { requestMail } from '../mail-requests/mail-request.service.ts'
import { hashNewPassword, resetPassword } from './password-reset.service.ts'
import { ResetPasswordInput } from './password-reset.type.ts'

@Resolver()
export class PasswordResetResolver {
  @Mutation(() => Acknowledgement, {
    nullable: true,
    description:
      'Mail a link for choosing a new password. The answer is the same for every address. Public.',
  })
  requestPasswordReset(
    @Arg('email', () => EmailAddress) email: string,
    @Ctx() context: Context,
  ): Promise<Acknowledgement> {
    return requestMail(context, { kind: 'PASSWORD_RESET', email, projectId: null })
  }

  @Mutation(() => Acknowledgement, {
    nullable: true,
    description:
      'Choose a new password with a mailed token. Ends every session and starts none. Public.',
  })
  async resetPassword(
    @Arg('input', () => ResetPasswordInput) { token, newPassword }: ResetPasswordInput,
    @Ctx() context: Context,
  ): Promise<Acknowledgement> {
    await context.close() // the reads of earlier fields: on PGlite they hold the only connection
    const { system, now, node } = context
    const tools = { system, now, hasher: node.hasher }
    const passwordHash = await hashNewPassword(tools, { token, newPassword })
    return context.asSystem(work => resetPassword(work, token, passwordHash))
  }
}
