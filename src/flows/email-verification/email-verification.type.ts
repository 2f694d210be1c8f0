import { Field, InputType } from 'type-graphql'

/** The token from a confirmation mail. */
@InputType({ description: 'The token from a confirmation mail.' })
export class VerifyEmailInput {
  @Field(() => String)
  token!: string

  @Field(() => String, {
    nullable: true,
    description:
      'The password to use from now on: the one chosen when registering, or another. Whoever proves the mailbox\nchooses it; left out, a password set before the proof is void.',
  })
  password?: string | null
}
