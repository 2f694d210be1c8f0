import DataLoader from 'dataloader'
import { isId } from '../shared/tokens.ts'
import type { Queries, Statement } from './sql.ts'

type Row = Record<string, unknown>

/**
 * Queries that go out together: statements of one turn that differ by one id alone become one, which asks for each id
 * by itself. So what reads a single thing serves a list of them, at a constant number of statements. For selects only.
 */
export function sharedReads(queries: Queries): Queries {
  const loader = new DataLoader<Statement, Row[], string>(
    async statements => {
      const groups = [...Map.groupBy(statements, ({ text }) => text).values()]
      const found = new Map<Statement, Row[]>()
      await Promise.all(
        groups.map(async group => {
          for (const [statement, rows] of await together(queries, group)) found.set(statement, rows)
        }),
      )
      return statements.map(statement => found.get(statement)!)
    },
    { cacheKeyFn: ({ text, values }) => JSON.stringify([text, values]) },
  )
  return { rows: statement => loader.load(statement) as never }
}

async function together(queries: Queries, group: Statement[]): Promise<[Statement, Row[]][]> {
  const merged = merge(group)
  if (!merged)
    return Promise.all(
      group.map(async (statement): Promise<[Statement, Row[]]> => [
        statement,
        await queries.rows<Row>(statement),
      ]),
    )
  const rows = await queries.rows<Row & { wanted: string }>(merged.statement)
  const byId = Map.groupBy(rows, row => row.wanted)
  return group.map((statement, index) => [
    statement,
    (byId.get(merged.ids[index]!) ?? []).map(({ wanted: _wanted, ...row }) => row),
  ])
}

/** One statement for several of the same text; null for a single one, and where more than an id differs. */
function merge([first, ...others]: Statement[]): { statement: Statement; ids: string[] } | null {
  if (!first || !others.length) return null
  const same = JSON.stringify
  const differs = first.values.map((value, position) =>
    others.some(({ values }) => same(values[position]) !== same(value)),
  )
  const ids: string[] = []
  for (const { values } of [first, ...others]) {
    const own = new Set(values.filter((_value, position) => differs[position]))
    const [id] = own
    if (own.size !== 1 || !isId(id)) return null
    ids.push(id)
  }
  const kept = first.values.flatMap((_value, position) => (differs[position] ? [] : [position]))
  const inner = first.text.replaceAll(/\$(\d+)/g, (_match, number: string) => {
    const position = Number(number) - 1
    return differs[position] ? 'wanted.id' : `$${kept.indexOf(position) + 2}`
  })
  const text = `select wanted.id as wanted, found.* from unnest($1::uuid[]) as wanted (id) cross join lateral (${inner}) as found`
  return { statement: { text, values: [ids, ...kept.map(at => first.values[at])] }, ids }
}
