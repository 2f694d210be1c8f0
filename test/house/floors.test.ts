import { expect, test } from 'vitest'
import { circles, sourcesOf, type Import } from './sources.ts'

/** From the ground up; whatever stands in `src` itself is the roof. */
const FLOORS = [
  'shared',
  'database',
  'access',
  'outbox',
  'accounts',
  'tenancy',
  'credentials',
  'flows',
  'operations',
  'graphql',
  'http',
]
const MOST_LINES = 300

const sources = sourcesOf('src/**/*.ts')
const imports = sources.flatMap(source => source.imports)
const show = ({ from, to }: Import) => `${from} -> ${to}`

function floor(path: string): number {
  const [, folder, inside] = path.split('/')
  if (inside === undefined) return FLOORS.length
  const found = FLOORS.indexOf(folder!)
  if (found < 0) throw new Error(`${path} lies on no floor: name it in FLOORS.`)
  return found
}

/** Resolvers are handed what the floor above builds for each operation. */
const isContext = ({ from, to, typeOnly, names }: Import) =>
  typeOnly &&
  from.endsWith('.resolver.ts') &&
  to === 'src/graphql/context.ts' &&
  names.every(name => name === 'Context')

test('every import names a file that is there', () => {
  const known = new Set(sources.map(source => source.path))
  const lost = imports.filter(({ to }) => to.endsWith('.ts') && !known.has(to))
  expect(imports.length).toBeGreaterThan(300)
  expect(lost.map(show)).toEqual([])
})

test('no file imports from a floor above its own', () => {
  const climbs = imports.filter(each => floor(each.to) > floor(each.from) && !isContext(each))
  expect(climbs.map(show)).toEqual([])
})

test('no file imports from outside src', () => {
  expect(imports.filter(({ to }) => !to.startsWith('src/')).map(show)).toEqual([])
})

test('no files import each other in a circle when the program runs', () => {
  expect(circles(imports.filter(each => !each.typeOnly))).toEqual([])
})

test('no files import each other in a circle, types included', () => {
  expect(circles(imports)).toEqual([])
})

test(`no file is longer than ${MOST_LINES} lines`, () => {
  const long = sources.filter(source => source.lines > MOST_LINES)
  expect(long.map(source => `${source.path}: ${source.lines}`)).toEqual([])
})

test('no file exports a default or hands on what another file exports', () => {
  // the build tool reads its configuration from a default export
  const own = sources.filter(source => !source.path.endsWith('/vite.config.ts'))
  expect(own.filter(source => source.hasDefaultExport).map(source => source.path)).toEqual([])
  expect(own.filter(source => source.isBarrel).map(source => source.path)).toEqual([])
})
