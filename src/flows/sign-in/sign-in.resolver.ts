import { Arg, createUnionType, Ctx, Mutation, Resolver } from 'type-graphql'
import { inSession } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { Authenticated, ReauthenticateInput } from '../../credentials/sessions/session.type.ts'
import { badInput } from '../../shared/errors.ts'
import { confirmSession } from './reauthenticate.service.ts'
import { enter, type Entered } from './entry.service.ts'
import { provePassword, type ProofTools } from './sign-in.service.ts'
import { MfaChallenge, SignInInput } from './sign-in.type.ts'

/** Either a session, or the question that must be answered first. */
export const SignInResult = createUnionType({
  name: 'SignInResult',
  description: 'Either a session, or the question that must be answered first.',
  types: () => [Authenticated, MfaChallenge] as const,
  resolveType: value => ('accessToken' in value ? 'Authenticated' : 'MfaChallenge'),
})

@Resolver()
export class SignInResolver {
  @Mutation(() => SignInResult, {
    nullable: true,
    description: 'Start a session with a password. Public.',
  })
  async signIn(
    @Arg('input', () => SignInInput) { email, password, organisationId, delivery }: SignInInput,
    @Ctx() context: Context,
  ): Promise<typeof SignInResult> {
    const wanted = organisationId?.toLowerCase() ?? null // ids are written in either case
    const { userId } = await provePassword(await proofTools(context), email, password, wanted)
    const entry = { userId, wanted, method: 'PASSWORD', confinedTo: null, delivery } as const
    return answer(context, await context.asSystem(work => enter(work, entry)))
  }

  @Mutation(() => Authenticated, {
    nullable: true,
    description:
      'Prove again who is there, before something sensitive. Renews the tokens. Sessions only.',
  })
  async reauthenticate(
    @Arg('input', () => ReauthenticateInput) { password }: ReauthenticateInput,
    @Ctx() context: Context,
  ): Promise<Authenticated> {
    const viewer = inSession(context.viewer)
    if (!password)
      throw badInput(['input', 'password'], 'REQUIRED', 'Prove who you are with your password.')
    await provePassword(await proofTools(context), viewer.email, password, viewer.organisationId)
    return context.authenticated(await context.asSystem(work => confirmSession(work, viewer)))
  }
}

/** What a client gets of an entry: tokens, or the question that must be answered first. */
export const answer = (
  context: Context,
  entered: Entered,
): Promise<Authenticated> | MfaChallenge =>
  'session' in entered ? context.authenticated(entered.session) : entered.challenge

/** What a proof needs. The reads of earlier fields are ended first: on PGlite they hold the only connection. */
async function proofTools(context: Context): Promise<ProofTools> {
  await context.close()
  const { system, node, request, now } = context
  return { system, hasher: node.hasher, request, now }
}
