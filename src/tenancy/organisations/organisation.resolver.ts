import { Arg, Ctx, Mutation, Query, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { updateOrganisation } from './organisation.service.ts'
import { Organisation, OrganisationPayload, UpdateOrganisationInput } from './organisation.type.ts'

@Resolver(() => Organisation)
export class OrganisationResolver {
  @Query(() => Organisation, {
    nullable: true,
    description:
      'The organisation this session or API key acts in. Everything inside a tenant hangs from here.',
  })
  organisation(@Ctx() { caller }: Context): Organisation | null {
    return caller?.organisation ?? null
  }

  @Mutation(() => OrganisationPayload, {
    nullable: true,
    description: "Change the active organisation's name or slug. Needs `manageOrganisation`.",
  })
  async updateOrganisation(
    @Arg('input', () => UpdateOrganisationInput) input: UpdateOrganisationInput,
    @Ctx() { transact }: Context,
  ): Promise<OrganisationPayload> {
    return { organisation: await transact(work => updateOrganisation(work, input)) }
  }
}
