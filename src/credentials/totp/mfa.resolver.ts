import { Arg, Ctx, FieldResolver, ID, Int, Mutation, Resolver, Root } from 'type-graphql'
import { inSession } from '../../access/viewer.ts'
import { User } from '../../accounts/users/user.type.ts'
import type { Context } from '../../graphql/context.ts'
import { confirmTotpEnrolment, startTotpEnrolment } from './enrolment.service.ts'
import { regenerateRecoveryCodes, removeMfaFactor } from './mfa.service.ts'
import { ConfirmTotpEnrolmentInput, Mfa, MfaFactor, MfaPayload, TotpEnrolment } from './mfa.type.ts'
import { codeTools } from './second-factor.service.ts'

/** How the caller's own account stands, read anew. */
async function stateOf({ viewer, loaders }: Context): Promise<Mfa> {
  const { userId } = inSession(viewer)
  const factors = await loaders.factorsOf.load(userId)
  return { userId, enabled: factors.length > 0 }
}

@Resolver()
export class MfaActsResolver {
  @Mutation(() => TotpEnrolment, {
    nullable: true,
    description:
      'Begin adding an authenticator app. Nothing counts until confirmed. Needs a recent sign-in. Sessions only.',
  })
  startTotpEnrolment(
    @Ctx() { viewer, asSystem }: Context,
    @Arg('name', () => String, {
      nullable: true,
      description: 'What to call the device, such as `Phone`.',
    })
    name?: string | null,
  ): Promise<TotpEnrolment> {
    const person = inSession(viewer)
    return asSystem(work => startTotpEnrolment(work, person, name ?? null))
  }

  @Mutation(() => MfaPayload, {
    nullable: true,
    description: 'Finish adding an authenticator app with a code from it. Sessions only.',
  })
  async confirmTotpEnrolment(
    @Arg('input', () => ConfirmTotpEnrolmentInput) input: ConfirmTotpEnrolmentInput,
    @Ctx() context: Context,
  ): Promise<MfaPayload> {
    const person = inSession(context.viewer)
    const recoveryCodes = await confirmTotpEnrolment(await codeTools(context), person, input)
    return { mfa: await stateOf(context), recoveryCodes }
  }

  @Mutation(() => MfaPayload, {
    nullable: true,
    description:
      'Remove one of your second factors, proving it once more. Needs a recent sign-in. Sessions only.',
  })
  async removeMfaFactor(
    @Arg('id', () => ID) id: string,
    @Arg('code', () => String, { description: 'A code from the factor, or a recovery code.' })
    code: string,
    @Ctx() context: Context,
  ): Promise<MfaPayload> {
    const person = inSession(context.viewer)
    await removeMfaFactor(await codeTools(context), person, id, code)
    return { mfa: await stateOf(context), recoveryCodes: null }
  }

  @Mutation(() => MfaPayload, {
    nullable: true,
    description: 'Replace all recovery codes. Needs a recent sign-in. Sessions only.',
  })
  async regenerateRecoveryCodes(@Ctx() context: Context): Promise<MfaPayload> {
    const person = inSession(context.viewer)
    const recoveryCodes = await context.asSystem(work => regenerateRecoveryCodes(work, person))
    return { mfa: await stateOf(context), recoveryCodes }
  }
}

@Resolver(() => Mfa)
export class MfaResolver {
  @FieldResolver(() => Boolean, {
    description: 'True when the platform or the organisation in use insists.',
  })
  async required(@Root() { userId }: Mfa, @Ctx() { viewer, loaders }: Context): Promise<boolean> {
    return viewer?.userId === userId ? viewer.mfaRequired : loaders.platformInsists.load(userId)
  }

  @FieldResolver(() => [MfaFactor])
  factors(@Root() { userId }: Mfa, @Ctx() { loaders }: Context) {
    return loaders.factorsOf.load(userId)
  }

  @FieldResolver(() => Int)
  recoveryCodesRemaining(@Root() { userId }: Mfa, @Ctx() { loaders }: Context) {
    return loaders.recoveryCodesOf.load(userId)
  }
}

@Resolver(() => User)
export class UserMfaResolver {
  @FieldResolver(() => Mfa)
  mfa(@Root() { id: userId, secondFactor: enabled }: User): Mfa {
    return { userId, enabled }
  }
}
