import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { NodeProcess } from './node-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-secret-key-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const secret = (byte: number) => Buffer.alloc(32, byte).toString('base64')

test('another secret than the one of the database is told in words, and takes its place behind it', async () => {
  const start = (SECRET_KEY: string) => NodeProcess.spawn({ DATA_DIR: folder, SECRET_KEY })
  const first = await start(secret(1))
  await first.ready()
  await first.kill()

  const stranger = await start(secret(2))
  expect(await stranger.ended()).toBe(1)
  expect(stranger.output).toContain('SECRET_KEY is not the one that this database goes with.')
  expect(stranger.output).not.toMatch(/^\s+at /m)

  for (const key of [`${secret(2)},${secret(1)}`, secret(2)]) {
    const next = await start(key)
    await next.ready()
    await next.kill()
  }
}, 120_000)
