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
