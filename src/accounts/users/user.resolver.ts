import { Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql'
import { inSession, selfOf } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { DateTime } from '../../shared/scalars.ts'
import { getUser } from './user.loaders.ts'
import { standingAt } from './status.ts'
import { AccessStatus, User } from './user.type.ts'

@Resolver(() => User)
export class UserResolver {
  @FieldResolver(() => AccessStatus, {
    description: 'Standing of the account on the whole platform.',
  })
  status(@Root() user: User, @Ctx() { now }: Context) {
    return standingAt(user, now).status
  }

  @FieldResolver(() => DateTime, { nullable: true })
  suspendedUntil(@Root() user: User, @Ctx() { now }: Context) {
    return standingAt(user, now).suspendedUntil
  }

  @Query(() => User, {
    nullable: true,
    description: 'The signed-in person. For sessions only; API keys ask for `viewer`.',
  })
  me(@Ctx() { viewer, read }: Context): Promise<User> {
    const person = inSession(viewer)
    return getUser(read(selfOf(person)), person.userId)
  }
}
