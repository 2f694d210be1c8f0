import { Field, InputType } from 'type-graphql'

/** Changes to your own profile. */
@InputType({ description: 'Changes to your own profile.' })
export class UpdateProfileInput {
  @Field(() => String, { nullable: true })
  firstName?: string | null

  @Field(() => String, { nullable: true })
  lastName?: string | null

  @Field(() => String, { nullable: true })
  phoneNumber?: string | null

  @Field(() => String, { nullable: true })
  locale?: string | null

  @Field(() => String, { nullable: true })
  timeZone?: string | null
}
