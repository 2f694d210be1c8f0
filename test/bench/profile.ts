import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cluster } from './cluster.ts'
import { run, type Scenario } from './load.ts'
import { pause, type Build } from './processes.ts'

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
  children?: number[]
}

interface Profile {
  nodes: ProfileNode[]
  samples: number[]
}

/** Where each file belongs; the first that fits. */
const AREAS: [RegExp, string][] = [
  [/node_modules\/graphql\//, 'graphql (execution)'],
  [/node_modules\/(@apollo|@as-integrations|@escape\.tech|negotiator|whatwg-mimetype)\//, 'Apollo'],
  [/node_modules\/(graphql-shield|graphql-middleware)\//, 'graphql-shield'],
  [/node_modules\/(type-graphql)\//, 'type-graphql'],
  [
    /node_modules\/(fastify|@fastify|find-my-way|avvio|secure-json-parse|fast-json-stringify|light-my-request)\//,
    'Fastify',
  ],
  [/node_modules\/(pg|pg-pool|pg-protocol|pg-types|postgres-)/, 'pg'],
  [/node_modules\/(pino|sonic-boom|pino-std-serializers)\//, 'pino'],
  [/node_modules\/dataloader\//, 'dataloader'],
  [/node_modules\/sql-template-tag\//, 'sql-template-tag'],
  [/node_modules\/(jose|uuid)\//, 'jose, uuid'],
  [/node_modules\//, 'other packages'],
  [/\/src\//, 'Gatehouse'],
  [/^node:(internal\/)?(crypto|deps\/crypto)/, 'Node: crypto'],
  [
    /^node:.*(http|url|net|stream|tls|events|buffer|timers|task_queues|process|async)/,
    'Node: HTTP, sockets, streams, timers',
  ],
  [/^node:/, 'Node: other'],
]

const SPECIAL = new Map([
  ['(garbage collector)', 'garbage collector'],
  ['(program)', 'native code without a script (sockets, kernel)'],
  ['(idle)', 'idle'],
])

/** Profiles the server while it serves a scenario, and tells which area its own time went to. */
export async function profile(
  cluster: Cluster,
  build: Build,
  scenario: Scenario,
  number: number,
): Promise<{ name: string; shares: Map<string, number>; hot: string[] }> {
  await run(cluster, scenario, 2)
  scenario.server.signal('SIGUSR2')
  await run(cluster, scenario, 5)
  scenario.server.signal('SIGUSR2')
  const file = `${profilePath(build)}.${number}`
  while (!existsSync(file)) await pause(50)
  await pause(500)
  const read = JSON.parse(readFileSync(file, 'utf8')) as Profile
  return { name: scenario.name, shares: byArea(read), hot: hottest(read) }
}

export const profilePath = (build: Build) => join(build.folder, 'server.cpuprofile')

function byArea({ nodes, samples }: Profile): Map<string, number> {
  const areaOf = areasOf(nodes)
  return sharesOf(samples.map(id => areaOf.get(id)!).filter(area => area !== 'idle'))
}

/** Built-in functions have no file: their time is their caller's. */
function areasOf(nodes: ProfileNode[]): Map<number, string> {
  const areas = new Map<number, string>()
  const parents = new Map(nodes.flatMap(node => (node.children ?? []).map(id => [id, node.id])))
  // parents come before their children
  for (const { id, callFrame } of nodes) {
    const own = SPECIAL.get(callFrame.functionName) ?? areaOfFile(callFrame.url)
    areas.set(id, own ?? areas.get(parents.get(id) ?? -1) ?? 'Node: other')
  }
  return areas
}

const areaOfFile = (url: string): string | undefined =>
  url ? (AREAS.find(([pattern]) => pattern.test(url))?.[1] ?? 'other') : undefined

function hottest({ nodes, samples }: Profile): string[] {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'} ${url.replace(/^.*\/(node_modules|src)\//, '')}:${lineNumber + 1}`,
    ]),
  )
  return [...sharesOf(samples.map(id => names.get(id)!))]
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, 60)
    .map(([name, share]) => `${(share * 100).toFixed(2).padStart(6)}%  ${name}`)
}

function sharesOf(labels: string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return new Map([...counts].map(([label, count]) => [label, count / labels.length]))
}
