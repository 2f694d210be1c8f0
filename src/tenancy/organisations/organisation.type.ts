import { Field, ID, InputType, ObjectType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime, EmailAddress } from '../../shared/scalars.ts'

/** A tenant. Its settings, lists and look-ups answer only while it is the active organisation, or, reached through `platform`, to operators. */
@ObjectType({
  description:
    'A tenant. Its settings, lists and look-ups answer only while it is the active organisation, or, reached through `platform`, to operators.',
  implements: [Node],
  simpleResolvers: true,
})
export class Organisation {
  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => String, { description: 'Short name for URLs.' })
  slug!: string

  @Field(() => DateTime, { nullable: true })
  suspendedAt!: Instant | null

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime)
  updatedAt!: Instant
}

/** The organisation as it now stands. */
@ObjectType({ description: 'The organisation as it now stands.', simpleResolvers: true })
export class OrganisationPayload {
  @Field(() => Organisation)
  organisation!: Organisation
}

/** An organisation to found. */
@InputType({ description: 'An organisation to found.' })
export class CreateOrganisationInput {
  @Field(() => String)
  name!: string

  @Field(() => String, { nullable: true })
  slug?: string | null

  @Field(() => EmailAddress, {
    nullable: true,
    description: 'First administrator. Defaults to the caller; operators may name someone else.',
  })
  administratorEmail?: string | null
}

/** Changes to an organisation. */
@InputType({ description: 'Changes to an organisation.' })
export class UpdateOrganisationInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => String, { nullable: true })
  slug?: string | null
}

export const OrganisationConnection = connectionTypes('Organisation', () => Organisation, {
  page: 'A page of organisations.',
  edge: 'An organisation and its position in the list.',
})

/** What remains to be cleaned from caches after something was deleted. */
@ObjectType({
  description: 'What remains to be cleaned from caches after something was deleted.',
  simpleResolvers: true,
})
export class DeletePayload {
  @Field(() => ID)
  deletedId!: string

  @Field(() => Organisation, {
    nullable: true,
    description: 'The organisation that owned it, ready for its lists to be read again.',
  })
  organisation!: Organisation | null
}
