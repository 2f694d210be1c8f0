import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import { TokenDelivery, Authenticated } from '../../credentials/sessions/session.type.ts'
import { DateTimeRange, Member } from '../../tenancy/memberships/member.type.ts'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime, EmailAddress, WebUrl } from '../../shared/scalars.ts'

/** How far an invitation has come. */
export const InvitationStatus = enumOf('SENT', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'REVOKED')
export type InvitationStatus = keyof typeof InvitationStatus
registerEnumType(InvitationStatus, {
  name: 'InvitationStatus',
  description: 'How far an invitation has come.',
})

/** A request to join, waiting for its answer. Role and project access wait with it on `member`. */
@ObjectType({
  description:
    'A request to join, waiting for its answer. Role and project access wait with it on `member`.',
  implements: [Node],
  simpleResolvers: true,
})
export class Invitation {
  @Field(() => ID)
  id!: string

  organisationId!: string
  principalId!: string
  inviterId!: string | null
  closedAt!: Instant | null
  outcome!: 'ACCEPTED' | 'DECLINED' | 'REVOKED' | null

  @Field(() => EmailAddress)
  email!: string

  @Field(() => String, { nullable: true, description: 'Personal words in the mail.' })
  message!: string | null

  @Field(() => DateTime, { nullable: true, description: 'When the mail last went out.' })
  sentAt!: Instant | null

  @Field(() => DateTime)
  expiresAt!: Instant

  @Field(() => DateTime)
  createdAt!: Instant
}

/** What the holder of an invitation link may know before accepting. */
@ObjectType({
  description: 'What the holder of an invitation link may know before accepting.',
  simpleResolvers: true,
})
export class InvitationPreview {
  @Field(() => String)
  organisationName!: string

  @Field(() => String, { nullable: true })
  inviterName!: string | null

  @Field(() => EmailAddress)
  email!: string

  @Field(() => DateTime)
  expiresAt!: Instant

  @Field(() => Boolean, {
    description: 'True when a proven account exists for the address and must be signed in to.',
  })
  signInRequired!: boolean
}

/** The invitation as it now stands. */
@ObjectType({ description: 'The invitation as it now stands.', simpleResolvers: true })
export class InvitationPayload {
  @Field(() => Invitation)
  invitation!: Invitation

  @Field(() => WebUrl, {
    nullable: true,
    description: 'The new link, shown this once, when no mail was asked for.',
  })
  invitationUrl!: string | null
}

/** Which invitations to list. */
@InputType({ description: 'Which invitations to list.' })
export class InvitationFilter {
  @Field(() => [InvitationStatus], { nullable: true })
  status?: InvitationStatus[] | null

  @Field(() => [EmailAddress], { nullable: true })
  emails?: string[] | null

  @Field(() => DateTimeRange, { nullable: true })
  createdAt?: DateTimeRange | null
}

/** An invitation token and, for newcomers, their new account. */
@InputType({ description: 'An invitation token and, for newcomers, their new account.' })
export class AcceptInvitationInput {
  @Field(() => String)
  token!: string

  @Field(() => NewAccountInput, {
    nullable: true,
    description: 'For people without a proven account; ignored for everyone else.',
  })
  newAccount?: NewAccountInput | null

  @Field(() => TokenDelivery, { defaultValue: 'BODY' })
  delivery!: TokenDelivery
}

/** What a newcomer must choose. */
@InputType({ description: 'What a newcomer must choose.' })
export class NewAccountInput {
  @Field(() => String, {
    nullable: true,
    description: 'Leave out to sign in by mailed links only, where that is allowed.',
  })
  password?: string | null

  @Field(() => String)
  firstName!: string

  @Field(() => String)
  lastName!: string
}

/** The new membership, and the way in. */
@ObjectType({ description: 'The new membership, and the way in.', simpleResolvers: true })
export class AcceptInvitationPayload {
  @Field(() => Member)
  member!: Member

  @Field(() => Authenticated, {
    nullable: true,
    description: `A newcomer's first session. Null for people already signed in.`,
  })
  signIn!: Authenticated | null
}

export const InvitationConnection = connectionTypes('Invitation', () => Invitation, {
  page: 'A page of invitations.',
  edge: 'An invitation and its position in the list.',
})
