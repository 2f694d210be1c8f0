import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Client } from 'pg'
import { inject } from 'vitest'
import { openPglite, type DatabaseOptions } from '../../src/database/orm.ts'
import { entities } from '../../src/entities.ts'

/** A database of one test file, cloned from the migrated one. */
export interface TestDatabase {
  options: DatabaseOptions
  /** Runs SQL as the owner of the tables, past every rule; for arranging and for looking, not for the subject itself. */
  owner(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  drop(): Promise<void>
}

/** Whether the suite runs on PostgreSQL. */
export const onPostgres = (): boolean => inject('template') !== null

export async function cloneDatabase(): Promise<TestDatabase> {
  const template = inject('template')
  return template ? clonePostgres(template) : clonePglite(inject('snapshot')!)
}

async function clonePglite(snapshot: string): Promise<TestDatabase> {
  const pglite = await openPglite('memory://', new Blob([readFileSync(snapshot)]))
  return {
    options: { dataDir: 'memory://', pool: 4, entities, pglite },
    owner: async (text, values = []) =>
      pglite.transaction(async transaction => {
        await transaction.exec('set local role none')
        return (await transaction.query<Record<string, unknown>>(text, values)).rows
      }),
    drop: () => pglite.close(),
  }
}

async function clonePostgres(template: string): Promise<TestDatabase> {
  const name = `gatehouse_test_${randomBytes(6).toString('hex')}`
  const server = new URL(template)
  const source = server.pathname.slice(1)
  server.pathname = '/postgres'
  const own = new URL(template)
  own.pathname = `/${name}`
  await once(server.href, `create database ${name} template ${source}`)
  return {
    options: { url: own.href, dataDir: 'memory://', pool: 8, entities },
    owner: (text, values) => asOwner(own.href, text, values),
    drop: () => once(server.href, `drop database ${name} with (force)`).then(() => undefined),
  }
}

/** The owner is bound by the policies too, as they are forced: they step over them in the role of the system. */
const asOwner = (url: string, text: string, values?: unknown[]) =>
  once(url, text, values, 'set role gatehouse_system')

async function once(url: string, text: string, values?: unknown[], first?: string) {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    if (first) await client.query(first)
    return (await client.query(text, values)).rows as Record<string, unknown>[]
  } finally {
    await client.end()
  }
}
