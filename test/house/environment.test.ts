import { expect, test } from 'vitest'
import { sourcesOf } from './sources.ts'

const sources = [...sourcesOf('src/**/*.ts'), ...sourcesOf('migrations/*.ts'), ...sourcesOf('*.ts')]
const holding = (pattern: RegExp) =>
  sources.filter(source => pattern.test(source.text)).map(source => source.path)

test('the environment is read where a process begins, and handed on as settings', () => {
  expect(holding(/\bprocess\s*\.\s*env\b|\bimport\.meta\.env\b|from 'node:process'/)).toEqual([
    'src/audit-verify.ts',
    'src/engine.ts',
    'src/main.ts',
    'src/migrate.ts',
    'src/rotate-keys.ts',
    'mikro-orm.config.ts',
  ])
})

test('the server calls nobody over HTTP but the receivers of webhooks and the storage of images, each from one place', () => {
  // the explorer runs in a browser and asks the server it came from
  const callers = holding(/\bfetch\s*\(|from '(node:)?https?'|from 'undici'/)
  expect(callers.filter(path => !path.startsWith('src/http/explorer/'))).toEqual([
    'src/accounts/avatars/bucket.ts',
    'src/operations/webhooks/post.ts',
  ])
})
