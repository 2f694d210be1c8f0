import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql'
import { inside, operatorOf, tenantOf } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { Organisation, OrganisationPayload } from '../organisations/organisation.type.ts'
import { Role } from '../roles/role.type.ts'
import { effectivePolicy, platformView, readOrganisationPolicy, readPlatform } from './policy.ts'
import { updateOrganisationSettings } from './organisation-policy.service.ts'
import { updatePlatformSettings } from './platform-policy.service.ts'
import {
  OrganisationSettings,
  Platform,
  PlatformSettings,
  PlatformSettingsPayload,
  UpdateOrganisationSettingsInput,
  UpdatePlatformSettingsInput,
} from './policy.type.ts'

@Resolver(() => OrganisationSettings)
export class OrganisationSettingsResolver {
  @FieldResolver(() => Role, {
    description: 'Role of people added or registered without one. Never an administrative role.',
  })
  defaultRole(
    @Root() { organisationId, defaultRoleId }: OrganisationSettings,
    @Ctx() { loaders }: Context,
  ) {
    return certain(loaders.role.load({ organisationId, id: defaultRoleId }))
  }
}

@Resolver(() => Organisation)
export class OrganisationPolicyResolver {
  @FieldResolver(() => OrganisationSettings, {
    nullable: true,
    description: 'Needs `manageOrganisation`.',
  })
  async settings(
    @Root() { id }: Organisation,
    @Ctx() { viewer, read }: Context,
  ): Promise<OrganisationSettings> {
    const queries = read(tenantOf(inside(viewer, id)))
    const own = await readOrganisationPolicy(queries, id)
    return { organisationId: id, ...effectivePolicy(await readPlatform(queries), own) }
  }

  @Mutation(() => OrganisationPayload, {
    nullable: true,
    description: "Change the active organisation's policies. Needs `manageOrganisation`.",
  })
  async updateOrganisationSettings(
    @Arg('input', () => UpdateOrganisationSettingsInput) input: UpdateOrganisationSettingsInput,
    @Ctx() { transact, caller }: Context,
  ): Promise<OrganisationPayload> {
    await transact(work => updateOrganisationSettings(work, input))
    return { organisation: caller!.organisation! }
  }
}

@Resolver(() => Platform)
export class PlatformResolver {
  @Query(() => Platform, {
    nullable: true,
    description: 'Everything above organisations. For operators.',
  })
  platform(): Platform {
    return new Platform()
  }

  @FieldResolver(() => PlatformSettings)
  async settings(@Ctx() { viewer, read }: Context): Promise<PlatformSettings> {
    return platformView(await readPlatform(read(operatorOf(viewer))))
  }

  @Mutation(() => PlatformSettingsPayload, {
    nullable: true,
    description:
      'Change platform-wide policies. Operators only, with a recent sign-in. Sessions only.',
  })
  async updatePlatformSettings(
    @Arg('input', () => UpdatePlatformSettingsInput) input: UpdatePlatformSettingsInput,
    @Ctx() { transact, read, viewer }: Context,
  ): Promise<PlatformSettingsPayload> {
    await transact(work => updatePlatformSettings(work, input), operatorOf(viewer))
    return { settings: platformView(await readPlatform(read(operatorOf(viewer)))) }
  }
}
