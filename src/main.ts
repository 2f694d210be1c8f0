import './engine.ts'
import { buildApp, type App } from './app.ts'
import { explain } from './database/failures.ts'
import { migrate } from './database/migrate.ts'
import { openDatabase, openPglite } from './database/orm.ts'
import { entities } from './entities.ts'
import { firstRun, type FirstCredentials } from './first-run.ts'
import { prepareJobs } from './outbox/queues.ts'
import { readConfig, type Config } from './shared/config.ts'
import { holdData } from './sole-use.ts'

const GRACE_MS = 9_000

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
  let log: App['http']['log'] | undefined
  const database = await openDatabase(options, err =>
    log?.warn({ err }, 'a database connection broke'),
  )
  const app = await buildApp({ config, database })
  log = app.http.log
  const credentials = await firstRun(app.node, app.node.hasher)
  // before anything else can fail: the password is kept nowhere
  if (credentials) say(introduction(credentials))
  await app.start()
  await app.http.listen({ host: config.HOST, port: config.PORT })
  say(greeting(app, config))

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      // what has not finished by then is cut off, so that a stop is never longer than ten seconds
      setTimeout(() => process.exit(1), GRACE_MS).unref()
      app
        .stop()
        .then(() => pglite?.close())
        .then(() => process.exit(0), giveUp)
    })
}

/** What is told once the server listens. */
const greeting = (app: App, config: Config): string[] => [
  `Gatehouse listens on ${config.PUBLIC_URL}/graphql`,
  ...(config.GRAPHIQL ? [`GraphiQL:  ${config.PUBLIC_URL}/graphiql`] : []),
  ...(app.mailbox ? [`Mailbox:   ${config.PUBLIC_URL}/dev/mailbox`] : []),
]

const introduction = ({ email, password }: FirstCredentials): string[] => [
  `First operator: ${email}`,
  password
    ? `Password:       ${password}   (shown this once)`
    : 'Password:       the one in OPERATOR_PASSWORD',
]

/** Words for people, between the lines of the log. */
const say = (lines: string[]) => console.log(`\n${lines.join('\n')}\n`)

function giveUp(error: unknown): never {
  console.error(explain(error))
  process.exit(1)
}

main().catch(giveUp)
