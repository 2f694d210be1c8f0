import { Field, ID, InputType } from 'type-graphql'
import { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import { EmailAddress } from '../../shared/scalars.ts'

/** Whom to mail a link. */
@InputType({ description: 'Whom to mail a link.' })
export class RequestMagicLinkInput {
  @Field(() => EmailAddress)
  email!: string

  @Field(() => ID, {
    nullable: true,
    description:
      'Project whose sign-in page the link should open, for people who can enter it. The session then acts in its organisation only.',
  })
  projectId?: string | null
}

/** The token from a mailed link. */
@InputType({ description: 'The token from a mailed link.' })
export class SignInWithMagicLinkInput {
  @Field(() => String)
  token!: string

  @Field(() => ID, { nullable: true })
  organisationId?: string | null

  @Field(() => TokenDelivery, { defaultValue: 'BODY' })
  delivery!: TokenDelivery
}
