import { PgBoss, type JobResult, type JobWithMetadata } from 'pg-boss'
import type { Work } from '../access/work.ts'
import { SYSTEM } from '../database/context.ts'
import { isPassing } from '../database/failures.ts'
import type { Queries } from '../database/sql.ts'
import type { SystemQueries } from '../database/store.ts'
import { again, CHORE, LASTING, SCHEMA, type ChoreName, type QueueName } from './queues.ts'

/** Jobs of a queue that a node works at once: as many that are new, and as many that have failed. */
const WORKERS: Record<QueueName, number> = {
  mail: 4,
  'mail-request': 1,
  'webhook-event': 1,
  'unwanted-image': 1,
  'event-erasure': 1,
  'webhook-delivery': 4,
  'workflow-step': 2,
}
const FIRST_PATIENCE_MS = 10_000
const PATIENCE_MS = 25_000
/** Refusals in a row after which a job is given up: about four minutes, for a server may be wrong for a while. */
const MOST_REFUSALS = 10

const POLLING_SECONDS = 2
const SUPERVISE_SECONDS = 15
/** What is under way when the node stops has this long to finish. */
const GRACE_MS = 4_000

/** Thrown by work that no repetition is likely to help: it is tried a few times more, then given up. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** One try at a job. */
export interface Attempt {
  /** The job's id, the same at every try. */
  job: string
  /** Aborted where the try takes too long, or the node stops. */
  signal: AbortSignal
}

/** Hears of chores that were not done: warned where the database was away, for they are due again. */
export type ChoreLog = Record<'warn' | 'error', (what: object, message: string) => void>

/** A try that failed. */
export interface Failure<Data = object> {
  job: string
  data: Data
  attempt: number
  /** True where it was the last. */
  final: boolean
  error: unknown
}

/** What pg-boss needs of a database; its texts without values may be whole scripts. */
const executor = (queries: Queries | SystemQueries) => ({
  executeSql: async (text: string, values: unknown[] = []) => ({
    rows:
      values.length || !('script' in queries)
        ? await queries.rows<Record<string, unknown>>({ text, values })
        : await queries.script(text),
  }),
})

/** Runs a job of a queue, and tells somebody. */
type Around = <Result>(queue: string, run: () => Promise<Result>) => Promise<Result>

/** The queues of one node: jobs are written with their cause and delivered by any node afterwards. */
export class Jobs {
  readonly #boss: PgBoss
  readonly #stopping = new AbortController()
  readonly #workers = new Map<string, string[]>()

  readonly #around: Around

