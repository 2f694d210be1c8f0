import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  Mutation,
  Resolver,
  Root,
} from 'type-graphql'
import { describe, type PermissionInfo } from '../../access/permissions.ts'
import { can, inside, isAbove, tenantOf } from '../../access/viewer.ts'
import { User } from '../../accounts/users/user.type.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'
import { Principal } from '../../tenancy/memberships/member.type.ts'
import { shownMember } from '../../tenancy/memberships/shown-member.ts'
import { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { Project } from '../../tenancy/projects/project.type.ts'
import { Permission } from '../../tenancy/roles/role.type.ts'
import { isActive } from '../callers/standing.ts'
import { listApiKeys, listKeysOf, listOwnKeys } from './api-key.loaders.ts'
import { createApiKey, renewApiKey, revokeApiKey } from './api-key.service.ts'
import {
  ApiKey,
  ApiKeyConnection,
  ApiKeyFilter,
  ApiKeyPayload,
  ApiKeySecretPayload,
  ApiKeyStatus,
  CreateApiKeyInput,
  UpdateApiKeyInput,
} from './api-key.type.ts'
import { updateApiKey } from './narrowing.service.ts'
import { toDate } from '../../database/columns.ts'

@ArgsType()
class ApiKeysArgs extends PageArgs {
  @Field(() => ApiKeyFilter, { nullable: true })
  filter?: ApiKeyFilter | null
}

/** A member or a service account, as far as the viewer's role shows it. */
async function ownerOf({ organisationId, ownerId: id }: ApiKey, { loaders }: Context) {
  return (
    (await loaders.member.load({ organisationId, id })) ??
    (await loaders.serviceAccount.load({ organisationId, id }))
  )
}

@Resolver(() => ApiKey)
export class ApiKeyResolver {
  @FieldResolver(() => Principal)
  owner(@Root() key: ApiKey, @Ctx() context: Context) {
    return certain(ownerOf(key, context))
  }

  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId }: ApiKey, @Ctx() { loaders }: Context) {
    return certain(loaders.organisation.load({ organisationId, id: organisationId }))
  }

  @FieldResolver(() => [Permission], {
    description: 'What it may do at most. What the owner may do at the moment also bounds it.',
  })
  async scopes(
    @Root() { organisationId, scopes }: ApiKey,
    @Ctx() { loaders }: Context,
  ): Promise<PermissionInfo[]> {
    return describe(new Set(scopes), await loaders.ownCatalogue.load(organisationId))
  }

  @FieldResolver(() => [Project], {
    nullable: true,
    description:
      'Projects it is confined to: null for all its owner can enter, empty for none. A deleted project leaves the list, never the confinement.',
  })
  async projects(@Root() { id, organisationId, confined }: ApiKey, @Ctx() { loaders }: Context) {
    if (!confined) return null
    const ids = await loaders.keyProjects.load({ organisationId, id })
    return Promise.all(ids.map(each => certain(loaders.project.load({ organisationId, id: each }))))
  }

  @FieldResolver(() => ApiKeyStatus)
  async status(@Root() key: ApiKey, @Ctx() context: Context): Promise<ApiKeyStatus> {
    if (key.revokedAt) return 'REVOKED'
    if (!key.prefix) return 'PENDING'
    if (key.expiresAt && toDate(key.expiresAt) <= context.now) return 'EXPIRED'
    const { loaders, now } = context
    const standing = await loaders.ownerStanding.load({
      organisationId: key.organisationId,
      id: key.ownerId,
    })
    return standing && !standing.lockedAt && !standing.removedAt && isActive(standing, now)
      ? 'ACTIVE'
      : 'BLOCKED'
  }

  @FieldResolver(() => Principal, { nullable: true })
  createdBy(@Root() { organisationId, createdById }: ApiKey, @Ctx() context: Context) {
    return createdById ? shownMember(context, { organisationId, id: createdById }) : null
  }

  @FieldResolver(() => Boolean, {
    description: 'True when the viewer may rename, renew or revoke it.',
  })
  async viewerCanManage(@Root() key: ApiKey, @Ctx() context: Context): Promise<boolean> {
    const { viewer, loaders } = context
    if (viewer?.credential !== 'SESSION' || viewer.organisationId !== key.organisationId)
      return false
    if (viewer.principalId === key.ownerId) return true
    const owner = await ownerOf(key, context)
    if (
      !owner ||
      !can(viewer, owner.__typename === 'Member' ? 'manageUser' : 'manageServiceAccount')
    )
      return false
    return isAbove(
      viewer,
      await certain(loaders.role.load({ organisationId: key.organisationId, id: owner.roleId })),
    )
  }

  @Mutation(() => ApiKeySecretPayload, {
    nullable: true,
    description:
      'Create an API key for a member or service account. Needs a recent sign-in and, unless the key is your own, `manageUser` or `manageServiceAccount` after its owner. Sessions only.',
  })
  async createApiKey(
    @Arg('input', () => CreateApiKeyInput) input: CreateApiKeyInput,
    @Ctx() { transact }: Context,
  ): Promise<ApiKeySecretPayload> {
    return transact(work => createApiKey(work, input))
  }

  @Mutation(() => ApiKeyPayload, {
    nullable: true,
    description:
      'Rename a key or narrow it. Neither owner nor organisation can change. Unless the key is your own, needs `manageUser` or `manageServiceAccount` after its owner. Sessions only.',
  })
  async updateApiKey(
    @Arg('id', () => ID) id: string,
    @Arg('input', () => UpdateApiKeyInput) input: UpdateApiKeyInput,
    @Ctx() { transact }: Context,
  ): Promise<ApiKeyPayload> {
    return { apiKey: await transact(work => updateApiKey(work, id, input)) }
  }

  @Mutation(() => ApiKeySecretPayload, {
    nullable: true,
    description:
      'Issue a new secret. The old one stops working at once, unless given time to overlap. Done by anyone but the owner of a personal key, it leaves the key `PENDING` and shows no secret. Needs a recent sign-in and, unless the key is your own, `manageUser` or `manageServiceAccount` after its owner. Sessions only.',
  })
  async renewApiKey(
    @Arg('id', () => ID) id: string,
    @Arg('overlapMinutes', () => Int, {
      defaultValue: 0,
      description:
        'How long the old secret goes on working, at most a week. For rotating a key that is in use.',
    })
    overlapMinutes: number,
    @Ctx() { transact }: Context,
    @Arg('expiresAt', () => DateTime, {
      nullable: true,
      description: 'Never later than an expiry that an administrator set.',
    })
    expiresAt?: Date | null,
  ): Promise<ApiKeySecretPayload> {
    return transact(work => renewApiKey(work, id, expiresAt ?? null, overlapMinutes))
  }

  @Mutation(() => ApiKeyPayload, {
    nullable: true,
    description:
      'Stop a key for good. Unless the key is your own, needs `manageUser` or `manageServiceAccount` after its owner. Sessions only.',
  })
  async revokeApiKey(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<ApiKeyPayload> {
    return { apiKey: await transact(work => revokeApiKey(work, id)) }
  }
}

