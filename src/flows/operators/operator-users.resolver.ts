import { Arg, Ctx, ID, Mutation, Resolver } from 'type-graphql'
import type { Work } from '../../access/work.ts'
import { operatorOf } from '../../access/viewer.ts'
import { getUser } from '../../accounts/users/user.loaders.ts'
import type { User } from '../../accounts/users/user.type.ts'
import { UserPayload } from '../../accounts/users/user.type.ts'
import { RevokeSessionsPayload } from '../../credentials/sessions/session.type.ts'
import type { Context } from '../../graphql/context.ts'
import { SuspendInput } from '../members/suspend.type.ts'
import {
  activateUser,
  deactivateUser,
  grantOperator,
  lockUser,
  resetUserMfa,
  revokeOperator,
  revokeUserSessions,
  suspendUser,
  unlockUser,
} from './operator-users.service.ts'

/** Acts as *operator*, then reads the account as it now stands. */
async function change(context: Context, act: (work: Work) => Promise<string>): Promise<User> {
  const id = await context.transact(act, operatorOf(context.viewer))
  return getUser(context.read(operatorOf(context.viewer)), id)
}

@Resolver()
export class OperatorUsersResolver {
  @Mutation(() => UserPayload, {
    nullable: true,
    description:
      "Stop an account's new sign-ins and key use everywhere. Open sessions run on. Operators only, with a recent sign-in. Sessions only.",
  })
  async lockUser(
    @Arg('id', () => ID) id: string,
    @Ctx() context: Context,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
  ): Promise<UserPayload> {
    return { user: await change(context, work => lockUser(work, id, reason ?? null)) }
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description: 'Lift an account lock. Operators only, with a recent sign-in. Sessions only.',
  })
  async unlockUser(@Arg('id', () => ID) id: string, @Ctx() context: Context): Promise<UserPayload> {
    return { user: await change(context, work => unlockUser(work, id)) }
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description:
      'Bar an account everywhere, for a while. Operators only, with a recent sign-in. Sessions only.',
  })
  async suspendUser(
    @Arg('id', () => ID) id: string,
    @Ctx() context: Context,
    @Arg('input', () => SuspendInput, { nullable: true }) input?: SuspendInput | null,
  ): Promise<UserPayload> {
    return {
      user: await change(context, work =>
        suspendUser(work, id, input?.reason ?? null, input?.until ?? null),
      ),
    }
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description:
      'Bar an account everywhere, until further notice. Operators only, with a recent sign-in. Sessions only.',
  })
  async deactivateUser(
    @Arg('id', () => ID) id: string,
    @Ctx() context: Context,
    @Arg('reason', () => String, { nullable: true }) reason?: string | null,
  ): Promise<UserPayload> {
    return { user: await change(context, work => deactivateUser(work, id, reason ?? null)) }
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description:
      'Readmit a suspended or inactive account. Operators only, with a recent sign-in. Sessions only.',
  })
  async activateUser(
    @Arg('id', () => ID) id: string,
    @Ctx() context: Context,
  ): Promise<UserPayload> {
    return { user: await change(context, work => activateUser(work, id)) }
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description:
      'Remove all second factors of someone who lost theirs. Ends their sessions and tells them. Operators only, with a recent sign-in. Sessions only.',
  })
  async resetUserMfa(
    @Arg('id', () => ID) id: string,
    @Arg('reason', () => String) reason: string,
    @Ctx() context: Context,
  ): Promise<UserPayload> {
    return { user: await change(context, work => resetUserMfa(work, id, reason)) }
  }

  @Mutation(() => RevokeSessionsPayload, {
    nullable: true,
    description:
      'End every session of an account. Operators only, with a recent sign-in. Sessions only.',
  })
  async revokeUserSessions(
    @Arg('id', () => ID) id: string,
    @Ctx() context: Context,
  ): Promise<RevokeSessionsPayload> {
    return {
      count: await context.transact(
        work => revokeUserSessions(work, id),
        operatorOf(context.viewer),
      ),
    }
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description:
      'Make an account a platform operator. Operators only, with a recent sign-in. Sessions only.',
  })
  async grantOperator(
    @Arg('userId', () => ID) userId: string,
    @Ctx() context: Context,
  ): Promise<UserPayload> {
    return { user: await change(context, work => grantOperator(work, userId)) }
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description:
      "End an account's time as operator. One operator must remain. Operators only, with a recent sign-in. Sessions only.",
  })
  async revokeOperator(
    @Arg('userId', () => ID) userId: string,
    @Ctx() context: Context,
  ): Promise<UserPayload> {
    return { user: await change(context, work => revokeOperator(work, userId)) }
  }
}
