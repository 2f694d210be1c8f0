import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { SMTPServer } from 'smtp-server'
import { additions, type Additions } from './additions.ts'
import { signInAll } from './callers.ts'
import { freePort, startCluster, type Cluster } from './cluster.ts'
import { CROWDS, ORGANISATIONS_BESIDE, seedCrowds } from './crowd.ts'
import { median, run, type Figures, type Scenario } from './load.ts'
import { compile, pinLoad, startServer, type Build, type ServerProcess } from './processes.ts'
import { readings } from './scale-scenarios.ts'

// `npm run bench:scale`: a million members in one organisation beside ten thousand in another, and ten thousand
// organisations beside both. Seeding takes minutes; `-- --members=50000` makes the larger crowd smaller. Nothing here is a
// test.

const WARM_UP_SECONDS = 3
const RUN_SECONDS = 4
const RUNS = 3
const POOL = 12
const CALLS = 10

const password = randomBytes(18).toString('base64url')

async function main(): Promise<void> {
  const build = compile()
  const cluster = await startCluster()
  pinLoad()
  const mails = await openPostOffice()
  const servers: ServerProcess[] = []
  try {
    const server = await startGatehouse(build, cluster, mails.url)
    servers.push(server)
    const started = performance.now()
    await seedCrowds(cluster.admin)
    const seeded = (performance.now() - started) / 1000
    const people = await Promise.all(
      CROWDS.map(({ callers }) => signInAll(server, password, callers)),
    )
    const pairs: Scenario[][] = []
    for (const callers of people) pairs.push(await readings(server, callers))
    const lines = await measure(cluster, pairs)
    const added = await additions(cluster, server, people[1]![0]!, CALLS)
    console.log(report(cluster, seeded, lines, added))
  } finally {
    for (const server of servers) await server.stop()
    await mails.close()
    await cluster.stop()
    build.remove()
  }
}

/** Takes every mail and keeps none. */
async function openPostOffice(): Promise<{ url: string; close(): Promise<void> }> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      stream.on('end', () => done())
      stream.resume()
    },
  })
  const port = await freePort()
  await new Promise<void>(ready => server.listen(port, '127.0.0.1', ready))
  return {
    url: `smtp://127.0.0.1:${port}`,
    close: () => new Promise(closed => server.close(() => closed())),
  }
}

async function startGatehouse(
  build: Build,
  cluster: Cluster,
  smtp: string,
): Promise<ServerProcess> {
  const port = await freePort()
  return startServer({
    build,
    script: 'src/main.js',
    port,
    ready: '/readyz',
    environment: {
      NODE_ENV: 'production',
      DATABASE_URL: cluster.ownerUrl,
      DATABASE_POOL: String(POOL),
      PUBLIC_URL: `http://localhost:${port}`,
      SECRET_KEY: randomBytes(32).toString('base64'),
      SMTP_URL: smtp,
      OPERATOR_PASSWORD: password,
      ACCESS_TOKEN_SECONDS: '3600',
      LOG_LEVEL: 'error',
      REQUESTS_PER_MINUTE: '100000000',
    },
  })
}

/** The same in both crowds, in turns, so that what else the machine does falls on both alike. */
async function measure(cluster: Cluster, crowds: Scenario[][]): Promise<[string, Figures[]][]> {
  const lines: [string, Figures[]][] = []
  for (const [index, { name }] of crowds[0]!.entries()) {
    const pair = crowds.map(scenarios => scenarios[index]!)
    const runs: Figures[][] = pair.map(() => [])
    for (const scenario of pair) await run(cluster, scenario, WARM_UP_SECONDS)
    for (let round = 0; round < RUNS; round++)
      for (const [crowd, scenario] of pair.entries())
        runs[crowd]!.push(await run(cluster, scenario, RUN_SECONDS))
    lines.push([name, runs.map(median)])
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  return lines
}

function report(
  cluster: Cluster,
  seeded: number,
  lines: [string, Figures[]][],
  added: Additions,
): string {
  const [few, many] = CROWDS.map(({ members }) => members.toLocaleString('en'))
  const rows = lines.map(([name, [small, large]]) =>
    [
      name,
      small!.p50.toFixed(2),
      large!.p50.toFixed(2),
      (large!.p50 / small!.p50).toFixed(2),
      small!.databaseCpu.toFixed(2),
      large!.databaseCpu.toFixed(2),
      large!.statements.toFixed(1),
      String(small!.errors + large!.errors),
    ].join(' | '),
  )
  return `
${new Date().toISOString()}, ${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}, PostgreSQL ${cluster.version}.
${many} members in one organisation, ${few} in another, ${ORGANISATIONS_BESIDE.toLocaleString('en')} organisations beside; seeded in ${seeded.toFixed(0)} s.
8 connections, median of ${RUNS} runs of ${RUN_SECONDS} s each.

| what | p50 ms of ${few} | p50 ms of ${many} | ratio | PostgreSQL CPU ms | of ${many} | statements | errors |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${rows.map(row => `| ${row} |`).join('\n')}

\`addMembers\` in calls of ${added.rowsPerCall}, one after the other, each row mailed, into ${many}: ${added.rowsPerSecond.toFixed(0)} rows/s
(p50 of a call ${added.p50.toFixed(0)} ms; by row ${added.serverCpu.toFixed(2)} ms of the server's CPU and ${added.databaseCpu.toFixed(2)} ms of PostgreSQL's; ${added.statements.toFixed(0)} statements a call).`
}

await main()
