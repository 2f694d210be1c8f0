import { Arg, Ctx, Mutation, Resolver } from 'type-graphql'
import { readOwn } from '../../accounts/avatars/avatar.resolver.ts'
import { UserPayload } from '../../accounts/users/user.type.ts'
import type { Context } from '../../graphql/context.ts'
import { updateProfile } from './profile.service.ts'
import { UpdateProfileInput } from './profile.type.ts'

@Resolver()
export class ProfileResolver {
  @Mutation(() => UserPayload, {
    nullable: true,
    description: 'Change your own name, phone number, language and time zone. Sessions only.',
  })
  async updateProfile(
    @Arg('input', () => UpdateProfileInput) input: UpdateProfileInput,
    @Ctx() context: Context,
  ): Promise<UserPayload> {
    await context.asSystem(work => updateProfile(work, input))
    return readOwn(context)
  }
}
