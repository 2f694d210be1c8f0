import { Field, ID, InputType, ObjectType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { AccessStatus } from '../../accounts/users/user.type.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'

import { Principal } from '../../tenancy/memberships/member.type.ts'
import { ProjectAccessInput } from '../../tenancy/projects/project.type.ts'
/** An identity for a machine, living in one organisation. */
@ObjectType({
  description: 'An identity for a machine, living in one organisation.',
  implements: [Node, Principal],
  simpleResolvers: true,
})
export class ServiceAccount {
  @Field(() => ID)
  id!: string

  readonly __typename!: 'ServiceAccount'
  organisationId!: string
  roleId!: string
  sortName!: string
  createdById!: string | null

  @Field(() => String)
  name!: string

  description!: string | null

  @Field(() => AccessStatus)
  status!: AccessStatus

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  updatedAt!: Instant

  @Field(() => DateTime, { nullable: true })
  lastActiveAt!: Instant | null
}

/** The service account as it now stands. */
@ObjectType({ description: 'The service account as it now stands.', simpleResolvers: true })
export class ServiceAccountPayload {
  @Field(() => ServiceAccount)
  serviceAccount!: ServiceAccount
}

/** A machine identity to create. */
@InputType({ description: 'A machine identity to create.' })
export class CreateServiceAccountInput {
  @Field(() => String)
  name!: string

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => ID)
  roleId!: string

  @Field(() => [ProjectAccessInput], { nullable: true })
  projectAccess?: ProjectAccessInput[] | null
}

/** Changes to a service account. */
@InputType({ description: 'Changes to a service account.' })
export class UpdateServiceAccountInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => String, { nullable: true })
  description?: string | null

  @Field(() => ID, { nullable: true })
  roleId?: string | null

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null
}

export const ServiceAccountConnection = connectionTypes('ServiceAccount', () => ServiceAccount, {
  page: 'A page of service accounts.',
  edge: 'A service account and its position in the list.',
})
