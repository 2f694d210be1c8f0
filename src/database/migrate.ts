import { MikroORM as PgliteOrm } from '@mikro-orm/pglite'
import { MikroORM as PostgresOrm } from '@mikro-orm/postgresql'
import type { PGlite } from '@electric-sql/pglite'
import { Client } from 'pg'
import { ormConfig, type DatabaseOptions, type Orm } from './orm.ts'

/** Runs statements as the owner of the tables; for migrations alone. */
export interface Owner {
  execute(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
  embedded: boolean
}

// Any number will do that no other program on the same database takes.
const LOCK = 4_711_2026

/**
 * Brings the database up to date as its owner, one node at a time.
 *
 * @param further what libraries must prepare in the same turn, after our own tables.
 */
export async function migrate(
  options: DatabaseOptions,
  further: (owner: Owner) => Promise<void>,
): Promise<void> {
  if (!options.url) return migrateEmbedded(options, further)
  const client = new Client({
    connectionString: options.url,
    application_name: 'gatehouse migrate',
  })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK])
    const orm = await PostgresOrm.init(ormConfig(options) as never)
    await run(orm, () =>
      further({ embedded: false, execute: (text, values) => client.query(text, values) }),
    )
  } finally {
    await client.end()
  }
}

async function migrateEmbedded(
  options: DatabaseOptions,
  further: (owner: Owner) => Promise<void>,
): Promise<void> {
  const pglite = options.pglite
  if (!pglite) throw new Error('Open PGlite before migrating it.')
  const config = { ...ormConfig(options), driverOptions: { pglite } }
  const orm = await PgliteOrm.init(config as never)
  await run(orm, () =>
    further({ embedded: true, execute: (text, values) => executeOn(pglite, text, values) }),
  )
}

async function run(orm: Orm, further: () => Promise<void>): Promise<void> {
  try {
    await orm.migrator.up()
    await further()
  } finally {
    await orm.close(true)
  }
}

/** PGlite takes one statement at a time, or several without values. */
async function executeOn(
  pglite: Pick<PGlite, 'exec' | 'query'>,
  text: string,
  values?: unknown[],
): Promise<{ rows: Record<string, unknown>[] }> {
  if (values?.length) return pglite.query<Record<string, unknown>>(text, values)
  const results = await pglite.exec(text)
  return { rows: results.flatMap(result => result.rows) }
}
