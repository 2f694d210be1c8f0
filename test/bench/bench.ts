import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { signInAll, takeKeys, type Caller } from './callers.ts'
import { freePort, startCluster, type Cluster } from './cluster.ts'
import { median, run, type Figures, type Scenario } from './load.ts'
import {
  compile,
  pause,
  pinLoad,
  startServer,
  type Build,
  type ServerProcess,
} from './processes.ts'
import { profile, profilePath } from './profile.ts'
import { refreshing, refreshingAtOnce } from './refreshing.ts'
import { resultTable, shareTable } from './report.ts'
import {
  bare,
  bareHashes,
  members,
  membersInFull,
  signIns,
  viewer,
  viewerByKey,
} from './scenarios.ts'
import { MEMBERS, NEIGHBOURS, seed, strangers } from './seed.ts'
import { tellTrail } from './trail.ts'

// `npm run bench` measures; `npm run bench -- --only=viewer,plain` measures what these words name, at 16 connections;
// `npm run bench -- --profile` tells where the time goes. Nothing here is a test: figures depend on the machine and on
// what else it does.

const CONNECTIONS = [1, 16, 64]
// what is hot is compiled in stages: after three seconds `viewer` still makes two thirds of what it makes after twelve
const WARM_UP_SECONDS = 12
const RUN_SECONDS = 4
const RUNS = 3
const POOL = 12
/** How long the longer of two trails is; `--events=20000` makes it shorter. */
const TRAIL_EVENTS = Number(
  process.argv.find(argument => argument.startsWith('--events='))?.slice(9) ?? 1_000_000,
)

const ONLY = process.argv
  .find(argument => argument.startsWith('--only='))
  ?.slice(7)
  .split(',')

const password = randomBytes(18).toString('base64url')
const secret = randomBytes(32)

async function main(): Promise<void> {
  const profiling = process.argv.includes('--profile')
  const build = compile()
  const cluster = await startCluster()
  pinLoad()
  const servers: ServerProcess[] = []
  try {
    const gatehouse = await startGatehouse(build, cluster, profiling)
    servers.push(gatehouse)
    await seed(cluster.admin)
    const people = await signInAll(gatehouse, password)
    if (profiling) return await tellProfiles(cluster, build, gatehouse, people)
    const keys = await takeKeys(gatehouse, people)
    const yardstick = await startServer({
      build,
      script: 'test/bench/bare.js',
      port: await freePort(),
      ready: '/ready',
      environment: { DATABASE_URL: cluster.ownerUrl, POOL: String(POOL), NODE_ENV: 'production' },
    })
    servers.push(yardstick)
    const sessions = { server: gatehouse, admin: cluster.admin, secret, people }
    await measure(cluster, [
      ...CONNECTIONS.map(count => viewer(gatehouse, people, count)),
      ...CONNECTIONS.map(count => bare(yardstick, people, count, 'plain')),
      ...CONNECTIONS.map(count => bare(yardstick, people, count, 'shared')),
      ...CONNECTIONS.map(count => viewerByKey(gatehouse, keys, count)),
      members(gatehouse, people, 16),
      membersInFull(gatehouse, people, 16),
      refreshing(sessions, 16),
      refreshingAtOnce(sessions, 1_000),
      signIns(gatehouse, strangers, password, 16),
      bareHashes(yardstick, 16, 'argon2'),
      bareHashes(yardstick, 16, 'node-rs'),
    ])
    if (!ONLY || ONLY.includes('trail'))
      await tellTrail({
        cluster,
        server: gatehouse,
        people,
        events: TRAIL_EVENTS,
        warmUpSeconds: WARM_UP_SECONDS,
        seconds: RUN_SECONDS,
      })
    if (!ONLY || ONLY.includes('flood')) await tellFlood(cluster, gatehouse, people)
  } finally {
    for (const server of servers) await server.stop()
    await cluster.stop()
    build.remove()
  }
}

