import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseSync } from 'vite'

const ROOT = join(import.meta.dirname, '../..')

/** One import or re-export of a file by another, both from the top of the repository. */
export interface Import {
  from: string
  to: string
  /** `import type …`: gone when the program runs. */
  typeOnly: boolean
  names: string[]
}

/** A file of the program, as written. */
export interface Source {
  path: string
  text: string
  lines: number
  imports: Import[]
  /** Whether it hands on what another file exports. */
  isBarrel: boolean
  hasDefaultExport: boolean
}

/** Reads a file of the repository. */
export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** Files of the repository by pattern, sorted. */
export const filesOf = (pattern: string): string[] => globSync(pattern, { cwd: ROOT }).toSorted()

/** Every TypeScript file that matches, parsed. */
export const sourcesOf = (pattern: string): Source[] => filesOf(pattern).map(readSource)

function readSource(path: string): Source {
  const text = readText(path)
  const { module, errors } = parseSync(path, text)
  if (errors.length) throw new Error(`${path} does not parse: ${errors[0]!.message}`)
  const { staticImports, staticExports, dynamicImports } = module
  const handedOn = staticExports.flatMap(({ entries }) =>
    entries.filter(entry => entry.moduleRequest),
  )
  const found = [
    // a named type in a plain import leaves the import itself behind: only `import type` is free
    ...staticImports.map(({ start, moduleRequest, entries }) => ({
      target: moduleRequest.value,
      typeOnly: /^import\s+type\b/.test(text.slice(start)),
      names: entries.map(entry => entry.importName.name ?? '*'),
    })),
    ...handedOn.map(entry => ({
      target: entry.moduleRequest!.value,
      typeOnly: entry.isType,
      names: [entry.importName.name ?? '*'],
    })),
    ...dynamicImports.map(({ moduleRequest }) => ({
      target: text.slice(moduleRequest.start, moduleRequest.end).slice(1, -1),
      typeOnly: false,
      names: ['*'],
    })),
  ]
  return {
    path,
    text,
    lines: text.trimEnd().split('\n').length,
    imports: found
      .filter(({ target }) => target.startsWith('.'))
      .map(({ target, ...rest }) => ({ from: path, to: resolve(path, target), ...rest })),
    isBarrel: handedOn.some(entry => entry.moduleRequest!.value.startsWith('.')),
    hasDefaultExport: staticExports.some(({ entries }) =>
      entries.some(entry => entry.exportName.kind === 'Default'),
    ),
  }
}

const resolve = (from: string, target: string) =>
  relative(ROOT, join(ROOT, dirname(from), target)).replaceAll('\\', '/')

/** Groups of files that import each other in a circle. */
export function circles(imports: Import[]): string[][] {
  const targets = new Map<string, string[]>()
  for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to])
  // Tarjan: a file that reaches back to one still open belongs to its circle
  const seen = new Map<string, { index: number; low: number }>()
  const open: string[] = []
  const found: string[][] = []
  const visit = (file: string) => {
    const own = { index: seen.size, low: seen.size }
    seen.set(file, own)
    open.push(file)
    for (const target of targets.get(file) ?? []) {
      if (!seen.has(target)) visit(target)
      if (open.includes(target)) own.low = Math.min(own.low, seen.get(target)!.low)
    }
    if (own.low !== own.index) return
    const circle = open.splice(open.indexOf(file))
    if (circle.length > 1 || targets.get(file)?.includes(file)) found.push(circle.toSorted())
  }
  for (const file of targets.keys()) if (!seen.has(file)) visit(file)
  return found
}
