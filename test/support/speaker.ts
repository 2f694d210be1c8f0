import { Client } from 'pg'
import type { TestDatabase } from './database.ts'

export type RequestRole = 'tenant' | 'self' | 'operator'

/** The variables that policies read. */
export interface Variables {
  'app.organisation'?: string
  'app.principal'?: string
  'app.visibility'?: string
  'app.user'?: string
}

/** PostgreSQL's code of a refusal. */
export interface Refused {
  refused: string
}

type Query = (text: string, values?: unknown[]) => Promise<{ rows: unknown[] }>

/** Speaks raw SQL in the role of a request, past everything the application does; whatever it did is undone. */
export class Speaker {
  readonly #database: TestDatabase
  #client: Client | undefined

  constructor(database: TestDatabase) {
    this.#database = database
  }

  async say(role: RequestRole, variables: Variables, text: string, values: unknown[] = []) {
    return this.#undone(async query => {
      await query(`set local role gatehouse_${role}`)
      for (const [name, value] of Object.entries(variables))
        await query('select set_config($1, $2, true)', [name, value])
      return query(text, values).then(
        ({ rows }) => rows as Record<string, unknown>[],
        (error: { code: string }): Refused => ({ refused: error.code }),
      )
    })
  }

  /** How many rows a query finds, or a change touches. */
  async count(
    role: RequestRole,
    variables: Variables,
    text: string,
    values: unknown[] = [],
  ): Promise<number | Refused> {
    const statement = `with rows as (${text}) select count(*)::int as count from rows`
    const answer = await this.say(role, variables, statement, values)
    return 'refused' in answer ? answer : ((answer as { count: number }[])[0]?.count ?? 0)
  }

  async #undone<Result>(work: (query: Query) => Promise<Result>): Promise<Result> {
    const { url, pglite } = this.#database.options
    if (pglite)
      return pglite.transaction<Result>(async transaction => {
        const result = await work((text, values) => transaction.query(text, values))
        await transaction.rollback()
        return result
      })
    if (!this.#client) {
      this.#client = new Client({ connectionString: url })
      await this.#client.connect()
    }
    const client = this.#client
    await client.query('begin')
    const result = await work((text, values) => client.query(text, values))
    await client.query('rollback')
    return result
  }

  async close(): Promise<void> {
    await this.#client?.end()
  }
}
