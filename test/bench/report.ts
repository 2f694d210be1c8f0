import type { Figures } from './load.ts'

/** A scenario and what its runs have shown. */
export interface Line {
  name: string
  connections: number
  figures: Figures
}

const HEAD = [
  'what',
  'connections',
  'requests/s',
  'p50 ms',
  'p99 ms',
  'server CPU ms/request',
  'PostgreSQL CPU ms/request',
  'statements/request',
  'errors',
]

/** The results as a table in Markdown. */
export function resultTable(lines: Line[]): string {
  return table(
    HEAD,
    lines.map(({ name, connections, figures }) => [
      name,
      String(connections),
      Math.round(figures.requestsPerSecond).toLocaleString('en'),
      figures.p50.toFixed(2),
      figures.p99.toFixed(2),
      figures.serverCpu.toFixed(3),
      figures.databaseCpu.toFixed(3),
      figures.statements.toFixed(2),
      String(figures.errors),
    ]),
  )
}

/** What share of the time each area took, one column for each profile. */
export function shareTable(profiles: { name: string; shares: Map<string, number> }[]): string {
  const areas = [...new Set(profiles.flatMap(({ shares }) => [...shares.keys()]))]
  const sum = (area: string) =>
    profiles.reduce((all, { shares }) => all + (shares.get(area) ?? 0), 0)
  return table(
    ['area', ...profiles.map(({ name }) => name)],
    areas
      .toSorted((left, right) => sum(right) - sum(left))
      .map(area => [
        area,
        ...profiles.map(({ shares }) => `${((shares.get(area) ?? 0) * 100).toFixed(1)}%`),
      ]),
  )
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((text, column) =>
    Math.max(text.length, ...rows.map(row => row[column]!.length)),
  )
  const line = (cells: string[], numbers: boolean) =>
    `| ${cells.map((text, column) => (numbers && column ? text.padStart(widths[column]!) : text.padEnd(widths[column]!))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`
  return [line(head, false), rule, ...rows.map(row => line(row, true))].join('\n')
}
