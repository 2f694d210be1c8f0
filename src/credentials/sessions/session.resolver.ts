import {
  Arg,
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Resolver,
  Root,
} from 'type-graphql'
import { inside, inSession, selfOf, tenantOf } from '../../access/viewer.ts'
import { User } from '../../accounts/users/user.type.ts'
import type { Context } from '../../graphql/context.ts'
import { record } from '../../outbox/events/event.service.ts'
import { unauthenticated } from '../../shared/errors.ts'
import { PageArgs } from '../../shared/page.ts'
import { Member } from '../../tenancy/memberships/member.type.ts'
import { Organisation } from '../../tenancy/organisations/organisation.type.ts'
import { Project } from '../../tenancy/projects/project.type.ts'
import { deviceOf } from './device.ts'
import { refreshSession } from './refresh.service.ts'
import { revokeOtherSessions, revokeSession } from './revoke.service.ts'
import { listSessions, listSessionsOf } from './session.loaders.ts'
import { endSession } from './session.service.ts'
import {
  Authenticated,
  RefreshSessionInput,
  RevokeSessionsPayload,
  Session,
  SessionConnection,
  SessionPayload,
} from './session.type.ts'
import { switchOrganisation, switchProject } from './switch.service.ts'

@ArgsType()
class OrganisationSessionsArgs extends PageArgs {
  @Field(() => ID, { nullable: true })
  memberId?: string | null
}

@Resolver(() => Session)
export class SessionResolver {
  @FieldResolver(() => Member, {
    nullable: true,
    description: 'The membership it acts through; null until an organisation is chosen.',
  })
  member(@Root() { organisationId, principalId }: Session, @Ctx() { loaders }: Context) {
    return organisationId && principalId
      ? loaders.member.load({ organisationId, id: principalId })
      : null
  }

  @FieldResolver(() => Project, { nullable: true })
  async project(@Root() session: Session, @Ctx() { loaders }: Context) {
    const { organisationId, principalId, projectId } = session
    if (!organisationId || !principalId || !projectId) return null
    const project = await loaders.project.load({ organisationId, id: projectId })
    if (!project || project.deletedAt) return null
    // whoever was put out of it since is in none
    const member = await loaders.member.load({ organisationId, id: principalId })
    const role = member && (await loaders.role.load({ organisationId, id: member.roleId }))
    if (role?.builtIn) return project
    return (await loaders.projectRole.load({ organisationId, principalId, projectId })) && project
  }

  @FieldResolver(() => String, {
    description: 'Readable guess at the device, such as `Firefox on Linux`.',
  })
  device(@Root() { userAgent }: Session): string {
    return deviceOf(userAgent)
  }

  @Mutation(() => Authenticated, {
    nullable: true,
    description:
      'Trade a refresh token for new tokens. Send it without an `Authorization` header. Public.',
  })
  async refreshSession(
    @Ctx() context: Context,
    @Arg('input', () => RefreshSessionInput, { nullable: true }) input?: RefreshSessionInput | null,
  ): Promise<Authenticated> {
    const token = input?.refreshToken ?? context.cookie.read()
    if (!token)
      throw unauthenticated('CREDENTIALS_INVALID', 'Pass a refresh token, or send its cookie.')
    const outcome = await context.asSystem(work => refreshSession(work, token))
    if ('renewed' in outcome) return context.authenticated(outcome.renewed)
    context.cookie.clear()
    throw unauthenticated(
      outcome.refused,
      'This refresh token does not hold any more. Sign in again.',
    )
  }

  @Mutation(() => SessionPayload, {
    nullable: true,
    description: 'End the session in use. Sessions only.',
  })
  async signOut(@Ctx() context: Context): Promise<SessionPayload> {
    const viewer = inSession(context.viewer)
    await context.asSystem(async work => {
      await endSession(work, viewer.sessionId, 'signed out')
      await record(work, 'session.ended', {
        organisationId: viewer.organisationId,
        target: { kind: 'Session', id: viewer.sessionId },
      })
    })
    context.cookie.clear()
    return { session: { ...context.caller!.session!, endedAt: context.now } }
  }

