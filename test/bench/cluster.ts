import { execFileSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'

const ROLES = ['gatehouse_tenant', 'gatehouse_self', 'gatehouse_operator', 'gatehouse_system']

/** A PostgreSQL of our own, gone when it is stopped. */
export interface Cluster {
  /** Connects as the owner of the tables, who is no superuser: what a server is given. */
  ownerUrl: string
  /** A superuser on a Unix socket, for seeding and for reading the counters. */
  admin: Client
  version: string
  /** Process id of the postmaster, whose children are the backends. */
  pid: number
  stop(): Promise<void>
}

/** Makes a throw-away cluster with the server's own defaults, as the user `postgres`, which may not be root. */
export async function startCluster(): Promise<Cluster> {
  const binaries = dirname(realpathSync(which('postgres')))
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
  execFileSync('chown', ['postgres', folder])
  const data = join(folder, 'data')
  const port = await freePort()
  const asPostgres = (program: string, ...args: string[]) =>
    // the cluster must be free to use every core, whatever this process was pinned to
    execFileSync('runuser', ['-u', 'postgres', '--', join(binaries, program), ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: folder,
    })
  asPostgres('initdb', '-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C')
  const settings = [
    `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1`,
    `-c shared_preload_libraries=pg_stat_statements -c max_connections=100`,
  ].join(' ')
  asPostgres('pg_ctl', '-D', data, '-w', '-l', join(folder, 'log'), '-o', settings, 'start')
  const stopServer = () => asPostgres('pg_ctl', '-D', data, '-m', 'immediate', 'stop')
  try {
    const admin = new Client({ host: folder, port, user: 'postgres', database: 'postgres' })
    await admin.connect()
    for (const role of ROLES) await admin.query(`create role ${role} nologin`)
    await admin.query(`create role gatehouse_owner login nosuperuser in role ${ROLES.join(', ')}`)
    await admin.query('create database gatehouse owner gatehouse_owner')
    await admin.end()
    const seeder = new Client({ host: folder, port, user: 'postgres', database: 'gatehouse' })
    await seeder.connect()
    await seeder.query('create extension pg_stat_statements')
    return {
      ownerUrl: `postgres://gatehouse_owner@127.0.0.1:${port}/gatehouse`,
      admin: seeder,
      version: (await seeder.query<{ server_version: string }>('show server_version')).rows[0]!
        .server_version,
      pid: Number(execFileSync('head', ['-1', join(data, 'postmaster.pid')], { encoding: 'utf8' })),
      stop: async () => {
        await seeder.end()
        stopServer()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    stopServer()
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

const which = (program: string) => execFileSync('which', [program], { encoding: 'utf8' }).trim()

/** A loopback port that is free right now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
