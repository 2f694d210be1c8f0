import { Field, InputType } from 'type-graphql'

/** A mailed token and the password it buys. */
@InputType({ description: 'A mailed token and the password it buys.' })
export class ResetPasswordInput {
  @Field(() => String)
  token!: string

  @Field(() => String)
  newPassword!: string
}
