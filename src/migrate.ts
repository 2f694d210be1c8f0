import { explain } from './database/failures.ts'
import { migrate } from './database/migrate.ts'
import { openPglite } from './database/orm.ts'
import { entities } from './entities.ts'
import { prepareJobs } from './outbox/queues.ts'
import { readConfig } from './shared/config.ts'
import { holdData } from './sole-use.ts'

/** `npm run migrate`: brings the database up to date and ends; the server does the same when it starts. */
async function main(): Promise<void> {
  const config = readConfig(process.env)
  await holdData(config)
  const pglite = config.DATABASE_URL ? undefined : await openPglite(config.DATA_DIR)
  const options = {
    url: config.DATABASE_URL,
    dataDir: config.DATA_DIR,
    pool: config.DATABASE_POOL,
    entities,
    pglite,
  }
  await migrate(options, prepareJobs)
  await pglite?.close()
  console.log('The database is up to date.')
}

main().catch(error => {
  console.error(explain(error))
  process.exit(1)
})