@Resolver(() => Principal)
export class PrincipalKeysResolver {
  @FieldResolver(() => ApiKeyConnection, { nullable: true })
  apiKeys(
    @Root() { id, organisationId }: { id: string; organisationId: string },
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { viewer, read, loaders, node }: Context,
  ) {
    const reader = inside(viewer, organisationId)
    return listKeysOf(
      () => read(tenantOf(reader)),
      loaders.keysOf,
      node.server.keys,
      { id, organisationId },
      args,
    )
  }
}

@Resolver(() => Organisation)
export class OrganisationKeysResolver {
  @FieldResolver(() => ApiKeyConnection, {
    nullable: true,
    description:
      "The viewer's own, or all of members and service accounts for those who manage them.",
  })
  apiKeys(
    @Root() { id }: Organisation,
    @Args(() => ApiKeysArgs) args: ApiKeysArgs,
    @Ctx() { viewer, read, node, now }: Context,
  ) {
    const reader = inside(viewer, id)
    return listApiKeys(read(tenantOf(reader)), node.server.keys, reader, args, now)
  }
}

@Resolver(() => User)
export class UserKeysResolver {
  @FieldResolver(() => ApiKeyConnection, {
    description: 'Keys this person owns, in all organisations.',
  })
  apiKeys(@Root() { id }: User, @Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    const only = context.boundOf(id)
    return listOwnKeys(context.readSelf(id), context.node.server.keys, id, args, only)
  }
}
