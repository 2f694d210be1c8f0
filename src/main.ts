import { buildApp } from './app.ts'
import { migrate } from './database/migrate.ts'
import { openDatabase, openPglite } from './database/orm.ts'
import { entities } from './entities.ts'
import { firstRun } from './first-run.ts'
import { prepareJobs } from './outbox/jobs.ts'
import { ConfigError, readConfig, type Config } from './shared/config.ts'

const GRACE_MS = 9_000

async function open(config: Config) {
  const options = {
    url: config.DATABASE_URL,
    dataDir: config.DATA_DIR,
    pool: config.DATABASE_POOL,
    entities,
    pglite: config.DATABASE_URL ? undefined : await openPglite(config.DATA_DIR),
  }
  await migrate(options, prepareJobs)
  return openDatabase(options, error =>
    console.error(`A database connection broke: ${error.message}`),
  )
}

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const app = await buildApp({ config, database: await open(config) })
  const credentials = await firstRun(app.node, app.node.hasher)
  await app.start()
  await app.http.listen({ host: config.HOST, port: config.PORT })

  const lines = [
    `Gatehouse listens on ${config.PUBLIC_URL}/graphql`,
    ...(config.GRAPHIQL ? [`GraphiQL:  ${config.PUBLIC_URL}/graphiql`] : []),
    ...(app.mailbox ? [`Mailbox:   ${config.PUBLIC_URL}/dev/mailbox`] : []),
    ...(credentials
      ? [
          '',
          `First operator: ${credentials.email}`,
          credentials.password
            ? `Password:       ${credentials.password}   (shown this once)`
            : 'Password:       the one in OPERATOR_PASSWORD',
        ]
      : []),
  ]
  console.log(`\n${lines.join('\n')}\n`)

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      // what has not finished by then is cut off, so that a stop is never longer than ten seconds
      setTimeout(() => process.exit(1), GRACE_MS).unref()
      void app.stop().then(
        () => process.exit(0),
        error => {
          console.error(error)
          process.exit(1)
        },
      )
    })
}

main().catch(error => {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exit(1)
})
