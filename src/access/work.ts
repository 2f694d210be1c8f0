import { enterContext, SYSTEM, type DatabaseContext } from '../database/context.ts'
import { sayFailure } from '../database/failures.ts'
import type { Queries } from '../database/sql.ts'
import type { Connection, Store } from '../database/store.ts'
import type { Config } from '../shared/config.ts'
import type { Metrics } from '../shared/metrics.ts'
import type { KeyRing } from '../shared/seal.ts'
import type { Viewer } from './viewer.ts'

/** Where a request came from. */
export interface RequestInfo {
  requestId: string
  ipAddress: string
  userAgent: string | null
  /** The header that tells which languages whoever asks likes. */
  acceptLanguage?: string | undefined
  /** The `Idempotency-Key` that came with it. */
  idempotencyKey?: string | null
}

/** What services need of the running server. */
export interface Server {
  config: Config
  keys: KeyRing
  /** Writes a job in the transaction of its cause, so that it exists exactly when the cause was committed. */
  enqueue(work: Work, queue: string, data: object, delaySeconds?: number): Promise<void>
  /** The same for many jobs at once. */
  enqueueAll(work: Work, queue: string, data: object[]): Promise<void>
  /** What the server counts of itself. */
  metrics: Metrics
}

/** One unit of work: a transaction, who asked for it, and when. Services neither begin nor end it. */
export interface Work {
  /** Its statements. */
  db: Queries
  viewer: Viewer | null
  now: Date
  request: RequestInfo
  server: Server
  /**
   * Runs `step` in another context of the same transaction: as *system* where a tenant's own rights do not reach,
   * such as to ask whether a login exists. Steps of one work run one after the other, never side by side.
   */
  as<Result>(context: DatabaseContext, step: () => Promise<Result>): Promise<Result>
  /** Runs `step` so that its failure undoes what it wrote and leaves the rest of the transaction as it was. */
  savepoint<Result>(step: () => Promise<Result>): Promise<Result>
  /** Runs once the transaction has been committed. */
  afterCommit(step: () => void): void
}

export interface WorkOptions {
  store: Store
  context: DatabaseContext
  viewer: Viewer | null
  now: Date
  request: RequestInfo
  server: Server
}

/** Runs `unit` in one transaction: all of it happens or nothing does. */
export async function transact<Result>(
  options: WorkOptions,
  unit: (work: Work) => Promise<Result>,
): Promise<Result> {
  const committed: (() => void)[] = []
  const result = await inTransaction(options, unit, committed).catch(sayFailure)
  for (const step of committed) step()
  return result
}

/** What it takes to do something that nobody asks for at the moment: a job, or a chore. */
export interface ServerTools {
  store: Store
  server: Server
  now: () => Date
}

/**
 * Runs `unit` in one transaction for the server itself, as *system*.
 *
 * @param requestId what its events and its log are found by.
 */
export const transactForServer = <Result>(
  { store, server, now }: ServerTools,
  requestId: string,
  unit: (work: Work) => Promise<Result>,
  userAgent: string | null = null,
): Promise<Result> => {
  const request = { requestId, ipAddress: '', userAgent }
  return transact({ store, server, now: now(), context: SYSTEM, viewer: null, request }, unit)
}

async function inTransaction<Result>(
  { store, ...asked }: WorkOptions,
  unit: (work: Work) => Promise<Result>,
  committed: (() => void)[],
): Promise<Result> {
  const connection = await store.begin(enterContext(asked.context))
  let result: Result
  try {
    result = await unit(workOn(connection, asked, committed))
  } catch (error) {
    await connection.rollBack()
    throw error
  }
  await connection.commit()
  return result
}

function workOn(
  connection: Connection,
  { context, ...asked }: Omit<WorkOptions, 'store'>,
  committed: (() => void)[],
): Work {
  let current = context
  // nobody waits for it: it comes before whatever is asked next, which fails where this failed
  const enter = (next: DatabaseContext) => {
    connection.script(enterContext(next)).catch(() => undefined)
    current = next
  }
  return {
    ...asked,
    db: { rows: query => connection.rows(query) },
    as: async (next, step) => {
      const before = current
      enter(next)
      try {
        return await step()
      } finally {
        // whoever goes on after a refusal does so with their own rights; where a statement failed nobody can
        enter(before)
      }
    },
    savepoint: async step => {
      const before = { context: current, committed: committed.length }
      await connection.script('savepoint step')
      try {
        const outcome = await step()
        await connection.script('release savepoint step')
        return outcome
      } catch (error) {
        // the context goes back with everything else
        await connection.script('rollback to savepoint step; release savepoint step')
        current = before.context
        committed.length = before.committed
        throw error
      }
    },
    afterCommit: step => void committed.push(step),
  }
}
