import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../../src/database/migrate.ts'
import { openPglite } from '../../src/database/orm.ts'
import { entities } from '../../src/entities.ts'
import { prepareJobs } from '../../src/outbox/queues.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A PGlite data folder, migrated and packed; null when the suite runs on PostgreSQL. */
    snapshot: string | null
    /** The owner's address of a migrated database to clone; null on PGlite. */
    template: string | null
  }
}

const base = { dataDir: 'memory://', pool: 4, entities }

/** Migrates once; every test file works on a clone. `TEST_DATABASE_URL` chooses PostgreSQL. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const url = process.env.TEST_DATABASE_URL
  return url ? setUpPostgres(project, url) : setUpPglite(project)
}

async function setUpPglite(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'))
  const pglite = await openPglite('memory://')
  await migrate({ ...base, pglite }, prepareJobs)
  const packed = await pglite.dumpDataDir('none')
  const file = join(folder, 'snapshot.tar')
  writeFileSync(file, Buffer.from(await packed.arrayBuffer()))
  await pglite.close()
  project.provide('snapshot', file)
  project.provide('template', null)
  return async () => rmSync(folder, { recursive: true, force: true })
}

async function setUpPostgres(project: TestProject, url: string) {
  const name = `gatehouse_template_${randomBytes(4).toString('hex')}`
  const template = new URL(url)
  template.pathname = `/${name}`
  await onServer(url, `create database ${name}`)
  await migrate({ ...base, url: template.href }, prepareJobs)
  project.provide('snapshot', null)
  project.provide('template', template.href)
  return async () => onServer(url, `drop database ${name} with (force)`)
}

async function onServer(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
