import { PgBoss, type Job } from 'pg-boss'
import type { Work } from '../access/work.ts'
import { SYSTEM } from '../database/context.ts'
import type { Owner } from '../database/migrate.ts'
import type { Queries } from '../database/sql.ts'
import type { SystemQueries } from '../database/store.ts'

/** Every queue and how it is worked; delays in seconds. */
const QUEUES = {
  mail: {
    retryLimit: 20,
    retryDelay: 5,
    retryBackoff: true,
    retryDelayMax: 3_600,
    expireInSeconds: 120,
  },
} as const
export type QueueName = keyof typeof QUEUES

const SCHEMA = 'pgboss'
const POLLING_SECONDS = 2

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
  readonly #workers = new Map<QueueName, string>()

  /** @param queries run as *system*. */
  constructor(queries: SystemQueries, embedded: boolean, onError: (error: Error) => void) {
    this.#boss = new PgBoss({
      db: executor(queries),
      schema: SCHEMA,
      ...(embedded && { backend: 'pglite' }),
      migrate: false,
      createSchema: false,
      superviseIntervalSeconds: 60,
    })
    this.#boss.on('error', onError)
  }

  async start(): Promise<void> {
    await this.#boss.start()
  }

  /** Works a queue; a job whose `work` throws is tried again later. */
  async consume<Data extends object>(
    queue: QueueName,
    work: (data: Data, id: string) => Promise<void>,
  ): Promise<void> {
    const worker = await this.#boss.work<Data>(
      queue,
      { pollingIntervalSeconds: POLLING_SECONDS, batchSize: 1 },
      async ([job]: Job<Data>[]) => {
        if (job) await work(job.data, job.id)
      },
    )
    this.#workers.set(queue, worker)
  }

  /** Writes a job in the transaction of its cause, so that it exists exactly when the cause was committed. */
  async enqueue(work: Work, queue: QueueName, data: object): Promise<void> {
    await work.as(SYSTEM, () => this.#boss.send(queue, data, { db: executor(work.db) }))
    work.afterCommit(() => this.#wake(queue))
  }

  /** Spares the local worker its polling delay. */
  #wake(queue: QueueName): void {
    const worker = this.#workers.get(queue)
    if (worker) this.#boss.notifyWorker(worker)
  }

  /** Lets running jobs finish. */
  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: 5_000 })
  }
}
