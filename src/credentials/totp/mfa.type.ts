import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { DateTime } from '../../shared/scalars.ts'

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

/** A confirmed second factor. */
@ObjectType({
  description: 'A confirmed second factor.',
  implements: [Node],
  simpleResolvers: true,
})
export class MfaFactor {
  @Field(() => ID)
  id!: string

  userId!: string

  @Field(() => MfaMethod)
  method!: MfaMethod

  @Field(() => String, { description: 'What its owner calls it.' })
  name!: string

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime, { nullable: true })
  lastUsedAt!: Instant | null
}

/** Second factors of an account. */
@ObjectType({ description: 'Second factors of an account.', simpleResolvers: true })
export class Mfa {
  userId!: string

  @Field(() => Boolean, { description: 'True once a factor has been confirmed.' })
  enabled!: boolean
}

/** A started, unconfirmed authenticator enrolment. Its secrets are shown this once. */
@ObjectType({
  description: 'A started, unconfirmed authenticator enrolment. Its secrets are shown this once.',
  simpleResolvers: true,
})
export class TotpEnrolment {
  @Field(() => ID)
  id!: string

  @Field(() => String, { description: 'For typing in by hand (base32).' })
  secret!: string

  @Field(() => String, { description: 'The `otpauth://` address that the QR code holds.' })
  uri!: string

  @Field(() => String, {
    description: 'The QR code to scan, as an SVG `data:` address ready for an `img`.',
  })
  qrCode!: string

  @Field(() => DateTime)
  expiresAt!: Instant
}

/** Second factors as they now stand. */
@ObjectType({ description: 'Second factors as they now stand.', simpleResolvers: true })
export class MfaPayload {
  @Field(() => Mfa)
  mfa!: Mfa

  @Field(() => [String], {
    nullable: true,
    description: 'Fresh recovery codes, shown this once; null when none were made.',
  })
  recoveryCodes!: string[] | null
}

/** An enrolment and a code that proves it took. */
@InputType({ description: 'An enrolment and a code that proves it took.' })
export class ConfirmTotpEnrolmentInput {
  @Field(() => ID)
  enrolmentId!: string

  @Field(() => String)
  code!: string
}
