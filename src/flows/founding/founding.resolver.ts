import { Arg, Ctx, Mutation, Resolver } from 'type-graphql'
import type { Context } from '../../graphql/context.ts'
import { inSession } from '../../access/viewer.ts'
import {
  CreateOrganisationInput,
  OrganisationPayload,
} from '../../tenancy/organisations/organisation.type.ts'
import { createOrganisation } from './founding.service.ts'

@Resolver()
export class FoundingResolver {
  @Mutation(() => OrganisationPayload, {
    nullable: true,
    description: 'Found an organisation. Who may do so is a platform setting. Sessions only.',
  })
  async createOrganisation(
    @Arg('input', () => CreateOrganisationInput) input: CreateOrganisationInput,
    @Ctx() { asSystem, viewer }: Context,
  ): Promise<OrganisationPayload> {
    const person = inSession(viewer)
    return { organisation: await asSystem(work => createOrganisation(work, person, input)) }
  }
}
