import {
  inOrganisation,
  inside,
  inSession,
  operatorOf,
  selfOf,
  tenantOf,
  type Viewer,
} from '../access/viewer.ts'
import { transact, type RequestInfo, type Server, type Work } from '../access/work.ts'
import { createApiKeyLoaders } from '../credentials/api-keys/api-key.loaders.ts'
import { createServiceAccountLoaders } from '../credentials/service-accounts/service-account.loaders.ts'
import type { Caller } from '../credentials/callers/caller.ts'
import type { PasswordHasher } from '../credentials/passwords/hasher.ts'
import type { AccessTokens } from '../credentials/sessions/access-token.ts'
import type { RenewedSession } from '../credentials/sessions/session.service.ts'
import { createSessionLoaders } from '../credentials/sessions/session.loaders.ts'
import type { Authenticated } from '../credentials/sessions/session.type.ts'
import { SYSTEM, type DatabaseContext } from '../database/context.ts'
import { certain } from '../database/loader.ts'
import type { Database } from '../database/orm.ts'
import { Reader } from '../database/reader.ts'
import type { Queries } from '../database/sql.ts'
import { createInvitationLoaders } from '../flows/invitations/invitation.loaders.ts'
import { unauthenticated } from '../shared/errors.ts'
import { createMemberLoaders } from '../tenancy/memberships/member.loaders.ts'
import type { Member } from '../tenancy/memberships/member.type.ts'
import { createOrganisationLoaders } from '../tenancy/organisations/organisation.loaders.ts'
import { createProjectLoaders } from '../tenancy/projects/project.loaders.ts'
import { createRoleLoaders } from '../tenancy/roles/role.loaders.ts'

/** What one node holds for all its requests. */
export interface Node {
  database: Database
  server: Server
  hasher: PasswordHasher
  tokens: AccessTokens
  lookUpSession: (sessionId: string) => Promise<Caller | null>
  lookUpKey: (secret: string) => Promise<Caller | null>
  clock: () => Date
}

/** How the refresh token of a browser session travels. */
export interface RefreshCookie {
  read(): string | null
  write(token: string, expiresAt: Date): void
  clear(): void
}

const createLoaders = (read: (organisationId: string) => Queries) => ({
  ...createOrganisationLoaders(read),
  ...createRoleLoaders(read),
  ...createProjectLoaders(read),
  ...createMemberLoaders(read),
  ...createServiceAccountLoaders(read),
  ...createApiKeyLoaders(read),
  ...createInvitationLoaders(read),
  ...createSessionLoaders(read),
})

type Loaders = ReturnType<typeof createLoaders>

interface State {
  reader: Reader
  loaders: Loaders
  /** Whose rows the answer may show: the caller's, and those of whoever has just signed in or switched. */
  shown: Viewer[]
}

/** One operation: who asks, what it reads in, and how it writes. */
export class Context {
  readonly node: Node
  readonly request: RequestInfo
  readonly cookie: RefreshCookie
  readonly caller: Caller | null
  readonly viewer: Viewer | null
  readonly now: Date
  readonly stepUpSeconds: number
  // Apollo copies the context field by field, which leaves private (#) members behind and shares everything else:
  // so what changes is kept one level down.
  private readonly state: State

  constructor(node: Node, request: RequestInfo, cookie: RefreshCookie, caller: Caller | null) {
    this.node = node
    this.request = request
    this.cookie = cookie
    this.caller = caller
    this.viewer = caller?.viewer ?? null
    this.now = node.clock()
    this.stepUpSeconds = node.server.config.STEP_UP_SECONDS
    this.state = {
      reader: new Reader(node.database.store),
      shown: [],
      loaders: createLoaders(this.readIn),
    }
    if (caller) this.show(caller)
  }

  get loaders(): Loaders {
    return this.state.loaders
  }

  /** Reads in a context, within the one read transaction of the operation. */
  readonly read = (context: DatabaseContext): Queries => this.state.reader.as(context)

