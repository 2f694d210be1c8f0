import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const TICKS_PER_SECOND = 100
/** The core on which servers run; the load comes from the other. */
const SERVER_CORE = '0'
const LOAD_CORE = '1'

/** The server as JavaScript, as it would be deployed. */
export interface Build {
  folder: string
  remove(): void
}

/** Compiles the server and the bare one it is held against into a temporary folder. */
export function compile(): Build {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-build-'))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const project = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { noEmit: false, rootDir: ROOT, outDir: folder, types: ['node'] },
    include: ['src', 'migrations', 'test/bench'].map(name => join(ROOT, name)),
    exclude: [join(ROOT, 'src/http/explorer')],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project))
  try {
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [compiler, '-p', folder], { stdio: 'inherit' })
  } catch (error) {
    rmSync(folder, { recursive: true })
    throw error
  }
  return { folder, remove: () => rmSync(folder, { recursive: true }) }
}

/** A server process, alone on its core but for PostgreSQL. */
export interface ServerProcess {
  url: string
  pid: number
  /** Waits for one line of its output that begins with `word`. */
  says(word: string): Promise<string>
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

export interface ServerOptions {
  build: Build
  script: string
  port: number
  ready: string
  environment: Record<string, string>
  nodeArguments?: string[]
}

/** Starts a compiled script and waits until `ready` answers with 200. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { build, script, port, ready, environment, nodeArguments = [] } = options
  const child = spawn(
    'taskset',
    ['-c', SERVER_CORE, process.execPath, ...nodeArguments, join(build.folder, script)],
    {
      cwd: build.folder,
      env: { PATH: process.env.PATH, PORT: String(port), ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<void>(end => child.once('exit', () => end()))
  const url = `http://127.0.0.1:${port}`
  const server: ServerProcess = {
    url,
    pid: child.pid!,
    says: async word => {
      for (;;) {
        const line = output.split('\n').find(each => each.startsWith(word))
        if (line) return line.slice(word.length).trim()
        await pause(50)
      }
    },
    signal: name => void child.kill(name),
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`${script} ended before it was ready.\n${output}`)
    const answer = await fetch(url + ready).catch(() => null)
    if (answer?.ok) return server
    await pause(50)
  }
  await server.stop()
  throw new Error(`${script} did not become ready.`)
}

/** Keeps this process, which makes the load, off the servers' core. */
export const pinLoad = (): void =>
  void execFileSync('taskset', ['-a', '-c', '-p', LOAD_CORE, String(process.pid)], {
    stdio: 'ignore',
  })

/** CPU milliseconds that a process has used so far, in user and kernel mode. */
export const cpuOf = (pid: number): number => statOf(pid)?.own ?? 0

/** CPU milliseconds of a process and of its children, those that have ended included. */
export function cpuOfFamily(pid: number): number {
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => statOf(Number(name)))
    .filter(stat => stat?.parent === pid)
  const head = statOf(pid)
  return children.reduce((sum, stat) => sum + stat!.own, (head?.own ?? 0) + (head?.ended ?? 0))
}

function statOf(pid: number): { parent: number; own: number; ended: number } | undefined {
  try {
    // the name in parentheses may hold blanks; the fields after it are those of proc(5) from the third on
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').map(Number)
    const milliseconds = (...places: number[]) =>
      (places.reduce((sum, place) => sum + fields[place - 3]!, 0) * 1000) / TICKS_PER_SECOND
    return { parent: fields[1]!, own: milliseconds(14, 15), ended: milliseconds(16, 17) }
  } catch {
    // it ended since the folder was listed
    return undefined
  }
}

export const pause = (milliseconds: number) =>
  new Promise<void>(done => setTimeout(done, milliseconds))
