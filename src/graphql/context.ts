import {
  inEveryProject,
  inOrganisation,
  inside,
  inSession,
  operatorOf,
  selfOf,
  tenantOf,
  type Viewer,
} from '../access/viewer.ts'
import { transact, type RequestInfo, type Server, type Work } from '../access/work.ts'
import type { Caller } from '../credentials/callers/caller.ts'
import type { PasswordHasher } from '../credentials/passwords/hasher.ts'
import { assuranceOf } from '../credentials/sessions/assurance.ts'
import type { AccessTokens } from '../credentials/sessions/access-token.ts'
import type { RenewedSession } from '../credentials/sessions/session.service.ts'
import type { Authenticated } from '../credentials/sessions/session.type.ts'
import { SYSTEM, type DatabaseContext } from '../database/context.ts'
import { certain } from '../database/loader.ts'
import type { Database } from '../database/orm.ts'
import { Reader } from '../database/reader.ts'
import type { Queries } from '../database/sql.ts'
import type { Refusals, Refused } from '../operations/audit/refusals.ts'
import { forbidden, unauthenticated } from '../shared/errors.ts'
import type { Once } from './idempotency.ts'
import { createLoaders, type Loaders } from './loaders.ts'
import { permissionsOf } from '../tenancy/memberships/authority.ts'
import type { Member } from '../tenancy/memberships/member.type.ts'

/** What one node holds for all its requests. */
export interface Node {
  database: Database
  server: Server
  hasher: PasswordHasher
  tokens: AccessTokens
  lookUpSession: (sessionId: string) => Promise<Caller | null>
  lookUpKey: (secret: string) => Promise<Caller | null>
  refusals: Refusals
  clock: () => Date
}

/** How the refresh token of a browser session travels. */
export interface RefreshCookie {
  read(): string | null
  write(token: string, expiresAt: Date): void
  clear(): void
}

