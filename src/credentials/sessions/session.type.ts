import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'
import { SignInMethod } from '../../tenancy/policies/policy.type.ts'
import { User } from '../../accounts/users/user.type.ts'

/** Something a session must get done before it is fully usable. */
export const SessionTask = enumOf('VERIFY_EMAIL', 'ENROL_MFA', 'CHOOSE_ORGANISATION')
export type SessionTask = keyof typeof SessionTask
registerEnumType(SessionTask, {
  name: 'SessionTask',
  description: 'Something a session must get done before it is fully usable.',
  valuesConfig: {
    CHOOSE_ORGANISATION: {
      description: 'No organisation is open to this person; found one, or accept an invitation.',
    },
  },
})

/** A signed-in device or browser. */
@ObjectType({
  description: 'A signed-in device or browser.',
  implements: [Node],
  simpleResolvers: true,
})
export class Session {
  @Field(() => ID)
  id!: string

  userId!: string
  organisationId!: string | null
  principalId!: string | null
  projectId!: string | null

  @Field(() => Boolean, { description: 'True for the session that asks.' })
  current!: boolean

  @Field(() => SignInMethod)
  method!: SignInMethod

  @Field(() => DateTime, {
    description:
      'When the person last proved who they are. Sensitive steps need this to be recent.',
  })
  authenticatedAt!: Instant

  @Field(() => DateTime, {
    nullable: true,
    description: 'When a second factor was last proven in it.',
  })
  mfaVerifiedAt!: Instant | null

  @Field(() => [SessionTask], {
    description:
      'What must happen before anything else is allowed. Until then access tokens name no organisation, role or permission.',
  })
  tasks!: SessionTask[]

  @Field(() => String)
  ipAddress!: string

  @Field(() => String, { nullable: true })
  userAgent!: string | null

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  lastActiveAt!: Instant

  @Field(() => DateTime, { description: 'When it ends if nothing is done in it.' })
  idleExpiresAt!: Instant

  @Field(() => DateTime, { description: 'When it ends whatever is done in it.' })
  expiresAt!: Instant

  @Field(() => DateTime, {
    nullable: true,
    description: 'Set once it was signed out, revoked or ran out.',
  })
  endedAt!: Instant | null
}

/** How refresh tokens reach the client. */
export const TokenDelivery = enumOf('BODY', 'COOKIE')
export type TokenDelivery = keyof typeof TokenDelivery
registerEnumType(TokenDelivery, {
  name: 'TokenDelivery',
  description: 'How refresh tokens reach the client.',
  valuesConfig: {
    BODY: { description: 'In the response. For native apps and scripts.' },
    COOKIE: { description: 'In an `HttpOnly` cookie that scripts cannot read. For browsers.' },
  },
})

/** The session as it now stands. */
@ObjectType({ description: 'The session as it now stands.', simpleResolvers: true })
export class SessionPayload {
  @Field(() => Session)
  session!: Session
}

/** How much was ended. */
@ObjectType({ description: 'How much was ended.', simpleResolvers: true })
export class RevokeSessionsPayload {
  @Field(() => Int, { description: 'How many sessions were ended.' })
  count!: number
}

/** A session with the tokens to use it. */
@ObjectType({ description: 'A session with the tokens to use it.', simpleResolvers: true })
export class Authenticated {
  @Field(() => String, { description: 'Send as `Authorization: Bearer …`. Lasts minutes.' })
  accessToken!: string

  @Field(() => DateTime)
  accessTokenExpiresAt!: Instant

  @Field(() => String, {
    nullable: true,
    description: 'Good for one use. Null when the session keeps it in a cookie.',
  })
  refreshToken!: string | null

  @Field(() => Session)
  session!: Session

  @Field(() => User)
  user!: User
}

/** The refresh token, for clients that hold it themselves. */
@InputType({ description: 'The refresh token, for clients that hold it themselves.' })
export class RefreshSessionInput {
  @Field(() => String, { nullable: true, description: 'Leave out to use the cookie.' })
  refreshToken?: string | null
}

/** One proof is enough, except that accounts with a second factor must prove that. */
@InputType({
  description: 'One proof is enough, except that accounts with a second factor must prove that.',
})
export class ReauthenticateInput {
  @Field(() => String, { nullable: true })
  password?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'From an authenticator app, or a recovery code.',
  })
  code?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'From a freshly mailed link, for accounts without a password.',
  })
  magicLinkToken?: string | null
}

export const SessionConnection = connectionTypes('Session', () => Session, {
  page: 'A page of sessions.',
  edge: 'A session and its position in the list.',
})