  @Mutation(() => SessionPayload, {
    nullable: true,
    description:
      'End one session: your own, or, with `manageUser`, one acting in the active organisation. Sessions only.',
  })
  async revokeSession(
    @Arg('id', () => ID) id: string,
    @Ctx() context: Context,
  ): Promise<SessionPayload> {
    const viewer = inSession(context.viewer)
    const session = await context.transact(work => revokeSession(work, id), selfOf(viewer))
    if (session.current) context.cookie.clear()
    return { session }
  }

  @Mutation(() => RevokeSessionsPayload, {
    nullable: true,
    description: 'End all your sessions but this one. Sessions only.',
  })
  async revokeOtherSessions(@Ctx() { transact, viewer }: Context): Promise<RevokeSessionsPayload> {
    return { count: await transact(revokeOtherSessions, selfOf(inSession(viewer))) }
  }

  @Mutation(() => Authenticated, {
    nullable: true,
    description:
      'Act in another organisation. Renews the tokens and leaves the project. Sessions only.',
  })
  async switchOrganisation(
    @Arg('id', () => ID) id: string,
    @Ctx() context: Context,
  ): Promise<Authenticated> {
    const viewer = inSession(context.viewer)
    return context.authenticated(
      await context.asSystem(work => switchOrganisation(work, viewer, id)),
    )
  }

  @Mutation(() => Authenticated, {
    nullable: true,
    description:
      'Act in a project, switching organisation where needed. Null leaves the project. Sessions only.',
  })
  async switchProject(
    @Ctx() context: Context,
    @Arg('id', () => ID, { nullable: true }) id?: string | null,
  ): Promise<Authenticated> {
    const person = inSession(context.viewer)
    return context.authenticated(
      await context.asSystem(work => switchProject(work, person, id ?? null)),
    )
  }
}

@Resolver(() => User)
export class UserSessionsResolver {
  @FieldResolver(() => SessionConnection, { description: 'Live sessions, latest activity first.' })
  sessions(@Root() { id }: User, @Args(() => PageArgs) args: PageArgs, @Ctx() context: Context) {
    const { viewer, node, ceilings, now } = context
    const scope = { of: 'user', viewer, userId: id, boundToId: context.boundOf(id) } as const
    return listSessions(context.readSelf(id), node.server.keys, scope, args, ceilings, now)
  }
}

@Resolver(() => Organisation)
export class OrganisationSessionsResolver {
  @FieldResolver(() => SessionConnection, {
    nullable: true,
    description: 'Live sessions acting here, latest activity first. Needs `manageUser`.',
  })
  sessions(
    @Root() { id }: Organisation,
    @Args(() => OrganisationSessionsArgs) args: OrganisationSessionsArgs,
    @Ctx() { viewer, read, node, ceilings, now }: Context,
  ) {
    const scope = {
      of: 'organisation',
      viewer: inside(viewer, id),
      principalId: args.memberId,
    } as const
    return listSessions(read(tenantOf(scope.viewer)), node.server.keys, scope, args, ceilings, now)
  }
}

@Resolver(() => Member)
export class MemberSessionsResolver {
  @FieldResolver(() => SessionConnection, {
    nullable: true,
    description: 'Live sessions acting here. Needs `manageUser`, except for oneself.',
  })
  sessions(
    @Root() { id, organisationId }: Member,
    @Args(() => PageArgs) args: PageArgs,
    @Ctx() { viewer, read, loaders, node, ceilings, now }: Context,
  ) {
    const reader = inside(viewer, organisationId)
    const scope = { viewer: reader, ceilings, now }
    return listSessionsOf(
      () => read(tenantOf(reader)),
      loaders.sessionsOf,
      node.server.keys,
      { id, organisationId, scope },
      args,
    )
  }
}
