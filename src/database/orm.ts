import { PGlite } from '@electric-sql/pglite'
import { Migrator } from '@mikro-orm/migrations'
import { defineConfig as forPglite, type MikroORM as PgliteOrm } from '@mikro-orm/pglite'
import { defineConfig as forPostgres, type MikroORM as PostgresOrm } from '@mikro-orm/postgresql'
import { createPostgreSqlTypeParsers } from '@mikro-orm/sql'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Pool, TypeOverrides, type PoolConfig } from 'pg'
import { parse as parseArray } from 'postgres-array'
import { roleName, type DatabaseContext } from './context.ts'
import { PgliteStore, PostgresStore, type Store } from './store.ts'

export type Orm = PostgresOrm | PgliteOrm
type Entities = NonNullable<Parameters<typeof forPostgres>[0]['entities']>

export interface DatabaseOptions {
  /** `postgres://…`; without it PGlite keeps its data in `dataDir`, or in memory for `memory://`. */
  url?: string
  dataDir: string
  pool: number
  entities: Entities
  /** A PGlite that is already open; tests clone one. */
  pglite?: PGlite
}

/** The open database. MikroORM describes it and migrates it; statements run in the store alone. */
export interface Database {
  store: Store
  close(): Promise<void>
}

const shared = (entities: Entities) => ({
  entities,
  extensions: [Migrator],
  discovery: { checkDuplicateTableNames: true },
  migrations: {
    path: join(import.meta.dirname, '../../migrations'),
    glob: 'Migration*.{js,ts}',
    snapshot: false,
    transactional: true,
    allOrNothing: true,
    silent: true,
  },
  // the migrations hold the foreign keys, which are composite; the rows name each other by plain ids
  schemaGenerator: { createForeignKeyConstraints: false, ignoreSchema: ['pgboss'] },
})

/** What MikroORM's own command line reads. */
export const ormConfig = (options: DatabaseOptions) =>
  options.url
    ? forPostgres({ ...shared(options.entities), clientUrl: options.url })
    : forPglite({ ...shared(options.entities), dbName: clusterFolder(options.dataDir) })

const clusterFolder = (dataDir: string) =>
  dataDir.startsWith('memory:') ? dataDir : join(dataDir, 'pglite')

const parsers = createPostgreSqlTypeParsers(parseArray)

/** Opens PGlite so that it reads instants as MikroORM does: as text. */
export function openPglite(dataDir: string, loadDataDir?: Blob): Promise<PGlite> {
  // PGlite makes its own folder, and none above it
  if (!dataDir.startsWith('memory:')) mkdirSync(dataDir, { recursive: true })
  return PGlite.create({
    dataDir: clusterFolder(dataDir),
    parsers,
    ...(loadDataDir && { loadDataDir }),
  })
}

/**
 * Connections begin in a role that sees nothing until a context is entered, with instants in UTC, and give up on
 * what takes longer than any request should: on locks before others run out of connections.
 */
const poolConfig = (url: string, role: DatabaseContext['role'], max: number): PoolConfig => ({
  connectionString: url,
  max,
  options: [
    `role=${roleName(role)}`,
    'timezone=UTC',
    'lock_timeout=5000',
    'statement_timeout=30000',
    'idle_in_transaction_session_timeout=60000',
    // small statements by the thousand: compiling one costs more than it saves
    'jit=off',
    // those of the system look rows up by their keys, so that one plan is right for all values; the caller's is long,
    // and planning it anew for each request would cost several times what it does
    ...(role === 'system' ? ['plan_cache_mode=force_generic_plan'] : []),
  ]
    .map(setting => `-c ${setting}`)
    .join(' '),
  connectionTimeoutMillis: 5_000,
  // where the network swallows everything, not even the server's own limit is heard of
  query_timeout: 35_000,
  keepAlive: true,
  idleTimeoutMillis: 30_000,
  application_name: 'gatehouse',
})

/** @param onError hears of idle connections that broke; without a listener they would end the process. */
export async function openDatabase(
  options: DatabaseOptions,
  onError: (error: Error) => void,
): Promise<Database> {
  return options.url ? openPostgres(options, options.url, onError) : openEmbedded(options)
}

async function openPostgres(
  options: DatabaseOptions,
  url: string,
  onError: (error: Error) => void,
): Promise<Database> {
  // a third of the connections looks callers up and runs jobs, so that neither waits for open transactions
  const forSystem = Math.max(1, Math.floor(options.pool / 3))
  const types = new TypeOverrides()
  for (const [oid, parser] of Object.entries(parsers))
    types.setTypeParser(Number(oid), parser as never)
  const open = (role: DatabaseContext['role'], max: number, pipeline: boolean) => {
    const pool = new Pool({ ...poolConfig(url, role, max), types, pipeline })
    pool.on('error', onError)
    pool.on('connect', client => void client.on('error', onError))
    return pool
  }
  const store = new PostgresStore(
    open('tenant', Math.max(1, options.pool - forSystem), true),
    open('system', forSystem, false),
  )
  return { store, close: () => store.close() }
}

async function openEmbedded(options: DatabaseOptions): Promise<Database> {
  const pglite = options.pglite ?? (await openPglite(options.dataDir))
  // PGlite's user is a superuser: without a context, act in a role that sees nothing
  await pglite.exec(`set role ${roleName('tenant')}; set time zone 'UTC'`)
  const store = new PgliteStore(pglite)
  return {
    store,
    close: async () => {
      // closed in the middle of a transaction, PGlite would spin for ever
      await pglite.transaction(async () => undefined)
      if (!options.pglite) await pglite.close()
    },
  }
}
