import type { Viewer } from '../../access/viewer.ts'
import { transact, type RequestInfo, type Server } from '../../access/work.ts'
import { sourceOf } from '../../credentials/throttle/throttle.service.ts'
import { SYSTEM } from '../../database/context.ts'
import type { Store } from '../../database/store.ts'
import { recordAll, type EventDetails } from '../../outbox/events/event.service.ts'
import type { TopicName } from '../../outbox/events/topics.ts'
import { AppError } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { refusedAct } from './refusal-topics.ts'
import { signInOutcome } from './sign-in-outcome.ts'

const CODES = new Set([
  'FORBIDDEN',
  'MFA_REQUIRED',
  'NOT_FOUND',
  'RATE_LIMITED',
  'STEP_UP_REQUIRED',
  'UNAUTHENTICATED',
])
const REASONS = new Set([
  'CODE_INVALID',
  'CREDENTIALS_INVALID',
  'LAST_ADMINISTRATOR',
  'TOKEN_INVALID',
])

const MINUTE_MS = 60_000
/**
 * Refusals that are written down in a minute, by this node: of one act of a caller, of a caller, of all strangers; and
 * apart from them, so that a long list hides nothing else, of rows of what a caller asks for at once.
 */
const MOST = { act: 5, caller: 150, source: 30, strangers: 300, rows: 150 }
/** Callers and acts that are told apart in a minute. */
const MOST_COUNTS = 50_000

/** An act that was refused, as the mutation that does it, with what it was asked for. */
export interface Refused {
  mutation: string
  args: Record<string, unknown>
  error: unknown
  /** What it was about, where `args` do not say so by an id of the kind that the mutation names. */
  target?: { kind: string; id: string }
}

/** Who was refused, and when. */
interface Asker {
  viewer: Viewer | null
  request: RequestInfo
  now: Date
}

export type Refusal = Refused & Asker

/** Of what is counted under a name, how much is written in a minute. */
type Limit = [name: string, most: number]

export interface RefusalOptions {
  store: Store
  server: Server
  /** Hears of refusals that could not be written down. */
  onError: (error: unknown) => void
}

/** Tells the trail of refused acts, each in a transaction of its own; of a flood no more than its beginning. */
export class Refusals {
  readonly #options: RefusalOptions
  readonly #underWay = new Set<Promise<void>>()
  #counts = new Map<string, number>()
  #minute = 0

  constructor(options: RefusalOptions) {
    this.#options = options
  }

  /**
   * Writes down that a mutation was refused, where its error is a refusal, and counts a sign-in that failed, for
   * whatever reason. What strangers were refused is written once they have been answered: how long that takes is not to
   * tell them what there is.
   */
  async note(refusal: Refusal): Promise<void> {
    const outcome = signInOutcome(refusal.mutation, refusal.error)
    if (outcome) this.#options.server.metrics.signIn(outcome)
    const { viewer } = refusal
    const caller = callerOf(refusal)
    const login = viewer ? null : loginIn(refusal.args)
    return this.#tell(refusal, [refusal], `${caller} ${refusal.mutation} ${login ?? ''}`, [
      [caller, viewer ? MOST.caller : MOST.source],
      ...(viewer ? [] : [['strangers', MOST.strangers] as Limit]),
    ])
  }

  /**
   * Writes down what was refused of several acts that were asked for at once, each as the mutation of one alone, in a
   * constant number of statements.
   *
   * @param call the mutation that asked for them, which is limited as one act.
   */
  async noteRows(asker: Asker, call: string, rows: Refused[]): Promise<void> {
    const caller = callerOf(asker)
    return this.#tell(asker, rows, `${caller} ${call}`, [[`${caller} rows`, MOST.rows]])
  }

  async #tell(asker: Asker, rows: Refused[], act: string, limits: Limit[]): Promise<void> {
    const told = rows.filter(
      ({ error, mutation, args }) => isRefusal(error) && refusedAct(mutation, args),
    )
    const room = told.length ? this.#room(told.length, act, limits, asker.now) : 0
    if (!room) return
    const written = this.#write(asker, told.slice(0, room)).catch(this.#options.onError)
    if (asker.viewer) return written
    this.#underWay.add(written)
    void written.finally(() => this.#underWay.delete(written))
  }

  /** Waits for what is being written. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #write({ viewer, request, now }: Asker, rows: Refused[]): Promise<void> {
    const options = { ...this.#options, context: SYSTEM, viewer, now, request }
    await transact(options, work =>
      recordAll(
        work,
        rows.map(row => eventOf(viewer, row)),
      ),
    )
  }

  /** How many of so many may be written. Counts in memory: a refusal that is not written costs nothing. */
  #room(wanted: number, act: string, limits: Limit[], now: Date): number {
    const minute = Math.floor(now.getTime() / MINUTE_MS)
    if (minute !== this.#minute || this.#counts.size > MOST_COUNTS) this.#counts = new Map()
    this.#minute = minute
    const count = (key: string) => this.#counts.get(key) ?? 0
    const room = Math.min(wanted, ...limits.map(([key, most]) => most - count(key)))
    if (!room || count(act) >= MOST.act) return 0
    this.#counts.set(act, count(act) + 1)
    for (const [key] of limits) this.#counts.set(key, count(key) + room)
    return room
  }
}

const callerOf = ({ viewer, request }: Asker): string =>
  viewer ? (viewer.userId ?? viewer.principalId ?? '') : sourceOf(request.ipAddress)

const isRefusal = (error: unknown): error is AppError =>
  error instanceof AppError &&
  (CODES.has(error.code) ||
    (error.details.reason !== undefined && REASONS.has(error.details.reason)))

/** What the trail is told of a refusal. */
function eventOf(
  viewer: Viewer | null,
  { mutation, args, error, target }: Refused,
): EventDetails & { topic: TopicName } {
  const { concern, code, details } = error as AppError
  const act = refusedAct(mutation, args)!
  const id = targetIn(args)
  const login = viewer ? null : loginIn(args)
  return {
    topic: act.topic,
    organisationId: concern?.organisationId ?? (act.here ? (viewer?.organisationId ?? null) : null),
    outcome: 'DENIED',
    refusal: details.reason ? `${code}/${details.reason}` : code,
    target: concern?.target ?? target ?? (id && act.kind ? { kind: act.kind, id } : undefined),
    changes: login ? [{ field: 'login', before: null, after: login }] : [],
  }
}

const inputOf = (args: Record<string, unknown>) => (args.input ?? {}) as Record<string, unknown>

/** The id that the mutation was asked to act on, as it was typed: it may name nothing here. */
function targetIn(args: Record<string, unknown>): string | null {
  const id = args.id ?? args.userId ?? inputOf(args).id
  return isId(id) ? id.toLowerCase() : null
}

function loginIn(args: Record<string, unknown>): string | null {
  const { email } = inputOf(args)
  return typeof email === 'string' ? email : null
}
