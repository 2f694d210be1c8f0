import type { PGlite, Transaction } from '@electric-sql/pglite'
import type { Pool, PoolClient, QueryResult } from 'pg'
import { enterContext, roleName, SYSTEM } from './context.ts'
import { statementName, type Queries, type Statement } from './sql.ts'

/**
 * One database connection inside a transaction, held until that ends. Its statements run in the order in which they
 * were asked for, also where nobody waits for one; after one that failed none runs any more.
 */
export interface Connection extends Queries {
  /** Runs several statements without values in one round trip. */
  script(text: string): Promise<void>
  /**
   * Ends the transaction and gives the connection back.
   *
   * @throws what kept it from being committed.
   */
  commit(): Promise<void>
  /** Undoes the transaction and gives the connection back. */
  rollBack(): Promise<void>
}

export interface SystemQueries extends Queries {
  /** Runs a text of several statements, which may begin and commit a transaction of its own. */
  script(text: string): Promise<Record<string, unknown>[]>
}

/** Hears of every statement that has ended: its text, and when it was sent, as `performance.now()` tells. */
export type Observer = (text: string, began: number) => void

/** How the connections of a pool are used. */
export interface PoolLevel {
  pool: string
  idle: number
  busy: number
  /** Requests for a connection that wait. */
  waiting: number
}

/** Where statements run: the pools of PostgreSQL, or the one connection of PGlite. */
export interface Store {
  /** Single statements as *system*: the caller look-up, sign-in, links, jobs. */
  readonly system: SystemQueries
  /** Opens a transaction; `script` runs as its beginning. */
  begin(script: string): Promise<Connection>
  /** Tells somebody of each statement from now on. */
  observe(observer: Observer): void
  readonly pools: PoolLevel[]
  close(): Promise<void>
}

export class PostgresStore implements Store {
  readonly system: SystemQueries
  readonly #requests: Pool
  readonly #system: Pool
  #observer: Observer = () => undefined

  /**
   * @param requests a pool whose connections send statements without waiting for the ones before.
   * @param system a pool whose connections act as `gatehouse_system` from the start.
   */
  constructor(requests: Pool, system: Pool) {
    this.#requests = requests
    this.#system = system
    this.system = {
      rows: query => this.#run(system, query),
      script: text => runScript(system, text),
    }
  }

  observe(observer: Observer): void {
    this.#observer = observer
  }

  get pools(): PoolLevel[] {
    return [levelOf('requests', this.#requests), levelOf('system', this.#system)]
  }

  async #run<Row>(on: Pool | PoolClient, query: Statement): Promise<Row[]> {
    const { text, values, planAnew } = query
    const began = performance.now()
    try {
      const name = planAnew ? undefined : statementName(text)
      return (await on.query({ name, text, values })).rows as Row[]
    } finally {
      this.#observer(text, began)
    }
  }

  async begin(script: string): Promise<Connection> {
    const client = await this.#requests.connect()
    // what is asked of it in this turn goes out in one piece with its beginning
    const { stream } = client.connection
    stream.cork()
    process.nextTick(() => stream.uncork())
    const opened = client.query(`begin; ${script}`)
    opened.catch(() => undefined)
    let over = false
    // once given back, the connection is somebody else's
    const whileOpen = <Result>(step: () => Promise<Result>): Promise<Result> =>
      over ? Promise.reject(new Error('This transaction is over.')) : step()
    const finish = (how: 'commit' | 'rollback') =>
      whileOpen(() => {
        over = true
        return end(client, opened, how)
      })
    return {
      rows: query => whileOpen(() => this.#run(client, query)),
      script: text => whileOpen(async () => void (await client.query(text))),
      commit: () => finish('commit'),
      rollBack: () => finish('rollback').catch(() => undefined),
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#requests.end(), this.#system.end()])
  }
}

const NOT_COMMITTED = 'The transaction could not be committed: a statement in it had failed.'

/** @param opened what it began with: without it nothing was inside a transaction. */
async function end(
  client: PoolClient,
  opened: Promise<unknown>,
  how: 'commit' | 'rollback',
): Promise<void> {
  const [, answer] = await Promise.all([opened, client.query(how)]).catch((error: Error) => {
    // the connection's state is unknown: throw it away rather than lend it to the next request
    client.release(error)
    throw error
  })
  client.release()
  // what PostgreSQL answers where a statement failed and nobody rolled back
  if (how === 'commit' && answer.command === 'ROLLBACK') throw new Error(NOT_COMMITTED)
}

async function runScript(pool: Pool, text: string): Promise<Record<string, unknown>[]> {
  const client = await pool.connect()
  try {
    const results: QueryResult | QueryResult[] = await client.query(text)
    client.release()
    return [results].flat().flatMap(result => result.rows)
  } catch (error) {
    // the script may have left its own transaction open and broken
    await client.query('rollback').then(
      () => client.release(),
      broken => client.release(broken),
    )
    throw error
  }
}

const levelOf = (pool: string, { totalCount, idleCount, waitingCount }: Pool): PoolLevel => ({
  pool,
  idle: idleCount,
  busy: totalCount - idleCount,
  waiting: waitingCount,
})

export class PgliteStore implements Store {
  readonly system: SystemQueries
  readonly #pglite: PGlite
  /** There is one connection, and so nothing to tell of a pool. */
  readonly pools: PoolLevel[] = []
  #observer: Observer = () => undefined

  constructor(pglite: PGlite) {
    this.#pglite = pglite
    this.system = {
      rows: query =>
        pglite.transaction(async transaction => {
          await transaction.exec(enterContext(SYSTEM))
          return this.#run(transaction, query)
        }),
      script: text => this.#script(text),
    }
  }

  async #script(text: string): Promise<Record<string, unknown>[]> {
    try {
      const results = await this.#pglite.exec(
        `set role ${roleName('system')}; ${text}; set role ${roleName('tenant')}`,
      )
      return results.flatMap(result => result.rows)
    } catch (error) {
      // what the script began is still open, with the role it set: undo both
      await this.#pglite.exec('rollback')
      throw error
    }
  }

  /** PGlite has one connection: whoever holds it makes the others wait. */
  begin(script: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const done = Promise.withResolvers<void>()
      let failed = false
      const noted = <Result>(step: Promise<Result>): Promise<Result> =>
        step.catch((error: unknown) => {
          failed = true
          throw error
        })
      const transaction = this.#pglite.transaction(async inner => {
        await inner.exec(script)
        resolve({
          rows: query => noted(this.#run(inner, query)),
          script: async text => void (await noted(inner.exec(text))),
          commit: async () => {
            // PGlite says nothing where a statement failed and nobody rolled back
            const broken =
              failed &&
              (await inner.exec('select').then(
                () => false,
                () => true,
              ))
            if (broken) done.reject(new Error(NOT_COMMITTED))
            else done.resolve()
            await transaction
          },
          rollBack: async () => {
            done.reject(new Error('The transaction is undone.'))
            await transaction.catch(() => undefined)
          },
        })
        await done.promise
      })
      transaction.catch(reject)
    })
  }

  observe(observer: Observer): void {
    this.#observer = observer
  }

  async #run<Row>(transaction: Transaction, { text, values }: Statement): Promise<Row[]> {
    const began = performance.now()
    try {
      return (await transaction.query<Row>(text, values)).rows
    } finally {
      this.#observer(text, began)
    }
  }

  async close(): Promise<void> {}
}
