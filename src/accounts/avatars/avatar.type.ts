import { Field, ID, InputType, Int, ObjectType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { DateTime, WebUrl } from '../../shared/scalars.ts'

/** The image about to be sent. */
@InputType({ description: 'The image about to be sent.' })
export class CreateAvatarUploadInput {
  @Field(() => String, { description: '`image/png`, `image/jpeg` or `image/webp`.' })
  contentType!: string

  @Field(() => Int, { description: 'Size in bytes, at most 5 MB.' })
  size!: number
}

/** A header the upload request must carry. */
@ObjectType({ description: 'A header the upload request must carry.', simpleResolvers: true })
export class UploadHeader {
  @Field(() => String)
  name!: string

  @Field(() => String)
  value!: string
}

/** Where and how to send a file: one plain HTTP request with the bytes as its body. */
@ObjectType({
  description: 'Where and how to send a file: one plain HTTP request with the bytes as its body.',
  simpleResolvers: true,
})
export class UploadTarget {
  @Field(() => ID, { description: 'Pass to `setAvatar` once the bytes are there.' })
  id!: string

  @Field(() => WebUrl)
  url!: string

  @Field(() => String, { description: 'HTTP method to use.' })
  method!: string

  @Field(() => [UploadHeader])
  headers!: UploadHeader[]

  @Field(() => DateTime)
  expiresAt!: Instant
}
