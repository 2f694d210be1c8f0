import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'
import type { Instant } from '../../database/columns.ts'
import { enumOf } from '../../shared/enums.ts'
import { Node } from '../../shared/node.type.ts'
import { connectionTypes } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'

/** Whether a key works. */
export const ApiKeyStatus = enumOf('PENDING', 'ACTIVE', 'BLOCKED', 'EXPIRED', 'REVOKED')
export type ApiKeyStatus = keyof typeof ApiKeyStatus
registerEnumType(ApiKeyStatus, {
  name: 'ApiKeyStatus',
  description: 'Whether a key works.',
  valuesConfig: {
    PENDING: {
      description:
        'Made or renewed by somebody else: no secret exists until its owner takes one with `renewApiKey`.',
    },
    BLOCKED: {
      description: 'Its owner is locked, suspended or inactive. Works again when they are back.',
    },
  },
})

/** A credential for programs. It acts as its owner, in one organisation, within its scopes. It cannot sign in, switch organisation, or touch credentials, sessions and keys. */
@ObjectType({
  description:
    'A credential for programs. It acts as its owner, in one organisation, within its scopes. It cannot sign in, switch organisation, or touch credentials, sessions and keys.',
  implements: [Node],
  simpleResolvers: true,
})
export class ApiKey {
  @Field(() => ID)
  id!: string

  readonly __typename!: 'ApiKey'
  organisationId!: string
  ownerId!: string
  createdById!: string | null
  scopes!: string[]
  confined!: boolean
  expiryLimit!: Instant | null

  @Field(() => String)
  name!: string

  @Field(() => String, {
    nullable: true,
    description: 'Opening characters of the secret, to tell keys apart. Null while `PENDING`.',
  })
  prefix!: string | null

  @Field(() => [String], {
    nullable: true,
    description: 'Network ranges (CIDR) it works from; null for anywhere.',
  })
  allowedIpRanges!: string[] | null

  @Field(() => DateTime)
  createdAt!: Instant

  @Field(() => DateTime, {
    nullable: true,
    description: 'When the present secret was issued. Null while `PENDING`.',
  })
  issuedAt!: Instant | null

  @Field(() => DateTime, { nullable: true })
  expiresAt!: Instant | null

  @Field(() => DateTime, { nullable: true })
  lastUsedAt!: Instant | null

  @Field(() => String, { nullable: true })
  lastUsedIpAddress!: string | null

  @Field(() => DateTime, { nullable: true })
  revokedAt!: Instant | null
}

/** Which keys to list. */
@InputType({ description: 'Which keys to list.' })
export class ApiKeyFilter {
  @Field(() => [ApiKeyStatus], { nullable: true })
  status?: ApiKeyStatus[] | null

  @Field(() => [ID], { nullable: true })
  ownerIds?: string[] | null

  @Field(() => DateTime, { nullable: true, description: 'Not used since this instant, or never.' })
  unusedSince?: Date | null

  @Field(() => DateTime, { nullable: true, description: 'Running out before this instant.' })
  expiresBefore?: Date | null
}

/** The API key as it now stands. */
@ObjectType({ description: 'The API key as it now stands.', simpleResolvers: true })
export class ApiKeyPayload {
  @Field(() => ApiKey)
  apiKey!: ApiKey
}

/** A key with its secret. */
@ObjectType({ description: 'A key with its secret.', simpleResolvers: true })
export class ApiKeySecretPayload {
  @Field(() => ApiKey)
  apiKey!: ApiKey

  @Field(() => String, {
    nullable: true,
    description:
      'The whole key, shown this once. Null on an idempotent replay, and for a personal key of somebody else: only its owner ever sees it.',
  })
  secret!: string | null
}

/** A key to create. */
@InputType({ description: 'A key to create.' })
export class CreateApiKeyInput {
  @Field(() => ID, { description: 'A member or service account.' })
  ownerId!: string

  @Field(() => String)
  name!: string

  @Field(() => [String], {
    description:
      'Names of permissions. None may be beyond the owner or the caller; none at all lets it only ask who it is.',
  })
  scopes!: string[]

  @Field(() => [ID], {
    nullable: true,
    description: 'Leave out for all projects its owner can enter.',
  })
  projectIds?: string[] | null

  @Field(() => [String], { nullable: true, description: 'Leave out for anywhere.' })
  allowedIpRanges?: string[] | null

  @Field(() => DateTime, { nullable: true })
  expiresAt?: Date | null
}

/** Changes to a key. */
@InputType({ description: 'Changes to a key.' })
export class UpdateApiKeyInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => [String], { nullable: true, description: 'May only shrink.' })
  scopes?: string[] | null

  @Field(() => [ID], { nullable: true, description: 'May only shrink, and cannot be cleared.' })
  projectIds?: string[] | null

  @Field(() => [String], { nullable: true, description: 'May only shrink, and cannot be cleared.' })
  allowedIpRanges?: string[] | null
}

export const ApiKeyConnection = connectionTypes('ApiKey', () => ApiKey, {
  page: 'A page of API keys.',
  edge: 'An API key and its position in the list.',
})
