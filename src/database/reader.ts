import { enterContext, sameContext, type DatabaseContext } from './context.ts'
import type { Queries } from './sql.ts'
import type { Connection, Store } from './store.ts'

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
  #context: DatabaseContext | undefined
  #ended = false

  constructor(store: Store) {
    this.#store = store
  }

  as(context: DatabaseContext): Queries {
    return {
      rows: async query => {
        // graphql-js answers at the first fault that ends a list, while fields beside it are still being resolved
        if (this.#ended) throw new Error('The answer has gone.')
        if (!this.#connection) {
          this.#context = context
          this.#connection = this.#store.begin(
            `set transaction read only; ${enterContext(context)}`,
          )
          return (await this.#connection).rows(query)
        }
        const connection = await this.#connection
        if (!this.#context || !sameContext(this.#context, context)) {
          this.#context = context
          // queued, not awaited: nothing may slip between the switch and the statement
          const [, rows] = await Promise.all([
            connection.script(enterContext(context)),
            connection.rows(query),
          ])
          return rows as never
        }
        return connection.rows(query)
      },
    }
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
    this.#context = undefined
    await connection?.then(open => open.commit()).catch(() => undefined)
  }
}
