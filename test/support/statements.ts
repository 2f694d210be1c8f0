import { roleName } from '../../src/database/context.ts'
import type { Statement } from '../../src/database/sql.ts'
import type { Connection } from '../../src/database/store.ts'
import type { TestServer } from './server.ts'

/**
 * Counts the statements that the transactions of a step take, and brings what it came to.
 *
 * @param asSystem whether those that begin as *system* count too, where chores of the server may come in between.
 */
export async function countStatements<Result>(
  server: TestServer,
  step: () => Promise<Result>,
  { asSystem = false } = {},
): Promise<{ seen: number; result: Result }> {
  let seen = 0
  const result = await overheard(server, step, (_explain, _query, script) => {
    if (asSystem || !script.includes(roleName('system'))) seen += 1
    return undefined
  })
  return { seen, result }
}

/** The plans of the statements that the transactions of a step take, as text. */
export async function plansOf(
  server: TestServer,
  step: () => Promise<unknown>,
  { about = /./, reading = false }: Wanted = {},
): Promise<string> {
  const plans: string[] = []
  await overheard(server, step, async (explain, { text }, script) => {
    if (about.test(text) && (!reading || script.includes('read only'))) plans.push(await explain())
  })
  return plans.join('\n')
}

interface Wanted {
  /** Only statements whose text fits. */
  about?: RegExp
  /** Only those of queries, and not what the server does beside. */
  reading?: boolean
}

type Explain = () => Promise<string>

/** Lets somebody hear of each statement in a transaction before it runs. */
async function overheard<Result>(
  { app }: TestServer,
  step: () => Promise<Result>,
  hear: (explain: Explain, query: Statement, script: string) => Promise<void> | undefined,
): Promise<Result> {
  const { store } = app.node.database
  const begin = store.begin.bind(store)
  store.begin = async script => {
    const connection = await begin(script)
    return {
      ...connection,
      rows: query => {
        const heard = hear(() => plan(connection, query), query, script)
        // at once: what is queued together must not come apart
        const rows = connection.rows<never>(query)
        return heard ? Promise.all([rows, heard]).then(([found]) => found) : rows
      },
    }
  }
  try {
    return await step()
  } finally {
    store.begin = begin
  }
}

async function plan(connection: Connection, statement: Statement): Promise<string> {
  const lines = await explained(connection, statement)
  return lines.map(line => Object.values(line)[0]).join('\n')
}

type Lines = Record<string, string>[]

/** All is asked at once, so that nothing of what the operation reads beside it comes in between. */
async function explained(connection: Connection, statement: Statement): Promise<Lines> {
  const { text, values, planOnce } = statement
  const mode = connection.rows<{ mode: string }>({
    text: `select current_setting('plan_cache_mode') as mode`,
    values: [],
  })
  const plans = planOnce
    ? planKept(connection, statement)
    : connection.rows<Lines[number]>({ text: `explain (costs off) ${text}`, values })
  const [[row], lines] = await Promise.all([mode, plans])
  // what one statement needs must not be left over for the next
  const wanted = planOnce ? 'force_generic_plan' : 'auto'
  if (row?.mode !== wanted) throw new Error(`Planned as ${row?.mode} instead of ${wanted}: ${text}`)
  return lines
}

/** The plan that is kept, whatever the values: it is made of what was prepared. */
async function planKept(connection: Connection, { text, values }: Statement): Promise<Lines> {
  const given = values.length ? `(${values.map(literal).join(', ')})` : ''
  const [, lines] = await Promise.all([
    connection.script(`prepare explained as ${text}`),
    connection.rows<Lines[number]>({
      text: `explain (costs off) execute explained ${given}`,
      values: [],
      planAnew: true,
    }),
    connection.script('deallocate explained'),
  ])
  return lines
}

const literal = (value: unknown): string => {
  if (value === null) return 'null'
  return Array.isArray(value) ? `'{${value.join(',')}}'` : `'${value as string | number}'`
}
