import { Arg, createUnionType, Ctx, Mutation, Resolver } from 'type-graphql'
import { inSession, type Person } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { Authenticated, ReauthenticateInput } from '../../credentials/sessions/session.type.ts'
import { badInput } from '../../shared/errors.ts'
import { codeTools, findCode } from '../../credentials/totp/second-factor.service.ts'
import { enter, type Entered } from './entry.service.ts'
import { confirmSession, mustDoWithoutCode, type Proof } from './reauthenticate.service.ts'
import { comparePassword, provePassword, type ProofTools } from './sign-in.service.ts'
import { MfaChallenge, SignInInput, VerifyMfaInput } from './sign-in.type.ts'
import { verifyMfa } from './verify.service.ts'

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
    const tools = await proofTools(context)
    const { proven, handBack } = await comparePassword(tools, email, password, wanted)
    const entry = { ...proven, wanted, method: 'PASSWORD', confinedTo: null, delivery } as const
    const entering = context.asSystem(work => enter(work, entry))
    const [entered] = await Promise.all([entering, handBack()])
    return answer(context, entered)
  }

  @Mutation(() => Authenticated, {
    nullable: true,
    description: 'Answer an `MfaChallenge`. Public.',
  })
  async verifyMfa(
    @Arg('input', () => VerifyMfaInput) input: VerifyMfaInput,
    @Ctx() context: Context,
  ): Promise<Authenticated> {
    return context.authenticated(await verifyMfa(await codeTools(context), input))
  }

  @Mutation(() => Authenticated, {
    nullable: true,
    description:
      'Prove again who is there, before something sensitive. Renews the tokens. Sessions only.',
  })
  async reauthenticate(
    @Arg('input', () => ReauthenticateInput) input: ReauthenticateInput,
    @Ctx() context: Context,
  ): Promise<Authenticated> {
    const viewer = inSession(context.viewer)
    const { proof, handBack } = await prove(context, viewer, input)
    const renewed = await context.asSystem(work => confirmSession(work, viewer, proof))
    await handBack()
    return context.authenticated(renewed)
  }
}

interface Proven {
  proof: Proof
  /** The guess was right: it counts no more. */
  handBack: () => Promise<void>
}

/** Looks at the proof that was given; a code before all others, for it does for every account that has one. */
async function prove(
  context: Context,
  viewer: Person,
  { password, code, magicLinkToken }: ReauthenticateInput,
): Promise<Proven> {
  if (code) {
    const guess = { userId: viewer.userId, code, path: ['input', 'code'] }
    const found = await findCode(await codeTools(context), guess)
    return { proof: { code: found }, handBack: () => found.handBack() }
  }
  if (!password && magicLinkToken)
    return { proof: { magicLinkToken }, handBack: async () => undefined }
  if (!password)
    throw badInput(
      ['input'],
      'REQUIRED',
      'Prove who you are: with your password, a code, or a mailed link.',
    )
  const tools = await proofTools(context)
  await mustDoWithoutCode(tools.system, viewer.userId)
  const method = context.caller?.session?.method
  const proven = await provePassword(tools, viewer.email, password, viewer.organisationId, method)
  return { proof: { password: proven }, handBack: async () => undefined }
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
