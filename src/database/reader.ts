import { enterContext, sameContext, type DatabaseContext } from './context.ts'
import type { Queries, Statement } from './sql.ts'
import type { Connection, Store } from './store.ts'

/** What a statement needs around it. */
interface Surroundings {
  context: DatabaseContext
  planOnce: boolean
}

/**
 * The reads of one operation, in one read-only transaction that opens with the first of them and ends when the answer
 * is sent, so that an operation pays once for its context.
 *
 * Reads of several contexts share it: the switch is queued right before the statement it is for, and statements of
 * one connection run in the order they were queued.
 */
export class Reader {
  readonly #store: Store
  #connection: Promise<Connection> | undefined
  #entered: Surroundings | undefined
  #ended = false

  constructor(store: Store) {
    this.#store = store
  }

  as(context: DatabaseContext): Queries {
    return { rows: query => this.#read(context, query) }
  }

  async #read<Row>(context: DatabaseContext, query: Statement): Promise<Row[]> {
    // graphql-js answers at the first fault that ends a list, while fields beside it are still being resolved
    if (this.#ended) throw new Error('The answer has gone.')
    const needed = { context, planOnce: query.planOnce ?? false }
    if (!this.#connection) {
      this.#entered = needed
      this.#connection = this.#store.begin(`set transaction read only; ${enter(needed)}`)
      return (await this.#connection).rows(query)
    }
    const connection = await this.#connection
    if (!this.#entered || !areSame(this.#entered, needed)) {
      this.#entered = needed
      // queued, not awaited: nothing may slip between the switch and the statement, which fails where this failed
      connection.script(enter(needed)).catch(() => undefined)
    }
    return connection.rows(query)
  }

  /** Ends the transaction for good: what asks later is refused, for nobody would end what it opened. */
  end(): Promise<void> {
    this.#ended = true
    return this.close()
  }

  /** Ends the transaction, if one was opened; the next read opens another. */
  async close(): Promise<void> {
    const connection = this.#connection
    this.#connection = undefined
    this.#entered = undefined
    await connection?.then(open => open.commit()).catch(() => undefined)
  }
}

const enter = ({ context, planOnce }: Surroundings): string =>
  enterContext(context, { plan_cache_mode: planOnce ? 'force_generic_plan' : 'auto' })

const areSame = (left: Surroundings, right: Surroundings): boolean =>
  left.planOnce === right.planOnce && sameContext(left.context, right.context)
