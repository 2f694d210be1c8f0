import { Field, InputType } from 'type-graphql'

/** The old password and the new. */
@InputType({ description: 'The old password and the new.' })
export class ChangePasswordInput {
  @Field(() => String)
  currentPassword!: string

  @Field(() => String)
  newPassword!: string
}
