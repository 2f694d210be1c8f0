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
import { inside, tenantOf } from '../../access/viewer.ts'
import { certain } from '../../database/loader.ts'
import { shownPrincipal } from '../../credentials/service-accounts/shown-principal.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { Principal } from '../../tenancy/memberships/member.type.ts'
import { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { Project } from '../../tenancy/projects/project.type.ts'
import { Role } from '../../tenancy/roles/role.type.ts'
import { countUndecided, getReview, listItems, listReviews } from './access-review.loaders.ts'
import { cancelAccessReview, decideItems } from './access-review.service.ts'
import {
  AccessReview,
  AccessReviewConnection,
  AccessReviewDecisionInput,
  AccessReviewItem,
  AccessReviewItemConnection,
  AccessReviewItemFilter,
  AccessReviewPayload,
  StartAccessReviewInput,
} from './access-review.type.ts'
import { completeAccessReview } from './completion.service.ts'
import { startAccessReview } from './snapshot.service.ts'

@ArgsType()
class ReviewItemsArgs extends PageArgs {
  @Field(() => AccessReviewItemFilter, { nullable: true })
  filter?: AccessReviewItemFilter | null
}

/** A member or a service account, where it is shown; null where there is none. */
async function principalAt(
  context: Context,
  organisationId: string,
  id: string | null,
): Promise<Principal | null> {
  if (!id) return null
  return shownPrincipal(context, { organisationId, id })
}

@Resolver(() => AccessReview)
export class AccessReviewResolver {
  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId: id }: AccessReview, @Ctx() { loaders }: Context) {
    return certain(loaders.organisation.find({ organisationId: id, id }))
  }

  @FieldResolver(() => Principal, { nullable: true })
  startedBy(
    @Root() { organisationId, startedById }: AccessReview,
    @Ctx() context: Context,
  ): Promise<Principal | null> {
    return principalAt(context, organisationId, startedById)
  }

  @FieldResolver(() => Int, { description: 'How many items have no decision yet.' })
  undecidedCount(@Root() review: AccessReview, @Ctx() { loaders, viewer }: Context) {
    return countUndecided(loaders, inside(viewer, review.organisationId), review)
  }

  @FieldResolver(() => AccessReviewItemConnection)
  items(
    @Root() review: AccessReview,
    @Args(() => ReviewItemsArgs) args: ReviewItemsArgs,
    @Ctx() { readIn, loaders, node, viewer }: Context,
  ) {
    const reader = inside(viewer, review.organisationId)
    return listItems(readIn, loaders, node.server.keys, reader, review, args)
  }

  @Mutation(() => AccessReviewPayload, {
    nullable: true,
    description: 'Open a round of checking who still needs their access. Needs `reviewAccess`.',
  })
  async startAccessReview(
    @Arg('input', () => StartAccessReviewInput) input: StartAccessReviewInput,
    @Ctx() { transact }: Context,
  ): Promise<AccessReviewPayload> {
    return { accessReview: await transact(work => startAccessReview(work, input)) }
  }

  @Mutation(() => AccessReviewPayload, {
    nullable: true,
    description:
      'Record decisions on up to 500 items. Nothing changes until the review is completed. Needs `reviewAccess`.',
  })
  async decideAccessReviewItems(
    @Arg('decisions', () => [AccessReviewDecisionInput]) decisions: AccessReviewDecisionInput[],
    @Ctx() { transact }: Context,
  ): Promise<AccessReviewPayload> {
    return { accessReview: await transact(work => decideItems(work, decisions)) }
  }

  @Mutation(() => AccessReviewPayload, {
    nullable: true,
    description: 'Carry the decisions out and close the review. Needs `reviewAccess`.',
  })
  async completeAccessReview(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<AccessReviewPayload> {
    return { accessReview: await transact(work => completeAccessReview(work, id)) }
  }

  @Mutation(() => AccessReviewPayload, {
    nullable: true,
    description: 'Close a review without carrying anything out. Needs `reviewAccess`.',
  })
  async cancelAccessReview(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<AccessReviewPayload> {
    return { accessReview: await transact(work => cancelAccessReview(work, id)) }
  }
}

@Resolver(() => AccessReviewItem)
export class AccessReviewItemResolver {
  @FieldResolver(() => Principal)
  principal(
    @Root() { organisationId, principalId: id, kind }: AccessReviewItem,
    @Ctx() { loaders }: Context,
  ): Promise<Principal> | Principal {
    const place = { organisationId, id }
    return kind === 'MEMBER'
      ? certain(loaders.member.load(place))
      : certain(loaders.serviceAccount.load(place))
  }

  @FieldResolver(() => Role)
  role(@Root() { organisationId, roleId: id }: AccessReviewItem, @Ctx() { loaders }: Context) {
    return certain(loaders.role.find({ organisationId, id }))
  }

  @FieldResolver(() => Project, {
    nullable: true,
    description: 'The project in question; null for access to the organisation.',
  })
  project(
    @Root() { organisationId, projectId: id }: AccessReviewItem,
    @Ctx() { loaders }: Context,
  ) {
    return id ? certain(loaders.project.find({ organisationId, id })) : null
  }

  @FieldResolver(() => Principal, { nullable: true })
  decidedBy(
    @Root() { organisationId, decidedById }: AccessReviewItem,
    @Ctx() context: Context,
  ): Promise<Principal | null> {
    return principalAt(context, organisationId, decidedById)
  }
}

@Resolver(() => Organisation)
export class OrganisationAccessReviewsResolver {
  @FieldResolver(() => AccessReview, { nullable: true, description: 'Needs `reviewAccess`.' })
  accessReview(
    @Root() organisation: Organisation,
    @Arg('id', () => ID) id: string,
    @Ctx() { viewer, read }: Context,
  ): Promise<AccessReview> {
    const reader = inside(viewer, organisation.id)
    return getReview(read(tenantOf(reader)), reader, id)
  }

  @FieldResolver(() => AccessReviewConnection, {
    nullable: true,
    description: 'Needs `reviewAccess`.',
  })
  accessReviews(
    @Root() { id }: Organisation,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { viewer, read, node }: Context,
  ) {
    const reader = inside(viewer, id)
    return listReviews(read(tenantOf(reader)), node.server.keys, reader, args)
  }
}
