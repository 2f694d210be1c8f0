import { Client } from 'pg'
import type { TestServer } from './server.ts'
import { until } from './waiting.ts'

/**
 * Runs `act` while statements of another transaction have been carried out and are not committed, commits them once it
 * waits for that, and brings its outcome. On PostgreSQL only: PGlite has one connection.
 */
export async function meanwhile<Outcome>(
  server: TestServer,
  statements: [text: string, values?: unknown[]][],
  act: () => Promise<Outcome>,
): Promise<Outcome> {
  const client = new Client({ connectionString: server.database.options.url })
  await client.connect()
  try {
    await client.query('set role gatehouse_system; begin')
    for (const [text, values] of statements) await client.query(text, values)
    const outcome = act()
    // it is looked at in the end
    outcome.catch(() => undefined)
    await until(async () => {
      const waiting = await server.database.owner(`select 1 from pg_locks where not granted`)
      return waiting.length > 0
    })
    await client.query('commit')
    return await outcome
  } finally {
    await client.end()
  }
}
