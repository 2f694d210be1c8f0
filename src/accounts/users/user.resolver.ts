import { Ctx, Query, Resolver } from 'type-graphql'
import { selfOf } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { getUser } from './user.loaders.ts'
import { User } from './user.type.ts'

@Resolver(() => User)
export class UserResolver {
  @Query(() => User, {
    nullable: true,
    description: 'The signed-in person. For sessions only; API keys ask for `viewer`.',
  })
  me(@Ctx() { viewer, read }: Context): Promise<User> | null {
    return viewer && getUser(read(selfOf(viewer)), viewer.userId)
  }
}
