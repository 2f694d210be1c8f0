import { createServer } from 'node:net'
import { buildApp, type App } from '../../src/app.ts'
import { openDatabase } from '../../src/database/orm.ts'
import { firstRun } from '../../src/first-run.ts'
import { readConfig, type Config } from '../../src/shared/config.ts'
import { TestClock } from './clock.ts'
import { cloneDatabase, type TestDatabase } from './database.ts'

export const OPERATOR = { email: 'operator@localhost.test', password: 'the operator of the tests' }

/** A running server of one test file, on a database of its own. */
export interface TestServer {
  url: string
  app: App
  clock: TestClock
  database: TestDatabase
  /** Every line that was logged. */
  log: string[]
  /** All nodes on its database, itself among them: whichever takes a mail's job keeps the mail. */
  nodes: TestServer[]
  stop(): Promise<void>
}

export interface TestServerOptions {
  settings?: Record<string, string>
  /** A second node on the database of a first. */
  beside?: TestServer
}

/** Starts a server as `npm start` does, with cheap hashes and a clock that can be moved. */
export async function startServer({
  settings = {},
  beside,
}: TestServerOptions = {}): Promise<TestServer> {
  const port = await freePort()
  const database = beside?.database ?? (await cloneDatabase())
  const clock = beside?.clock ?? new TestClock()
  const config: Config = readConfig({
    NODE_ENV: 'test',
    // a test asks faster than anybody
    REQUESTS_PER_MINUTE: '1000000',
    PORT: String(port),
    DATA_DIR: 'memory://',
    SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
    OPERATOR_EMAIL: OPERATOR.email,
    OPERATOR_PASSWORD: OPERATOR.password,
    ARGON2_MEMORY_KIB: '1024',
    ARGON2_TIME: '1',
    DATABASE_POOL: String(database.options.pool),
    ...(database.options.url && { DATABASE_URL: database.options.url }),
    ...(beside && { PUBLIC_URL: beside.app.node.server.config.PUBLIC_URL }),
    ...settings,
  })
  const log: string[] = []
  const app = await buildApp({
    config,
    database: await openDatabase(database.options, error => log.push(String(error))),
    clock: clock.now,
    log: { write: line => void log.push(line) },
  })
  await firstRun(app.node, app.node.hasher)
  await app.start()
  await app.http.listen({ host: '127.0.0.1', port })
  const nodes = beside?.nodes ?? []
  const server: TestServer = {
    url: `http://localhost:${port}`,
    app,
    clock,
    database,
    log,
    nodes,
    stop: async () => {
      nodes.splice(nodes.indexOf(server), 1)
      await app.stop()
      if (!beside) await database.drop()
    },
  }
  nodes.push(server)
  return server
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
