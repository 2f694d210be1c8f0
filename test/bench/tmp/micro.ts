import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { startCluster, freePort } from '../cluster.ts'
import { seed, callers } from '../seed.ts'
const ROOT = process.cwd()
const { buildApp } = await import(ROOT + '/src/app.ts')
const { migrate } = await import(ROOT + '/src/database/migrate.ts')
const { openDatabase } = await import(ROOT + '/src/database/orm.ts')
const { entities } = await import(ROOT + '/src/entities.ts')
const { firstRun } = await import(ROOT + '/src/first-run.ts')
const { prepareJobs } = await import(ROOT + '/src/outbox/jobs.ts')
const { readConfig } = await import(ROOT + '/src/shared/config.ts')
const cluster = await startCluster()
const password = randomBytes(18).toString('base64url')
const config = readConfig({ NODE_ENV: 'production', DATABASE_URL: cluster.ownerUrl, DATABASE_POOL: '12', PUBLIC_URL: 'http://localhost:4000',
  SECRET_KEY: randomBytes(32).toString('base64'), SMTP_URL: 'smtp://127.0.0.1:9', OPERATOR_PASSWORD: password, ACCESS_TOKEN_SECONDS: '3600', LOG_LEVEL: 'error', REQUESTS_PER_MINUTE: '100000000' })
const options = { url: config.DATABASE_URL, dataDir: config.DATA_DIR, pool: config.DATABASE_POOL, entities }
try {
  await migrate(options, prepareJobs)
  const database = await openDatabase(options, () => {})
  const app = await buildApp({ config, database })
  await firstRun(app.node, app.node.hasher)
  await seed(cluster.admin)
  await app.http.ready()
  const ask = async (query: string, headers = {}, variables = {}) =>
    (await app.http.inject({ method: 'POST', url: '/graphql', headers: { 'content-type': 'application/json', ...headers }, payload: JSON.stringify({ query, variables }) })).body
  const tokens: string[] = []
  for (const email of callers.slice(0, 16)) {
    const body = JSON.parse(await ask(`mutation ($input: SignInInput!) { signIn(input: $input) { ... on Authenticated { accessToken } } }`, {}, { input: { email, password } }))
    tokens.push(body.data.signIn.accessToken)
  }
  const QUERIES: Record<string, string> = {
    viewer: `{ viewer { operator organisation { id name } principal { id name role { name } } permissions { name } } }`,
    members: `{ organisation { members(first: 50) { nodes { id name email status role { name } createdAt lastActiveAt } pageInfo { hasNextPage endCursor } } } }`,
    full: `{ organisation { members(first: 50) { nodes { id name email status role { name } createdAt lastActiveAt viewerCanManage projectAccess(first: 3) { nodes { project { name } role { name } } } } pageInfo { hasNextPage endCursor } } } }`,
  }
  const only = (process.argv[2] ?? 'viewer,members,full').split(',')
  for (const name of only) {
    const per = name === 'viewer' ? 320 : 64
    const batch = async () => {
      let left = per
      await Promise.all(tokens.map(async token => { while (left-- > 0) await ask(QUERIES[name]!, { authorization: `Bearer ${token}` }) }))
    }
    const first = await ask(QUERIES[name]!, { authorization: `Bearer ${tokens[0]}` })
    if (first.includes('errors')) console.log(first.slice(0, 500))
    for (let i = 0; i < 8; i++) await batch()
    if (process.argv[3]) {
      const { Session } = await import('node:inspector/promises')
      const session = new Session(); session.connect()
      await session.post('Profiler.enable'); await session.post('Profiler.setSamplingInterval', { interval: 200 }); await session.post('Profiler.start')
      for (let i = 0; i < 15; i++) await batch()
      const { profile } = await session.post('Profiler.stop')
      writeFileSync(process.argv[3] + '.' + name, JSON.stringify(profile))
    }
    const times: number[] = []
    for (let i = 0; i < 30; i++) {
      const before = process.cpuUsage()
      await batch()
      const used = process.cpuUsage(before)
      times.push((used.user + used.system) / 1000 / per)
    }
    times.sort((a, b) => a - b)
    console.log(name, 'cpu ms/request: min', times[0]!.toFixed(3), 'p25', times[7]!.toFixed(3), 'median', times[15]!.toFixed(3))
  }
} finally { await cluster.stop() }
process.exit(0)
