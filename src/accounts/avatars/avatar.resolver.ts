import { Arg, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql'
import { inSession, selfOf } from '../../access/viewer.ts'
import type { Context } from '../../graphql/context.ts'
import { WebUrl } from '../../shared/scalars.ts'
import { getUser } from '../users/user.loaders.ts'
import { User, UserPayload } from '../users/user.type.ts'
import { avatarUrl, createAvatarUpload, removeAvatar, setAvatar } from './avatar.service.ts'
import { CreateAvatarUploadInput, UploadTarget } from './avatar.type.ts'

@Resolver(() => User)
export class AvatarResolver {
  @FieldResolver(() => WebUrl, { nullable: true })
  avatarUrl(@Root() { avatarKey }: User, @Ctx() { node }: Context): string | null {
    return avatarUrl(node.server.config.PUBLIC_URL, avatarKey)
  }

  @Mutation(() => UploadTarget, {
    nullable: true,
    description: 'Ask where to send a profile image. Sessions only.',
  })
  createAvatarUpload(
    @Arg('input', () => CreateAvatarUploadInput) input: CreateAvatarUploadInput,
    @Ctx() { asSystem }: Context,
  ): Promise<UploadTarget> {
    return asSystem(work => createAvatarUpload(work, input))
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description: 'Use an uploaded image as your avatar. Sessions only.',
  })
  async setAvatar(
    @Arg('uploadId', () => ID) uploadId: string,
    @Ctx() context: Context,
  ): Promise<UserPayload> {
    await context.asSystem(work => setAvatar(work, uploadId))
    return readOwn(context)
  }

  @Mutation(() => UserPayload, {
    nullable: true,
    description: 'Go without an avatar. Sessions only.',
  })
  async removeAvatar(@Ctx() context: Context): Promise<UserPayload> {
    await context.asSystem(removeAvatar)
    return readOwn(context)
  }
}

/** The account in use as it now stands. */
export async function readOwn({ viewer, read }: Context): Promise<UserPayload> {
  const person = inSession(viewer)
  return { user: await getUser(read(selfOf(person)), person.userId) }
}
