import { Arg, Ctx, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { Acknowledgement } from '../../shared/payloads.type.ts'
import { EmailAddress } from '../../shared/scalars.ts'
import { requestMail } from '../mail-requests/mail-request.service.ts'
import { hashFirstPassword, verifyEmail } from './email-verification.service.ts'
import { VerifyEmailInput } from './email-verification.type.ts'

@Resolver()
export class EmailVerificationResolver {
  @Mutation(() => Acknowledgement, {
    nullable: true,
    description:
      'Mail a fresh confirmation link. The answer is the same for every address. Public.',
  })
  requestEmailVerification(
    @Arg('email', () => EmailAddress) email: string,
    @Ctx() context: Context,
  ): Promise<Acknowledgement> {
    return requestMail(context, { kind: 'VERIFY_EMAIL', email, projectId: null })
  }

  @Mutation(() => Acknowledgement, {
    nullable: true,
    description:
      'Confirm an address with a mailed token. Public for a first confirmation; for a login that an administrator\nchanged it needs a session of that very account.',
  })
  async verifyEmail(
    @Arg('input', () => VerifyEmailInput) { token, password = null }: VerifyEmailInput,
    @Ctx() context: Context,
  ): Promise<Acknowledgement> {
    await context.close() // the reads of earlier fields: on PGlite they hold the only connection
    const { system, now, node, viewer } = context
    const tools = { system, now, hasher: node.hasher }
    const passwordHash = await hashFirstPassword(tools, { token, password })
    return context.asSystem(work => verifyEmail(work, viewer, token, passwordHash))
  }
}
