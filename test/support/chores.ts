import { PgBoss } from 'pg-boss'
import type { ChoreName } from '../../src/outbox/queues.ts'
import { onPostgres } from './database.ts'
import type { TestServer } from './server.ts'
import { until } from './waiting.ts'

/** Has a chore done now, as if its time had come, and waits until one of the nodes has done it. */
export async function doChore(server: TestServer, chore: ChoreName): Promise<void> {
  const owner = (text: string, values?: unknown[]) => server.database.owner(text, values)
  const boss = new PgBoss({
    db: { executeSql: async (text, values) => ({ rows: await owner(text, values) }) },
    schema: 'pgboss',
    ...(!onPostgres() && { backend: 'pglite' }),
  })
  let id: string | null = null
  await until(async () => {
    // none where one is waiting or under way already, because its time has come indeed: that goes first
    id = await boss.send(chore, {})
    return id !== null
  })
  await until(async () => {
    const [job] = await owner(`select state::text from pgboss.job where id = $1`, [id])
    return job?.state === 'completed'
  })
}