  /** Reads rows of an organisation: as the tenant where the answer is about it, else as one's own. */
  readonly readIn = (organisationId: string): Queries => {
    const there = this.state.shown.find(viewer => viewer.organisationId === organisationId)
    if (there) return this.read(tenantOf(inOrganisation(there)))
    if (this.viewer?.operator) return this.read(tenantOf(inside(this.viewer, organisationId)))
    return this.read(selfOf(inSession(this.viewer)))
  }

  /** Reads an account's own rows: as its owner, or as an operator who looks at it from the platform. */
  readSelf(userId: string): Queries {
    const known = this.state.shown.find(viewer => viewer.userId === userId)
    if (!known && this.viewer?.operator) return this.read(operatorOf(this.viewer))
    return this.read(selfOf(inSession(known ?? null)))
  }

  /** Runs a mutation in one transaction; in the organisation in use, unless another context is named. */
  readonly transact = async <Result>(
    unit: (work: Work) => Promise<Result>,
    context?: DatabaseContext,
  ): Promise<Result> => {
    // reads before it are done, and what follows must see what it wrote
    await this.close()
    this.state.loaders = createLoaders(this.readIn)
    return transact(
      {
        orm: this.node.database.orm,
        context: context ?? tenantOf(inOrganisation(this.viewer)),
        viewer: this.viewer,
        now: this.now,
        request: this.request,
        server: this.node.server,
      },
      unit,
    )
  }

  readonly asSystem = <Result>(unit: (work: Work) => Promise<Result>): Promise<Result> =>
    this.transact(unit, SYSTEM)

  /** Single statements as *system*, outside any transaction. */
  get system(): Queries {
    return this.node.database.store.system
  }

  /** The tokens of a session that was begun or renewed, with the session as it now stands. */
  async authenticated(renewed: RenewedSession): Promise<Authenticated> {
    const caller = await this.node.lookUpSession(renewed.id)
    if (!caller?.session || !caller.user)
      throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
    this.show(caller)
    const { session } = caller
    const viewer = inSession(caller.viewer)
    const { token, expiresAt } = await this.node.tokens.issue({
      sub: viewer.userId,
      sid: viewer.sessionId,
      gen: caller.generation,
      ...(viewer.organisationId && {
        org: viewer.organisationId,
        role: caller.role?.name,
        permissions: [...viewer.permissions],
        ...(viewer.projectId && { prj: viewer.projectId }),
      }),
      amr: [session.method === 'PASSWORD' ? 'pwd' : 'email'],
      acr: '1',
      auth_time: Math.floor(viewer.authenticatedAt.getTime() / 1000),
    })
    const inCookie = renewed.delivery === 'COOKIE'
    if (inCookie) this.cookie.write(renewed.refreshToken, new Date(session.expiresAt))
    return {
      accessToken: token,
      accessTokenExpiresAt: expiresAt,
      refreshToken: inCookie ? null : renewed.refreshToken,
      session: { ...session, current: true },
      user: caller.user,
    }
  }

  /** The membership that was just entered, whoever of the two brought it to life. */
  async readOwnMember(entered: { principalId: string; organisationId: string }): Promise<Member> {
    const { organisationId, principalId: id } = entered
    return certain(this.loaders.member.load({ organisationId, id }))
  }

  get ceilings() {
    const { SESSION_IDLE_SECONDS, SESSION_LIFETIME_SECONDS } = this.node.server.config
    return { idle: SESSION_IDLE_SECONDS, lifetime: SESSION_LIFETIME_SECONDS }
  }

  /** Ends the read transaction, if one was opened. */
  close(): Promise<void> {
    return this.state.reader.close()
  }

  private show(caller: Caller): void {
    this.state.shown.unshift(caller.viewer)
    const { organisation, role, project, viewer } = caller
    if (organisation) this.loaders.ownCatalogue.prime(organisation.id, [...viewer.ownCatalogue])
    // the caller's own rows have just been read
    if (organisation)
      this.loaders.organisation.prime(
        { organisationId: organisation.id, id: organisation.id },
        organisation,
      )
    if (role) this.loaders.role.prime({ organisationId: role.organisationId, id: role.id }, role)
    if (project)
      this.loaders.project.prime(
        { organisationId: project.organisationId, id: project.id },
        project,
      )
  }
}
