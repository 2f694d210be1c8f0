import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Query,
  Resolver,
  Root,
} from 'type-graphql'
import { inside } from '../../access/viewer.ts'
import { readName } from '../../accounts/users/user.service.ts'
import { User } from '../../accounts/users/user.type.ts'
import { mustBeAcceptable } from '../../credentials/passwords/password.service.ts'
import { SYSTEM } from '../../database/context.ts'
import { certain } from '../../database/loader.ts'
import type { Context } from '../../graphql/context.ts'
import { PageArgs } from '../../shared/page.ts'
import { DateTime } from '../../shared/scalars.ts'
import { Acknowledgement } from '../../shared/payloads.type.ts'
import { Member, Principal } from '../../tenancy/memberships/member.type.ts'
import { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { acceptInvitation, declineInvitation } from './acceptance.service.ts'
import { passwordRulesFor, previewInvitation } from './preview.service.ts'
import { listInvitations, listOpenInvitations, statusOf } from './invitation.loaders.ts'
import { resendInvitation, revokeInvitation } from './invitation.service.ts'
import {
  AcceptInvitationInput,
  AcceptInvitationPayload,
  Invitation,
  InvitationConnection,
  InvitationFilter,
  InvitationPayload,
  InvitationPreview,
  InvitationStatus,
} from './invitation.type.ts'

@ArgsType()
class InvitationsArgs extends PageArgs {
  @Field(() => InvitationFilter, { nullable: true })
  filter?: InvitationFilter | null
}

@Resolver(() => Invitation)
export class InvitationResolver {
  @FieldResolver(() => Organisation)
  organisation(@Root() { organisationId }: Invitation, @Ctx() { loaders }: Context) {
    return certain(loaders.organisation.load({ organisationId, id: organisationId }))
  }

  @FieldResolver(() => Member, { description: 'The membership that acceptance brings to life.' })
  member(@Root() { organisationId, principalId }: Invitation, @Ctx() { loaders }: Context) {
    return certain(loaders.member.load({ organisationId, id: principalId }))
  }

  @FieldResolver(() => Principal, { nullable: true })
  inviter(@Root() { organisationId, inviterId }: Invitation, @Ctx() { loaders }: Context) {
    return inviterId ? loaders.member.load({ organisationId, id: inviterId }) : null
  }

  @FieldResolver(() => InvitationStatus)
  status(@Root() invitation: Invitation, @Ctx() { now }: Context): InvitationStatus {
    return statusOf(invitation, now)
  }

  @FieldResolver(() => DateTime, { nullable: true })
  acceptedAt(@Root() { outcome, closedAt }: Invitation) {
    return outcome === 'ACCEPTED' ? closedAt : null
  }

  @Query(() => InvitationPreview, {
    nullable: true,
    description: 'What an invitation link stands for. Reading it does not use it up.',
  })
  invitationPreview(@Arg('token', () => String) token: string, @Ctx() { read, now }: Context) {
    // within the reads of the operation: beside them it would wait for ever on PGlite, which has one connection
    return previewInvitation(read(SYSTEM), token, now)
  }

  @Mutation(() => AcceptInvitationPayload, {
    nullable: true,
    description:
      'Join an organisation. People with a proven account must be signed in to it; others set theirs up here. Public.',
  })
  async acceptInvitation(
    @Arg('input', () => AcceptInvitationInput) input: AcceptInvitationInput,
    @Ctx() context: Context,
  ): Promise<AcceptInvitationPayload> {
    const { system, now, viewer, node } = context
    const chosen = input.newAccount ?? null
    const names = chosen && readName(chosen, ['input', 'newAccount'])
    await context.close() // the reads of earlier fields: on PGlite they hold the only connection
    const rules = await passwordRulesFor(
      system,
      input.token,
      now,
      names ? [names.firstName, names.lastName] : [],
    )
    if (chosen?.password)
      mustBeAcceptable(chosen.password, rules, ['input', 'newAccount', 'password'])
    const passwordHash = chosen?.password ? await node.hasher.hash(chosen.password) : null
    const accepted = await context.asSystem(work =>
      acceptInvitation(work, {
        token: input.token,
        signedInAs: viewer?.userId ?? null,
        newAccount: names && { ...names, passwordHash },
        delivery: input.delivery,
      }),
    )
    const signIn = accepted.session ? await context.authenticated(accepted.session) : null
    return { member: await context.readOwnMember(accepted), signIn }
  }

  @Mutation(() => Acknowledgement, {
    nullable: true,
    description: 'Turn an invitation down. Public.',
  })
  async declineInvitation(@Arg('token', () => String) token: string, @Ctx() { asSystem }: Context) {
    return { email: await asSystem(work => declineInvitation(work, token)) }
  }

  @Mutation(() => InvitationPayload, {
    nullable: true,
    description:
      'Mail an invitation again with a new link and a new expiry. Older links stop working. Needs `manageUser`.',
  })
  resendInvitation(
    @Arg('id', () => ID) id: string,
    @Arg('sendMail', () => Boolean, {
      defaultValue: true,
      description:
        'False to get the new link as `invitationUrl` instead of mailing it. Needs a session.',
    })
    sendMail: boolean,
    @Ctx() { transact }: Context,
  ): Promise<InvitationPayload> {
    return transact(work => resendInvitation(work, id, sendMail))
  }

  @Mutation(() => InvitationPayload, {
    nullable: true,
    description: 'Withdraw an invitation and its pending membership. Needs `manageUser`.',
  })
  async revokeInvitation(
    @Arg('id', () => ID) id: string,
    @Ctx() { transact }: Context,
  ): Promise<InvitationPayload> {
    return { invitation: await transact(work => revokeInvitation(work, id)), invitationUrl: null }
  }
}

@Resolver(() => Organisation)
export class OrganisationInvitationsResolver {
  @FieldResolver(() => InvitationConnection, { nullable: true, description: 'Needs `manageUser`.' })
  invitations(
    @Root() { id }: Organisation,
    @Args(() => InvitationsArgs) args: InvitationsArgs,
    @Ctx() { viewer, read, node, now }: Context,
  ) {
    return listInvitations(read, node.server.keys, inside(viewer, id), args, now)
  }
}

@Resolver(() => Member)
export class MemberInvitationResolver {
  @FieldResolver(() => Invitation, {
    nullable: true,
    description: 'The latest invitation; null for people who were never invited.',
  })
  invitation(@Root() { organisationId, id }: Member, @Ctx() { loaders }: Context) {
    return loaders.latestInvitation.load({ organisationId, id })
  }
}

@Resolver(() => User)
export class UserInvitationsResolver {
  @FieldResolver(() => InvitationConnection, {
    description: 'Open invitations to this address. Empty until the address is proven.',
  })
  invitations(@Root() { id }: User, @Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    return listOpenInvitations(
      context.readSelf(id),
      context.node.server.keys,
      id,
      args,
      context.now,
      context.boundOf(id),
    )
  }
}
