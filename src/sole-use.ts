import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ConfigError, type Config } from './shared/config.ts'
import { digest } from './shared/tokens.ts'

/**
 * Holds the folder of the embedded database for this program until it ends, however it ends. PGlite takes one program
 * at a time and does not notice a second: what both write is lost.
 *
 * @throws {ConfigError} where another program holds it.
 */
export async function holdData({
  DATABASE_URL,
  DATA_DIR,
}: Pick<Config, 'DATABASE_URL' | 'DATA_DIR'>): Promise<void> {
  if (DATABASE_URL || DATA_DIR.startsWith('memory:')) return
  const address = addressOf(DATA_DIR)
  // what a program left that was killed
  if (address.startsWith(tmpdir()) && !(await answers(address))) rmSync(address, { force: true })
  // no pid in a file: that outlives its program, and may come to be another's
  const held = createServer(socket => socket.destroy()).listen(address)
  await once(held, 'listening').catch(error => {
    if (error.code !== 'EADDRINUSE') throw error
    throw new ConfigError([
      `Another program uses the embedded database in ${DATA_DIR}. Stop it first, or set another DATA_DIR.`,
    ])
  })
  held.unref()
}

/** A local address made from the folder: where systems can, one that leaves no file behind. */
function addressOf(folder: string): string {
  const name = `gatehouse-${digest(resolve(folder))}`
  if (process.platform === 'linux') return `\0${name}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), name)
}

const answers = (address: string): Promise<boolean> =>
  new Promise(done => {
    const socket = connect(address)
    socket.once('connect', () => done(socket.destroy().destroyed))
    socket.once('error', () => done(false))
  })