const startGatehouse = async (
  build: Build,
  cluster: Cluster,
  profiling: boolean,
): Promise<ServerProcess> => {
  const port = await freePort()
  return startServer({
    build,
    script: 'src/main.js',
    port,
    ready: '/readyz',
    nodeArguments: profiling ? ['--import', `${build.folder}/test/bench/profiler.js`] : [],
    environment: {
      NODE_ENV: 'production',
      DATABASE_URL: cluster.ownerUrl,
      DATABASE_POOL: String(POOL),
      PUBLIC_URL: `http://localhost:${port}`,
      SECRET_KEY: secret.toString('base64'),
      // no mail is sent here
      SMTP_URL: 'smtp://127.0.0.1:9',
      OPERATOR_PASSWORD: password,
      ACCESS_TOKEN_SECONDS: '3600',
      LOG_LEVEL: 'error',
      REQUESTS_PER_MINUTE: '100000000',
      WEBHOOK_ALLOW_PRIVATE: 'true',
      ...(profiling && { PROFILE: profilePath(build) }),
    },
  })
}

/** Every scenario in turn, several times over, so that what else the machine does falls on all alike. */
async function measure(cluster: Cluster, all: Scenario[]): Promise<void> {
  const scenarios = ONLY
    ? all.filter(
        ({ name, connections, burst }) =>
          (connections === 16 || burst) && ONLY.some(word => name.includes(word)),
      )
    : all
  const runs = new Map<Scenario, Figures[]>(scenarios.map(scenario => [scenario, []]))
  for (const scenario of scenarios)
    await run(cluster, scenario, WARM_UP_SECONDS * (scenario.slow ? 3 : 1))
  // as the database does by itself within a minute of such changes
  await cluster.admin.query('analyze')
  for (let round = 0; round < RUNS; round++)
    for (const [scenario, figures] of runs) {
      figures.push(await run(cluster, scenario, RUN_SECONDS))
      process.stderr.write('.')
    }
  process.stderr.write('\n')
  const lines = [...runs].map(([{ name, connections }, figures]) => ({
    name,
    connections,
    figures: median(figures),
  }))
  console.log(`
${new Date().toISOString()}, ${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}, PostgreSQL ${cluster.version}.
Servers on core 0, load on core 1, PostgreSQL on whichever is free. ${MEMBERS} members, ${NEIGHBOURS} organisations beside.
Median of ${RUNS} runs of ${RUN_SECONDS} s each, after ${WARM_UP_SECONDS} s of warm-up, thrice that where hashes are compared. Statements as pg_stat_statements counts them.

${resultTable(lines)}`)
}

/** How long `viewer` takes while 200 sign-ins are in flight, beside a quiet server. */
async function tellFlood(cluster: Cluster, server: ServerProcess, people: Caller[]): Promise<void> {
  const reading = viewer(server, people, 16)
  const signingIn = signIns(server, strangers, password, 200)
  for (const warmUp of [signingIn, reading]) await run(cluster, warmUp, WARM_UP_SECONDS)
  const idle = await run(cluster, reading, RUN_SECONDS)
  const [flood, busy] = await Promise.all([
    run(cluster, signingIn, RUN_SECONDS + 2),
    // all of them are in flight by then
    pause(1_000).then(() => run(cluster, reading, RUN_SECONDS)),
  ])
  console.log(`
\`viewer\` at 16 connections: p99 ${idle.p99.toFixed(1)} ms alone, ${busy.p99.toFixed(1)} ms while 200 sign-ins are in flight
(p50 ${idle.p50.toFixed(1)} and ${busy.p50.toFixed(1)} ms; ${busy.requestsPerSecond.toFixed(0)} of ${idle.requestsPerSecond.toFixed(0)} requests/s; ${flood.requestsPerSecond.toFixed(0)} sign-ins/s beside, ${flood.errors} refused or failed).`)
}

async function tellProfiles(
  cluster: Cluster,
  build: Build,
  server: ServerProcess,
  people: Caller[],
): Promise<void> {
  const scenarios = [
    viewer(server, people, 16),
    members(server, people, 16),
    signIns(server, strangers, password, 16),
  ].filter(({ name }) => !ONLY || ONLY.some(word => name.includes(word)))
  const profiles = []
  for (const [index, scenario] of scenarios.entries())
    profiles.push(await profile(cluster, build, scenario, index + 1))
  for (const { name, hot } of profiles)
    console.log(`\n${name}, hottest functions:\n${hot.join('\n')}`)
  console.log(`\nShare of the server's busy time, at 16 connections:\n\n${shareTable(profiles)}`)
}

await main()
