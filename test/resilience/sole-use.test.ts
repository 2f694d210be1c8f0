import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { NodeProcess } from './node-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-sole-use-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the embedded database is used by one program at a time, and is free when that is gone', async () => {
  const settings = { DATA_DIR: folder }
  const first = await NodeProcess.start(settings)
  for (const program of ['main', 'migrate', 'rotate-keys', 'audit-verify']) {
    const second = await NodeProcess.spawn(settings, `src/${program}.ts`)
    expect(await second.ended(), program).toBe(1)
    expect(second.output).toContain(`Another program uses the embedded database in ${folder}.`)
    expect(second.output).not.toMatch(/^\s+at /m)
  }
  await first.kill()
  const third = await NodeProcess.start(settings)
  await third.kill()
}, 120_000)

test('of programs that start at once, one gets the embedded database', async () => {
  const settings = { DATA_DIR: join(folder, 'contested') }
  const rivals = await Promise.all(
    Array.from({ length: 3 }, () => NodeProcess.spawn(settings, 'src/migrate.ts')),
  )
  const codes = await Promise.all(rivals.map(rival => rival.ended()))
  expect(codes.filter(code => code === 0)).toHaveLength(1)
  expect(codes.filter(code => code === 1)).toHaveLength(2)
  for (const { output } of rivals.filter((_, index) => codes[index] === 1)) {
    expect(output).toContain('Another program uses the embedded database')
    expect(output).not.toMatch(/^\s+at |EADDRINUSE/m)
  }
}, 120_000)
