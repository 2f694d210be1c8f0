import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql'
import { inSession, selfOf } from '../../access/viewer.ts'
import { getUser } from '../../accounts/users/user.loaders.ts'
import { User, UserPayload } from '../../accounts/users/user.type.ts'
import { reserveMail } from '../../credentials/links/mail-limit.ts'
import type { Context } from '../../graphql/context.ts'
import { AppError, tokenInvalid } from '../../shared/errors.ts'
import { Acknowledgement } from '../../shared/payloads.type.ts'
import { EmailAddress } from '../../shared/scalars.ts'
import {
  cancelEmailChange,
  confirmEmailChange,
  requestEmailChange,
} from './email-change.service.ts'

@Resolver(() => User)
export class EmailChangeResolver {
  @FieldResolver(() => EmailAddress, {
    nullable: true,
    description: 'Address waiting for confirmation.',
  })
  pendingEmail(@Root() { id: userId }: User, @Ctx() { loaders, now }: Context) {
    return loaders.pendingEmail.load({ userId, now })
  }

  @Mutation(() => Acknowledgement, {
    nullable: true,
    description:
      'Ask to move your account to another address. Nothing changes until confirmed. Needs a recent sign-in. Sessions only.',
  })
  async requestEmailChange(
    @Arg('email', () => EmailAddress) email: string,
    @Ctx() context: Context,
  ): Promise<Acknowledgement> {
    await context.close() // the reads of earlier fields: on PGlite they hold the only connection
    const { system, request, now, viewer, asSystem } = context
    const person = inSession(viewer)
    await reserveMail(system, email, request.ipAddress, now)
    return asSystem(work => requestEmailChange(work, person, email))
  }

  @Mutation(() => Acknowledgement, {
    nullable: true,
    description:
      'Finish moving to another address with the token mailed there. Needs a session of the very account. Sessions only.',
  })
  async confirmEmailChange(
    @Arg('token', () => String) token: string,
    @Ctx() { viewer, asSystem }: Context,
  ): Promise<Acknowledgement> {
    const person = inSession(viewer)
    return asSystem(work => confirmEmailChange(work, person, token)).catch((error: unknown) => {
      // the address was taken this very moment, which is told no more than that it was taken before
      if (error instanceof AppError && error.code === 'CONFLICT') throw tokenInvalid(['token'])
      throw error
    })
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description: 'Call off a pending address change. Sessions only.',
  })
  async cancelEmailChange(@Ctx() { viewer, asSystem, read }: Context): Promise<UserPayload> {
    const person = inSession(viewer)
    await asSystem(work => cancelEmailChange(work, person))
    return { user: await getUser(read(selfOf(person)), person.userId) }
  }
}
