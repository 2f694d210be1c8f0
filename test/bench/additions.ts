import type { Caller } from './callers.ts'
import type { Cluster } from './cluster.ts'
import { cpuOf, cpuOfFamily, type ServerProcess } from './processes.ts'

const ROWS = 500
const ADD = `mutation ($rows: [AddMemberInput!]!) { addMembers(rows: $rows) { applied succeeded failed } }`

export interface Additions {
  rowsPerCall: number
  rowsPerSecond: number
  /** Milliseconds of one call. */
  p50: number
  /** Milliseconds of the server process for each row, with whatever it does beside. */
  serverCpu: number
  databaseCpu: number
  /** For each call. */
  statements: number
}

interface Answer {
  errors?: unknown
  data?: { addMembers: { applied: boolean; succeeded: number } | null }
}

/** Adds people by mail, call after call; the mails go out meanwhile. */
export async function additions(
  { admin, pid }: Cluster,
  server: ServerProcess,
  { token }: Caller,
  calls: number,
): Promise<Additions> {
  const add = async (call: number): Promise<number> => {
    const rows = Array.from({ length: ROWS }, (_, n) => ({
      email: `newcomer-${call}-${n}@example.com`,
      firstName: 'New',
      lastName: `Comer ${call} ${n}`,
    }))
    const started = performance.now()
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: ADD, variables: { rows } }),
    })
    const { data, errors } = (await response.json()) as Answer
    if (data?.addMembers?.succeeded !== ROWS)
      throw new Error(`nobody was added: ${JSON.stringify(errors ?? data)}`)
    // an import may be larger than what an organisation may add in an hour
    await admin.query('delete from attempt')
    return performance.now() - started
  }
  await add(-1)
  await admin.query('select pg_stat_statements_reset()')
  const before = { server: cpuOf(server.pid), database: cpuOfFamily(pid) }
  const times: number[] = []
  for (let call = 0; call < calls; call++) times.push(await add(call))
  const used = {
    server: cpuOf(server.pid) - before.server,
    database: cpuOfFamily(pid) - before.database,
  }
  const { rows } = await admin.query<{ calls: number }>(`
    select coalesce(sum(s.calls), 0)::int as calls from pg_stat_statements s join pg_roles r on r.oid = s.userid
    where r.rolname like 'gatehouse%' and s.query not like '%pgboss%'`)
  const all = times.reduce((sum, time) => sum + time, 0)
  return {
    rowsPerCall: ROWS,
    rowsPerSecond: (calls * ROWS * 1000) / all,
    p50: times.toSorted((left, right) => left - right)[Math.floor(calls / 2)]!,
    serverCpu: used.server / (calls * ROWS),
    databaseCpu: used.database / (calls * ROWS),
    statements: rows[0]!.calls / calls,
  }
}
