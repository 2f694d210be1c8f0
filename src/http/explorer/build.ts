import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'

const SOURCES = import.meta.dirname
const ROOT = join(SOURCES, '../../..')

const changedAt = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
const inputs = ['.', ...globSync('**/*', { cwd: SOURCES })].map(path => join(SOURCES, path))
const newest = Math.max(...[...inputs, join(ROOT, 'package-lock.json')].map(changedAt))

if (changedAt(join(ROOT, 'dist/explorer/index.html')) < newest) {
  // Loaded only now: every start of the server passes here, and most have nothing to build.
  const { build } = await import('vite')
  await build({
    configFile: join(SOURCES, 'vite.config.ts'),
    configLoader: 'native',
    logLevel: 'warn',
  })
}
