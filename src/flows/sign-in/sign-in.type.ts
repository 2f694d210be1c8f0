import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import { TokenDelivery } from '../../credentials/sessions/session.type.ts'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
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
/** Ways to prove a second factor. */
export const MfaMethod = enumOf('TOTP', 'RECOVERY_CODE')
export type MfaMethod = keyof typeof MfaMethod
registerEnumType(MfaMethod, {
  name: 'MfaMethod',
  description: 'Ways to prove a second factor.',
  valuesConfig: {
    TOTP: { description: 'A six-digit code from an authenticator app.' },
    RECOVERY_CODE: { description: 'One of the single-use codes kept for emergencies.' },
  },
})

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
