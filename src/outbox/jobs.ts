import { PgBoss, type JobResult, type JobWithMetadata } from 'pg-boss'
import type { Work } from '../access/work.ts'
import { SYSTEM } from '../database/context.ts'
import type { Owner } from '../database/migrate.ts'
import type { Queries } from '../database/sql.ts'
import type { SystemQueries } from '../database/store.ts'

/** Every queue and how it is worked; delays in seconds. */
const QUEUES = {
  mail: {
    // about five days (RFC 5321, section 4.5.4.1), and never so far apart that what waited for the end of an outage
    // comes more than a minute after it
    retryLimit: 20_000,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 30,
    // what a node took and never finished, because it was killed, is taken up again after this
    expireInSeconds: 30,
    deleteAfterSeconds: 86_400,
  },
  // looked up after the answer, so that the answer can tell nothing of the address
  'mail-request': {
    retryLimit: 1_000,
    retryDelay: 2,
    retryBackoff: true,
    retryDelayMax: 30,
    expireInSeconds: 30,
    deleteAfterSeconds: 3_600,
  },
} as const
export type QueueName = keyof typeof QUEUES

/**
 * What has failed goes on with other workers than what is new, and the oftener it has failed the later its turn comes:
 * so nothing that hangs or is refused again and again holds up the rest.
 */
const CREWS = {
  fresh: { which: { minPriority: 0 }, patienceMs: 10_000 },
  again: { which: { maxPriority: -1 }, patienceMs: 25_000 },
} as const
/** Jobs that each crew of a node works at once. */
const CREW_SIZES: Record<QueueName, number> = { mail: 4, 'mail-request': 1 }
/** Refusals in a row after which a job is given up: about four minutes, for a server may be wrong for a while. */
const MOST_REFUSALS = 10

const SCHEMA = 'pgboss'
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

/** A try that failed. */
export interface Failure {
  job: string
  attempt: number
  /** True where it was the last. */
  final: boolean
  error: unknown
}

interface Worker {
  id: string
  busy: boolean
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

/** Makes the queues' tables, as their owner, and lets *system* work them. */
export async function prepareJobs(owner: Owner): Promise<void> {
  const boss = new PgBoss({
    db: { executeSql: async (text, values) => owner.execute(text, values) },
    schema: SCHEMA,
    ...(owner.embedded && { backend: 'pglite' }),
    supervise: false,
    schedule: false,
  })
  boss.on('error', () => undefined)
  await boss.start()
  for (const [name, options] of Object.entries(QUEUES)) {
    await boss.createQueue(name, options)
    await boss.updateQueue(name, options)
  }
  await boss.stop({ graceful: false })
  const system = 'gatehouse_system'
  await owner.execute(`grant usage on schema ${SCHEMA} to ${system}`)
  await owner.execute(
    `grant select, insert, update, delete on all tables in schema ${SCHEMA} to ${system}`,
  )
  await owner.execute(`grant usage on all sequences in schema ${SCHEMA} to ${system}`)
}

/** The queues of one node: jobs are written with their cause and delivered by any node afterwards. */
export class Jobs {
  readonly #boss: PgBoss
  readonly #stopping = new AbortController()
  /** Workers that may be woken for what is new. */
  readonly #fresh = new Map<QueueName, Worker[]>()

  /** @param queries run as *system*. */
  constructor(queries: SystemQueries, embedded: boolean, onError: (error: Error) => void) {
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
    onFailure: (failure: Failure) => void,
  ): Promise<void> {
    this.#fresh.set(queue, await this.#employ(queue, CREWS.fresh, work, onFailure))
    await this.#employ(queue, CREWS.again, work, onFailure)
  }

  async #employ<Data extends object>(
    queue: QueueName,
    { which, patienceMs }: (typeof CREWS)[keyof typeof CREWS],
    work: (data: Data, attempt: Attempt) => Promise<void>,
    onFailure: (failure: Failure) => void,
  ): Promise<Worker[]> {
    const options = {
      ...which,
      pollingIntervalSeconds: POLLING_SECONDS,
      includeMetadata: true,
      perJobResults: true,
    } as const
    const crew = Array.from({ length: CREW_SIZES[queue] }, (): Worker => ({ id: '', busy: false }))
    for (const worker of crew)
      worker.id = await this.#boss.work(queue, options, async ([job]: JobWithMetadata<Data>[]) => {
        worker.busy = true
        try {
          const signal = AbortSignal.any([
            job!.signal,
            this.#stopping.signal,
            AbortSignal.timeout(patienceMs),
          ])
          await work(job!.data, { job: job!.id, signal })
          return [{ id: job!.id, status: 'completed' }]
        } catch (error) {
          return [await this.#fail(queue, job!, error, onFailure)]
        } finally {
          worker.busy = false
          // where one job was there may be more: look again at once
          this.#boss.notifyWorker(worker.id)
        }
      })
    return crew
  }

  async #fail<Data>(
    queue: QueueName,
    job: JobWithMetadata<Data>,
    error: unknown,
    onFailure: (failure: Failure) => void,
  ): Promise<JobResult> {
    const { id, retryCount, retryLimit } = job
    const before = (job.output as { refusals?: number } | null)?.refusals ?? 0
    const refusals = error instanceof Refused ? before + 1 : 0
    const final = refusals >= MOST_REFUSALS || retryCount >= retryLimit
    onFailure({ job: id, attempt: retryCount + 1, final, error })
    const output = { refusals, message: error instanceof Error ? error.message : 'failed' }
    // no queue takes dead letters, so a dead letter is a job that is tried no more
    if (final) return { id, status: 'deadletter', output }
    await this.#boss.fail(queue, id, output)
    await this.#boss.update({ name: queue, options: { id, priority: -retryCount - 1 } })
    // it waits again already, so this changes nothing
    return { id, status: 'completed' }
  }

  /** Writes a job in the transaction of its cause, so that it exists exactly when the cause was committed. */
  async enqueue(work: Work, queue: QueueName, data: object): Promise<void> {
    await work.as(SYSTEM, () => this.#boss.send(queue, data, { db: executor(work.db) }))
    work.afterCommit(() => this.#wake(queue))
  }

  /** The same for many jobs, in one statement. */
  async enqueueAll(work: Work, queue: QueueName, data: object[]): Promise<void> {
    if (!data.length) return
    const jobs = data.map(each => ({ data: each }))
    await work.as(SYSTEM, () => this.#boss.insert(queue, jobs, { db: executor(work.db) }))
    work.afterCommit(() => this.#wake(queue))
  }

  /** Spares one of the workers here its polling delay. */
  #wake(queue: QueueName): void {
    const idle = this.#fresh.get(queue)?.find(worker => !worker.busy)
    if (idle) this.#boss.notifyWorker(idle.id)
  }

  /** Gives running jobs a moment to finish, cuts the others short, and returns when nothing is under way any more. */
  async stop(): Promise<void> {
    const idle = Promise.all([...this.#fresh.keys()].map(queue => this.#boss.offWork(queue)))
    const tooLong = setTimeout(() => this.#stopping.abort(), GRACE_MS)
    await idle
    clearTimeout(tooLong)
    await this.#boss.stop({ graceful: false })
  }
}
