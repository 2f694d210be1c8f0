import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Resolver,
  Root,
} from 'type-graphql'
import { inSession, selfOf } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { readOwn } from '../avatars/avatar.resolver.ts'
import { User, UserPayload } from '../users/user.type.ts'
import { listNotifications } from './notification.loaders.ts'
import { markRead } from './notification.service.ts'
import {
  NotificationConnection,
  NotificationPreference,
  NotificationPreferenceInput,
} from './notification.type.ts'
import { readPreferences, setPreferences } from './preference.service.ts'

@ArgsType()
class NotificationsArgs extends PageArgs {
  @Field(() => Boolean, { nullable: true })
  unread?: boolean | null
}

@Resolver(() => User)
export class NotificationResolver {
  @FieldResolver(() => NotificationConnection, {
    description: 'Messages kept for reading in an app, newest first.',
  })
  notifications(
    @Root() { id }: User,
    @Args(() => NotificationsArgs) args: NotificationsArgs,
    @Ctx() context: Context,
  ) {
    const { node, now } = context
    return listNotifications(context.readOwn(id), node.server.keys, id, args, now)
  }

  @FieldResolver(() => [NotificationPreference])
  notificationPreferences(
    @Root() { id }: User,
    @Ctx() context: Context,
  ): Promise<NotificationPreference[]> {
    return readPreferences(context.readOwn(id), id)
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description:
      'Choose what you hear about, and how. Pairs left out stay as they are. Sessions only.',
  })
  async setNotificationPreferences(
    @Arg('preferences', () => [NotificationPreferenceInput])
    preferences: NotificationPreferenceInput[],
    @Ctx() context: Context,
  ): Promise<UserPayload> {
    const person = inSession(context.viewer)
    await context.transact(work => setPreferences(work, person.userId, preferences), selfOf(person))
    return readOwn(context)
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description: 'Mark notifications as read; all of them when no ids are given. Sessions only.',
  })
  async markNotificationsRead(
    @Ctx() context: Context,
    @Arg('ids', () => [ID], { nullable: true }) ids?: string[] | null,
  ): Promise<UserPayload> {
    const person = inSession(context.viewer)
    await context.transact(work => markRead(work, ids ?? null), selfOf(person))
    return readOwn(context)
  }
}