  /**
   * @param queries run as *system*.
   * @param around every job is run within it.
   */
  constructor(
    queries: SystemQueries,
    embedded: boolean,
    onError: (error: Error) => void,
    around: Around = (_queue, run) => run(),
  ) {
    this.#around = around
    this.#boss = new PgBoss({
      db: executor(queries),
      schema: SCHEMA,
      ...(embedded && { backend: 'pglite' }),
      migrate: false,
      createSchema: false,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
    })
    this.#boss.on('error', onError)
  }

  async start(): Promise<void> {
    await this.#boss.start()
  }

  /** Works a queue; a job whose `work` throws is tried again later. */
  async consume<Data extends object>(
    queue: QueueName,
    work: (data: Data, attempt: Attempt) => Promise<void>,
    onFailure: (failure: Failure<Data>) => void | Promise<void>,
  ): Promise<void> {
    await this.#employ<Data>(queue, WORKERS[queue], async ({ id, data }) => {
      const error = await this.#try(id, FIRST_PATIENCE_MS, signal =>
        work(data, { job: id, signal }),
      )
      if (error) {
        await onFailure({ job: id, data, attempt: 1, final: false, error })
        await this.#boss.send(again(queue), data, { id, startAfter: LASTING.retryDelay })
      }
      return { id, status: 'completed' }
    })
    await this.#employ<Data>(again(queue), WORKERS[queue], async job => {
      const { id, data, retryCount, retryLimit } = job
      const error = await this.#try(id, PATIENCE_MS, signal => work(data, { job: id, signal }))
      if (!error) return { id, status: 'completed' }
      const before = (job.output as { refusals?: number } | null)?.refusals ?? 0
      const refusals = error instanceof Refused ? before + 1 : 0
      const final = refusals >= MOST_REFUSALS || retryCount >= retryLimit
      await onFailure({ job: id, data, attempt: retryCount + 2, final, error })
      // no queue takes dead letters, so a dead letter is a job that is tried no more
      const status = final ? 'deadletter' : 'failed'
      return { id, status, output: { refusals, message: error.message } }
    })
  }

  /** Does a chore whenever it is due and this node is the one to do it. */
  async perform(
    chore: ChoreName,
    work: (signal: AbortSignal) => Promise<void>,
    log: ChoreLog,
  ): Promise<void> {
    await this.#employ(chore, 1, async ({ id }) => {
      const error = await this.#try(id, CHORE.expireInSeconds * 1_000, work)
      if (isPassing(error)) log.warn({ err: error, chore }, 'a chore was put off')
      else if (error) log.error({ err: error, chore }, 'a chore failed')
      return { id, status: error ? 'failed' : 'completed', output: { message: error?.message } }
    })
  }

  async #employ<Data extends object>(
    queue: string,
    count: number,
    work: (job: JobWithMetadata<Data>) => Promise<JobResult>,
  ): Promise<void> {
    const options = {
      pollingIntervalSeconds: POLLING_SECONDS,
      includeMetadata: true,
      perJobResults: true,
    } as const
    const employ = async (): Promise<string> => {
      const worker = await this.#boss.work(
        queue,
        options,
        async ([job]: JobWithMetadata<Data>[]) => {
          const result = await this.#around(queue, () => work(job!))
          // where one job was there may be more: look again at once
          this.#boss.notifyWorker(worker)
          return [result]
        },
      )
      return worker
    }
    this.#workers.set(queue, await Promise.all(Array.from({ length: count }, employ)))
  }

  /** The error with which a try failed. */
  async #try(
    id: string,
    patienceMs: number,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<Error | null> {
    const signals = [this.#stopping.signal, AbortSignal.timeout(patienceMs)]
    return work(AbortSignal.any(signals)).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error : new Error(`The job ${id} failed.`)),
    )
  }

  /**
   * Writes a job in the transaction of its cause, so that it exists exactly when the cause was committed.
   *
   * @param delaySeconds how long it waits before it is worked.
   */
  async enqueue(work: Work, queue: QueueName, data: object, delaySeconds = 0): Promise<void> {
    const options = { db: executor(work.db), ...(delaySeconds && { startAfter: delaySeconds }) }
    await work.as(SYSTEM, () => this.#boss.send(queue, data, options))
    this.#wakeAfter(work, queue)
  }

  /** The same for many jobs, in one statement. */
  async enqueueAll(work: Work, queue: QueueName, data: object[]): Promise<void> {
    if (!data.length) return
    const jobs = data.map(each => ({ data: each }))
    await work.as(SYSTEM, () => this.#boss.insert(queue, jobs, { db: executor(work.db) }))
    this.#wakeAfter(work, queue)
  }

  /** Spares the workers here their polling delay. */
  #wakeAfter(work: Work, queue: QueueName): void {
    work.afterCommit(() => {
      for (const worker of this.#workers.get(queue) ?? []) this.#boss.notifyWorker(worker)
    })
  }

  /** Gives running jobs a moment to finish, cuts the others short, and returns when nothing is under way any more. */
  async stop(): Promise<void> {
    const idle = Promise.all([...this.#workers.keys()].map(queue => this.#boss.offWork(queue)))
    const tooLong = setTimeout(() => this.#stopping.abort(), GRACE_MS)
    await idle
    clearTimeout(tooLong)
    await this.#boss.stop({ graceful: false })
  }
}
