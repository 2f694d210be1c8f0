import { Field, ID, InputType, ObjectType } from 'type-graphql'
import { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import { MfaMethod } from '../../credentials/totp/mfa.type.ts'
import type { Instant } from '../../database/columns.ts'
import { DateTime, EmailAddress } from '../../shared/scalars.ts'

/** An address and its password. */
@InputType({ description: 'An address and its password.' })
export class SignInInput {
  @Field(() => EmailAddress)
  email!: string

  @Field(() => String)
  password!: string

  @Field(() => ID, {
    nullable: true,
    description: 'Organisation to act in. Otherwise the last one used, or the first that is open.',
  })
  organisationId?: string | null

  @Field(() => TokenDelivery, { defaultValue: 'BODY' })
  delivery!: TokenDelivery
}

/** A challenge and its answer. */
@InputType({ description: 'A challenge and its answer.' })
export class VerifyMfaInput {
  @Field(() => String, { description: 'From `MfaChallenge.token`.' })
  challenge!: string

  @Field(() => MfaMethod, { defaultValue: 'TOTP' })
  method!: MfaMethod

  @Field(() => String)
  code!: string

  @Field(() => TokenDelivery, { defaultValue: 'BODY' })
  delivery!: TokenDelivery
}

/** The password or link was right; a second factor is still owed. */
@ObjectType({
  description: 'The password or link was right; a second factor is still owed.',
  simpleResolvers: true,
})
export class MfaChallenge {
  @Field(() => String, { description: 'Pass to `verifyMfa`. Good for nothing else.' })
  token!: string

  @Field(() => [MfaMethod])
  methods!: MfaMethod[]

  @Field(() => DateTime)
  expiresAt!: Instant
}
