import { Arg, Ctx, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { Acknowledgement } from '../../shared/payloads.type.ts'
import { requestMail } from '../mail-requests/mail-request.service.ts'
import { answer, SignInResult } from '../sign-in/sign-in.resolver.ts'
import { signInWithMagicLink } from './magic-link.service.ts'
import { RequestMagicLinkInput, SignInWithMagicLinkInput } from './magic-link.type.ts'

@Resolver()
export class MagicLinkResolver {
  @Mutation(() => Acknowledgement, {
    nullable: true,
    description: 'Mail a sign-in link. The answer is the same for every address. Public.',
  })
  requestMagicLink(
    @Arg('input', () => RequestMagicLinkInput) { email, projectId = null }: RequestMagicLinkInput,
    @Ctx() context: Context,
  ): Promise<Acknowledgement> {
    return requestMail(context, { kind: 'MAGIC_LINK', email, projectId })
  }

  @Mutation(() => SignInResult, {
    nullable: true,
    description:
      'Start a session from a mailed link. The page behind the link calls this; opening it does not. Public.',
  })
  async signInWithMagicLink(
    @Arg('input', () => SignInWithMagicLinkInput) input: SignInWithMagicLinkInput,
    @Ctx() context: Context,
  ): Promise<typeof SignInResult> {
    const { token, organisationId, delivery } = input
    const wanted = organisationId?.toLowerCase() ?? null // ids are written in either case
    return answer(
      context,
      await context.asSystem(work => signInWithMagicLink(work, { token, wanted, delivery })),
    )
  }
}
