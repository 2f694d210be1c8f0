import { Field, ID, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { DateTime, EmailAddress } from '../../shared/scalars.ts'

/** Standing of an account, a member or a service account. */
export const AccessStatus = enumOf('INVITED', 'ACTIVE', 'SUSPENDED', 'INACTIVE')
export type AccessStatus = keyof typeof AccessStatus
registerEnumType(AccessStatus, {
  name: 'AccessStatus',
  description: 'Standing of an account, a member or a service account.',
  valuesConfig: {
    INVITED: { description: 'Asked to join; setup is not finished.' },
    ACTIVE: { description: 'In good standing.' },
    SUSPENDED: { description: 'Barred for a while; nothing is lost.' },
    INACTIVE: { description: 'Switched off; can reach nothing.' },
  },
})

/** A person's account, one per email address, shared by all organisations they belong to. Only its owner and operators ever see it; everyone else sees a `Member`. */
@ObjectType({
  description:
    "A person's account, one per email address, shared by all organisations they belong to. Only its owner and operators ever see it; everyone else sees a `Member`.",
  implements: [Node],
  simpleResolvers: true,
})
export class User {
  @Field(() => ID)
  id!: string

  /** An authenticator app is confirmed. */
  secondFactor!: boolean

  @Field(() => EmailAddress, { description: 'The login.' })
  email!: string

  @Field(() => DateTime, { nullable: true })
  emailVerifiedAt!: Instant | null

  @Field(() => String)
  firstName!: string

  @Field(() => String)
  lastName!: string

  @Field(() => String, { description: 'First and last name together.' })
  name!: string

  avatarKey!: string | null

  @Field(() => String, { nullable: true })
  phoneNumber!: string | null

  @Field(() => String, { description: 'Language tag (BCP 47) for mail and messages.' })
  locale!: string

  @Field(() => String, { description: 'IANA time zone, such as `Europe/Paris`.' })
  timeZone!: string

  @Field(() => AccessStatus, { description: 'Standing of the account on the whole platform.' })
  status!: AccessStatus

  @Field(() => DateTime, { nullable: true })
  suspendedUntil!: Instant | null

  @Field(() => DateTime, {
    nullable: true,
    description: 'Set while an operator bars new sign-ins.',
  })
  lockedAt!: Instant | null

  @Field(() => DateTime, { nullable: true })
  passwordChangedAt!: Instant | null

  @Field(() => DateTime, { nullable: true })
  lastSignInAt!: Instant | null

  @Field(() => Boolean)
  operator!: boolean

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  updatedAt!: Instant
}

/** The user as it now stands. */
@ObjectType({ description: 'The user as it now stands.', simpleResolvers: true })
export class UserPayload {
  @Field(() => User)
  user!: User
}
