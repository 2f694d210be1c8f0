import { Field, ID, InterfaceType } from 'type-graphql'

/** Anything with an identity. */
@InterfaceType({
  description: 'Anything with an identity. Ids are UUIDv7 strings, unique across all types.',
  resolveType: value => (value as { __typename?: string }).__typename,
})
export abstract class Node {
  @Field(() => ID)
  id!: string
}
