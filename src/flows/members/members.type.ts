import { Field, ID, InputType, ObjectType } from 'type-graphql'
import { DateTime, EmailAddress, WebUrl } from '../../shared/scalars.ts'
import { Member } from '../../tenancy/memberships/member.type.ts'
import { ProjectAccessInput } from '../../tenancy/projects/project.type.ts'

/** A person to add. */
@InputType({ description: 'A person to add.' })
export class AddMemberInput {
  @Field(() => EmailAddress)
  email!: string

  @Field(() => String, {
    description: 'Used for new accounts; an existing account keeps its own name.',
  })
  firstName!: string

  @Field(() => String, { description: 'May be empty for people with a single name.' })
  lastName!: string

  @Field(() => ID, { nullable: true, description: `Defaults to the organisation's default role.` })
  roleId?: string | null

  @Field(() => [ProjectAccessInput], { nullable: true })
  projectAccess?: ProjectAccessInput[] | null

  @Field(() => String, { nullable: true })
  externalId?: string | null

  @Field(() => Boolean, {
    defaultValue: true,
    description:
      'False to bring people in through channels of your own: no mail is sent, and the link comes back once as `invitationUrl`.',
  })
  sendInvitation!: boolean
}

/** A person to ask. */
@InputType({ description: 'A person to ask.' })
export class InviteMemberInput {
  @Field(() => EmailAddress)
  email!: string

  @Field(() => String, { nullable: true })
  firstName?: string | null

  @Field(() => String, { nullable: true })
  lastName?: string | null

  @Field(() => ID, { nullable: true })
  roleId?: string | null

  @Field(() => [ProjectAccessInput], { nullable: true })
  projectAccess?: ProjectAccessInput[] | null

  @Field(() => String, { nullable: true })
  externalId?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'Personal words for the mail. Plain text.',
  })
  message?: string | null

  @Field(() => DateTime, {
    nullable: true,
    description: `Defaults to the organisation's invitation lifetime.`,
  })
  expiresAt?: Date | null
}

/** The member who was added, and perhaps the way in. */
@ObjectType({
  description: 'The member who was added, and perhaps the way in.',
  simpleResolvers: true,
})
export class AddMemberPayload {
  @Field(() => Member)
  member!: Member

  @Field(() => WebUrl, {
    nullable: true,
    description:
      'The invitation link, shown this once, when no mail was asked for and an account has yet to be set up. Accepting through a link that was not mailed proves no mailbox: the address stays unconfirmed.',
  })
  invitationUrl!: string | null
}
