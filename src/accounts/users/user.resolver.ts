import { Ctx, Query, Resolver } from 'type-graphql'
import { inSession, selfOf } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { getUser } from './user.loaders.ts'
import { User } from './user.type.ts'

@Resolver(() => User)
export class UserResolver {
  @Query(() => User, {
    nullable: true,
    description: 'The signed-in person. For sessions only; API keys ask for `viewer`.',
  })
  me(@Ctx() { viewer, read }: Context): Promise<User> {
    const person = inSession(viewer)
    return getUser(read(selfOf(person)), person.userId)
  }
}
