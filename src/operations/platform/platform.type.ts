import { Field, InputType } from 'type-graphql'
import { AccessStatus, User } from '../../accounts/users/user.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime, EmailAddress } from '../../shared/scalars.ts'
import { DateTimeRange } from '../../tenancy/memberships/member.type.ts'

/** Which accounts to list. */
@InputType({ description: 'Which accounts to list.' })
export class UserFilter {
  @Field(() => [AccessStatus], { nullable: true })
  status?: AccessStatus[] | null

  @Field(() => Boolean, { nullable: true })
  locked?: boolean | null

  @Field(() => Boolean, { nullable: true })
  operator?: boolean | null

  @Field(() => Boolean, { nullable: true })
  mfaEnabled?: boolean | null

  @Field(() => [EmailAddress], { nullable: true })
  emails?: string[] | null

  @Field(() => DateTimeRange, { nullable: true })
  createdAt?: DateTimeRange | null

  @Field(() => DateTime, {
    nullable: true,
    description: 'No sign-in since this instant, or never.',
  })
  inactiveSince?: Date | null
}

export const UserConnection = connectionTypes('User', () => User, {
  page: 'A page of users.',
  edge: 'A user and its position in the list.',
})