interface State {
  reader: Reader
  /** Made when first asked for: many operations answer from the caller's own rows. */
  loaders: Loaders | null
  /** Whose rows the answer may show: the caller's, and those of whoever has just signed in or switched. */
  shown: Caller[]
  /** Those of them whose rows nothing has been written since they were read. */
  fresh: Caller[]
  /** Where the request came with an `Idempotency-Key`: its effects, each of which happens once. */
  once: Once | null
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
      shown: caller ? [caller] : [],
      fresh: caller ? [caller] : [],
      loaders: null,
      once: null,
    }
  }

  get once(): Once | null {
    return this.state.once
  }

  set once(once: Once | null) {
    this.state.once = once
  }

  get loaders(): Loaders {
    return (this.state.loaders ??= this.primedLoaders())
  }

  /** A role, an organisation or a project as the caller look-up has just read it, so that it is not read again. */
  fresh<Kind extends 'role' | 'organisation' | 'project'>(kind: Kind, id: string) {
    return this.state.fresh.find(caller => caller[kind]?.id === id)?.[kind] ?? null
  }

  /** Reads in a context, within the one read transaction of the operation. */
  readonly read = (context: DatabaseContext): Queries => this.state.reader.as(context)

  /** Reads rows of an organisation: as the tenant where the answer is about it, else as one's own. */
  readonly readIn = (organisationId: string): Queries => {
    const there = this.state.shown.find(({ viewer }) => viewer.organisationId === organisationId)
    if (there) return this.read(tenantOf(inOrganisation(there.viewer)))
    if (this.viewer?.operator) return this.read(tenantOf(inside(this.viewer, organisationId)))
    return this.read(selfOf(inSession(this.viewer)))
  }

  /** Reads an account's own rows: as its owner, or as an operator who looks at it from the platform. */
  readSelf(userId: string): Queries {
    return this.read(this.contextOfAccount(userId))
  }

  /**
   * Reads what of an account its owner alone sees: not operators, and not a session that was begun for one organisation.
   *
   * @throws {AppError} `FORBIDDEN` / `POLICY_FORBIDS`.
   */
  readOwn(userId: string): Queries {
    const owner = this.state.shown.find(({ viewer }) => viewer.userId === userId)?.viewer
    if (!owner || owner.boundToId)
      throw forbidden('POLICY_FORBIDS', 'Only the owner of an account sees this, signed in to it.')
    return this.read(selfOf(inSession(owner)))
  }

  /** The only organisation whose part of an account is shown, where the session was begun for one; null for all. */
  boundOf(userId: string): string | null {
    return this.state.shown.find(({ viewer }) => viewer.userId === userId)?.viewer.boundToId ?? null
  }

  private readonly contextOfAccount = (userId: string): DatabaseContext => {
    const known = this.state.shown.find(({ viewer }) => viewer.userId === userId)
    if (!known && this.viewer?.operator) return operatorOf(this.viewer)
    return selfOf(inSession(known?.viewer ?? null))
  }

  /** Runs a mutation in one transaction; in the organisation in use, unless another context is named. */
  readonly transact = async <Result>(
    unit: (work: Work) => Promise<Result>,
    context?: DatabaseContext,
  ): Promise<Result> => {
    // reads before it are done, and what follows must see what it wrote
    await this.close()
    this.state.loaders = null
    this.state.fresh = []
    const { once } = this
    return transact(
      {
        store: this.node.database.store,
        context: context ?? tenantOf(inOrganisation(this.viewer)),
        viewer: this.viewer,
        now: this.now,
        request: this.request,
        server: this.node.server,
      },
      once ? work => once.run(work, unit) : unit,
    )
  }

  readonly asSystem = <Result>(unit: (work: Work) => Promise<Result>): Promise<Result> =>
    this.transact(unit, SYSTEM)

  /** Tells the trail that a mutation was refused, where that is what its error says. */
  async noteRefusal(
    mutation: string,
    args: Record<string, unknown>,
    error: unknown,
  ): Promise<void> {
    const { viewer, request, now } = this
    // the reads of earlier fields: on PGlite they hold the only connection
    await this.close()
    await this.node.refusals.note({ mutation, args, error, viewer, request, now })
  }

  /** Tells the trail what was refused of the rows of a mutation. */
  readonly noteRefusedRows = async (call: string, rows: Refused[]): Promise<void> => {
    const { viewer, request, now } = this
    await this.close()
    await this.node.refusals.noteRows({ viewer, request, now }, call, rows)
  }

  /** Single statements as *system*, outside any transaction. */
  get system(): Queries {
    return this.node.database.store.system
  }

  /** The tokens of a session that was begun or renewed, with the session as it now stands. */
  async authenticated(renewed: RenewedSession): Promise<Authenticated> {
    const caller = await this.node.lookUpSession(renewed.id)
    if (!caller?.session || !caller.user)
      throw unauthenticated('SESSION_ENDED', 'The session is over. Sign in again.')
    this.state.shown.unshift(caller)
    this.state.fresh.unshift(caller)
    this.state.loaders = null
    const { session } = caller
    const viewer = inSession(caller.viewer)
    const { token, expiresAt } = await this.node.tokens.issue({
      sub: viewer.userId,
      sid: viewer.sessionId,
      gen: caller.generation,
      ...(viewer.organisationId && {
        org: viewer.organisationId,
        role: caller.role?.name,
        permissions: [...(await this.permissionsInUse(caller))],
        ...(viewer.projectId && { prj: viewer.projectId }),
      }),
      ...assuranceOf(session),
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

  /** What a caller may do where they act: in the organisation, and in the project if they are in one. */
  private async permissionsInUse({ viewer, member }: Caller): Promise<ReadonlySet<string>> {
    const { projectId, permissions } = viewer
    if (!projectId || !member) return permissions
    const { inProject } = await permissionsOf(this.loaders, member, projectId)
    return permissions.union(inProject).union(inEveryProject(viewer, projectId))
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

  /** Ends it for good, once there is an answer. */
  end(): Promise<void> {
    return this.state.reader.end()
  }

  /** Loaders that know the rows which the caller look-up has just read. */
  private primedLoaders(): Loaders {
    const loaders = createLoaders(this.readIn, {
      contextOf: this.contextOfAccount,
      read: this.read,
    })
    for (const { organisation, role, project, viewer } of this.state.fresh) {
      if (organisation) {
        loaders.ownCatalogue.prime(organisation.id, [...viewer.ownCatalogue])
        loaders.organisation.prime(placeOf(organisation.id, organisation), organisation)
      }
      if (role) loaders.role.prime(placeOf(role.organisationId, role), role)
      if (project) loaders.project.prime(placeOf(project.organisationId, project), project)
    }
    return loaders
  }
}

const placeOf = (organisationId: string, { id }: { id: string }) => ({ organisationId, id })
