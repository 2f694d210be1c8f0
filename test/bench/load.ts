import autocannon from 'autocannon'
import type { Cluster } from './cluster.ts'
import { cpuOf, cpuOfFamily, type ServerProcess } from './processes.ts'

/** One thing to measure: what is sent where, over how many connections. */
export interface Scenario {
  name: string
  server: ServerProcess
  connections: number
  /** Makes so few requests in a second that it takes longer to warm up. */
  slow?: boolean
  method: 'GET' | 'POST'
  path: string
  body?: string
  /** What is sent instead of one body, where requests depend on answers. */
  requests?: () => Promise<autocannon.Request[]>
  /** So many requests in all, spread over one second, whatever the run should last. */
  burst?: number
  /** Bodies of each connection, where they differ. */
  bodies?: (connection: number) => string
  /** Headers of each connection, so that many callers take turns. */
  headers: (connection: number) => Record<string, string>
  /** True for an answer as it should be; a sample of all answers is asked. */
  sound: (body: unknown) => boolean
}

/** What one run has shown. */
export interface Figures {
  requestsPerSecond: number
  p50: number
  p99: number
  /** Milliseconds of the server process for each request. */
  serverCpu: number
  /** Milliseconds of all of PostgreSQL's processes for each request. */
  databaseCpu: number
  statements: number
  errors: number
}

const SAMPLE_EVERY = 20

/** Sends requests for some seconds and counts what they cost. */
export async function run(cluster: Cluster, scenario: Scenario, seconds: number): Promise<Figures> {
  const { server, connections, method, path, body, bodies, burst, headers, sound } = scenario
  const requests = await scenario.requests?.()
  const times: number[] = []
  let answers = 0
  let unsound = 0
  let next = 0
  const check = (text: string | Buffer | undefined): boolean => {
    if (answers++ % SAMPLE_EVERY === 0 && !isSound(text, sound)) unsound++
    return true
  }
  await cluster.admin.query('select pg_stat_statements_reset()')
  const before = { server: cpuOf(server.pid), database: cpuOfFamily(cluster.pid) }
  const started = performance.now()
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const tracker = autocannon(
      {
        url: server.url + path,
        method,
        body,
        connections,
        ...(burst ? { amount: burst, overallRate: burst } : { duration: seconds }),
        ...(requests && { requests }),
        setupClient: client => {
          const connection = next++
          client.setHeaders({
            ...(method === 'POST' && { 'content-type': 'application/json' }),
            ...headers(connection),
          })
          if (bodies) client.setBody(bodies(connection))
        },
        verifyBody: check,
      },
      (error, done) => (error ? reject(error as Error) : resolve(done)),
    )
    // autocannon's own histogram knows whole milliseconds only
    tracker.on('response', (_client, _status, _bytes, time) => void times.push(time))
  })
  const elapsed = (performance.now() - started) / 1000
  const served = cpuOf(server.pid) - before.server
  const database = cpuOfFamily(cluster.pid) - before.database
  times.sort((left, right) => left - right)
  const count = times.length
  return {
    requestsPerSecond: count / elapsed,
    p50: times[Math.floor(count * 0.5)] ?? Number.NaN,
    p99: times[Math.floor(count * 0.99)] ?? Number.NaN,
    serverCpu: served / count,
    databaseCpu: database / count,
    statements: (await countStatements(cluster)) / count,
    errors: result.non2xx + result.errors + result.timeouts + unsound,
  }
}

function isSound(text: string | Buffer | undefined, sound: Scenario['sound']): boolean {
  try {
    return sound(JSON.parse(String(text)))
  } catch {
    return false
  }
}

/** Statements that our roles ran since the reset, as the database counts them, without the queue's polling. */
async function countStatements(cluster: Cluster): Promise<number> {
  const { rows } = await cluster.admin.query<{ calls: number }>(`
    select coalesce(sum(s.calls), 0)::int as calls from pg_stat_statements s join pg_roles r on r.oid = s.userid
    where r.rolname like 'gatehouse%' and s.query not like '%pgboss%'`)
  return rows[0]!.calls
}

/** Of several runs, the one in the middle, figure by figure; errors are added up. */
export function median(runs: Figures[]): Figures {
  const middle = (pick: (figures: Figures) => number) =>
    runs.map(pick).toSorted((left, right) => left - right)[Math.floor(runs.length / 2)]!
  return {
    requestsPerSecond: middle(each => each.requestsPerSecond),
    p50: middle(each => each.p50),
    p99: middle(each => each.p99),
    serverCpu: middle(each => each.serverCpu),
    databaseCpu: middle(each => each.databaseCpu),
    statements: middle(each => each.statements),
    errors: runs.reduce((sum, each) => sum + each.errors, 0),
  }
}
