import type { Viewer } from '../../access/viewer.ts'
import { transact, type RequestInfo, type Server } from '../../access/work.ts'
import { sourceOf } from '../../credentials/throttle/throttle.service.ts'
import { SYSTEM } from '../../database/context.ts'
import type { Store } from '../../database/store.ts'
import { record } from '../../outbox/events/event.service.ts'
import { AppError } from '../../shared/errors.ts'
import { isId } from '../../shared/tokens.ts'
import { refusedAct } from './refusal-topics.ts'

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
/** Refusals that are written down in a minute, by this node: of one act of a caller, of a caller, of all strangers. */
const MOST = { act: 5, caller: 150, source: 30, strangers: 300 }
/** Callers and acts that are told apart in a minute. */
const MOST_COUNTS = 50_000

/** A mutation that was refused. */
export interface Refusal {
  mutation: string
  args: Record<string, unknown>
  error: unknown
  viewer: Viewer | null
  request: RequestInfo
  now: Date
}

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
   * Writes down that a mutation was refused, where its error is a refusal. What strangers were refused is written once
   * they have been answered: how long that takes is not to tell them what there is.
   */
  async note(refusal: Refusal): Promise<void> {
    const { error, viewer } = refusal
    if (!(error instanceof AppError) || !isRefusal(error) || !this.#passes(refusal)) return
    const written = this.#write(refusal, error).catch(this.#options.onError)
    if (viewer) return written
    this.#underWay.add(written)
    void written.finally(() => this.#underWay.delete(written))
  }

  /** Waits for what is being written. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay)
  }

  async #write({ mutation, args, viewer, request, now }: Refusal, error: AppError): Promise<void> {
    const act = refusedAct(mutation)
    if (!act) return
    const { concern } = error
    const id = targetIn(args)
    const login = viewer ? null : loginIn(args)
    const reason = error.details.reason
    const options = { ...this.#options, context: SYSTEM, viewer, now, request }
    await transact(options, work =>
      record(work, act.topic, {
        organisationId:
          concern?.organisationId ?? (act.here ? (viewer?.organisationId ?? null) : null),
        outcome: 'DENIED',
        refusal: reason ? `${error.code}/${reason}` : error.code,
        target: concern?.target ?? (id && act.kind ? { kind: act.kind, id } : undefined),
        changes: login ? [{ field: 'login', before: null, after: login }] : [],
      }),
    )
  }

  /** Counts in memory: a refusal that is not written costs nothing. */
  #passes({ mutation, args, viewer, request, now }: Refusal): boolean {
    const minute = Math.floor(now.getTime() / MINUTE_MS)
    if (minute !== this.#minute || this.#counts.size > MOST_COUNTS) this.#counts = new Map()
    this.#minute = minute
    const caller = viewer
      ? (viewer.userId ?? viewer.principalId ?? '')
      : sourceOf(request.ipAddress)
    const limits: [string, number][] = [
      [`${caller} ${mutation} ${viewer ? '' : (loginIn(args) ?? '')}`, MOST.act],
      [caller, viewer ? MOST.caller : MOST.source],
      ...(viewer ? [] : [['strangers', MOST.strangers] as [string, number]]),
    ]
    if (limits.some(([key, most]) => (this.#counts.get(key) ?? 0) >= most)) return false
    for (const [key] of limits) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    return true
  }
}

const isRefusal = ({ code, details }: AppError): boolean =>
  CODES.has(code) || (details.reason !== undefined && REASONS.has(details.reason))

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
