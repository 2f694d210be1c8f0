import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import type { TestContext } from 'vitest'
import { onPostgres } from '../support/database.ts'
import { freePort } from '../support/waiting.ts'

const ROLES = ['gatehouse_tenant', 'gatehouse_self', 'gatehouse_operator', 'gatehouse_system']

/** Tests with a PostgreSQL of their own run where the suite runs on PostgreSQL. */
export const needsPostgres = (context: TestContext): void =>
  context.skip(!onPostgres(), 'needs PostgreSQL: run it through .ci/with-postgres')

/** A PostgreSQL of one test file, which may be stopped, killed and started again. */
export class Cluster {
  readonly #folder: string
  readonly #port: number

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
  }

  /** @param prepared whether an administrator has made the roles, and let the owner enter them. */
  static async start({ prepared = true } = {}): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cluster-'))
    if (process.getuid?.() === 0) execFileSync('chown', ['postgres', folder])
    const cluster = new Cluster(folder, await freePort())
    const options = ['-U', 'postgres', '--auth=trust', '-E', 'UTF8', '--locale=C.UTF-8']
    await cluster.#run('initdb', ...options, '--no-sync')
    await cluster.start()
    await cluster.admin('create role gatehouse login createdb nosuperuser nocreaterole nobypassrls')
    if (prepared) {
      for (const role of ROLES) await cluster.admin(`create role ${role} nologin`)
      await cluster.admin(`grant ${ROLES.join(', ')} to gatehouse`)
    }
    return cluster
  }

  start(): Promise<void> {
    const settings = `-p ${this.#port} -k ${this.#folder} -c listen_addresses=127.0.0.1 -c max_connections=100 -c fsync=off`
    return this.#run('pg_ctl', '-w', '-l', join(this.#folder, 'log'), '-o', settings, 'start')
  }

  /** As if the machine had lost its power. */
  kill(): Promise<void> {
    return this.#run('pg_ctl', '-m', 'immediate', 'stop')
  }

  async remove(): Promise<void> {
    await this.kill().catch(() => undefined)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Makes an empty database and tells its address, for the owner of its tables. */
  async database(name: string): Promise<string> {
    await this.admin(`create database ${name} owner gatehouse`)
    return `postgres://gatehouse@127.0.0.1:${this.#port}/${name}`
  }

  /** Connects as a superuser. */
  async connect(database = 'postgres'): Promise<Client> {
    const client = new Client({ host: '127.0.0.1', port: this.#port, user: 'postgres', database })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  /** Runs SQL as a superuser. */
  async admin(text: string, database?: string): Promise<Record<string, unknown>[]> {
    const client = await this.connect(database)
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end()
    }
  }

  #run(program: string, ...options: string[]): Promise<void> {
    const command = [join(programs(), program), '-D', join(this.#folder, 'data'), ...options]
    const [first, ...rest] =
      process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--', ...command] : command
    return new Promise((resolve, reject) => {
      spawn(first!, rest, { stdio: 'ignore', cwd: this.#folder })
        .once('error', reject)
        .once('exit', code => (code ? reject(new Error(`${program} failed`)) : resolve()))
    })
  }
}

/** Where PostgreSQL's programs lie; Debian keeps them off the PATH. */
function programs(): string {
  const find = 'command -v postgres || ls -d /usr/lib/postgresql/*/bin/postgres | tail -n 1'
  return dirname(realpathSync(execFileSync('sh', ['-c', find], { encoding: 'utf8' }).trim()))
}
