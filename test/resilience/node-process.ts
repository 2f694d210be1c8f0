import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/waiting.ts'

const ROOT = join(import.meta.dirname, '../..')
export const OPERATOR = {
  email: 'operator@localhost.test',
  password: 'the operator of the processes',
}

/** A server in a process of its own, begun as `npm start` begins it. */
export class NodeProcess {
  readonly url: string
  readonly #child: ChildProcess
  #output = ''

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
  }

  /** Begins it, without waiting. What is compiled already is begun without a loader. */
  static async spawn(
    settings: Record<string, string>,
    program = 'src/main.ts',
    ...more: string[]
  ): Promise<NodeProcess> {
    const port = settings.PORT ?? String(await freePort())
    const loader = program.endsWith('.ts') ? ['--import', 'tsx'] : []
    const child = spawn(process.execPath, [...loader, program, ...more], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        NODE_ENV: 'test',
        PORT: port,
        DATA_DIR: 'memory://',
        SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
        OPERATOR_EMAIL: OPERATOR.email,
        OPERATOR_PASSWORD: OPERATOR.password,
        ARGON2_MEMORY_KIB: '1024',
        ARGON2_TIME: '1',
        ...settings,
      },
    })
    return new NodeProcess(`http://localhost:${port}`, child)
  }

  /** Begins it and waits until it is ready. */
  static async start(settings: Record<string, string>, program?: string): Promise<NodeProcess> {
    const node = await NodeProcess.spawn(settings, program)
    await node.ready()
    return node
  }

  /** Everything it has printed. */
  get output(): string {
    return this.#output
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async readiness(): Promise<number> {
    return fetch(`${this.url}/readyz`).then(
      response => response.status,
      () => 0,
    )
  }

  async ready(patienceMs = 30_000): Promise<void> {
    const end = Date.now() + patienceMs
    while ((await this.readiness()) !== 200) {
      if (!this.running) throw new Error(`It ended:\n${this.#output}`)
      if (Date.now() > end) throw new Error(`It is not ready:\n${this.#output}`)
      await sleep(50)
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Its exit code, once it has ended; null where a signal ended it. */
  async ended(): Promise<number | null> {
    if (this.running) await once(this.#child, 'close')
    return this.#child.exitCode
  }

  async kill(): Promise<void> {
    if (this.running) this.signal('SIGKILL')
    await this.ended()
  }

  /** Mails kept in the development mailbox. */
  async mails(): Promise<{ to: { address: string }; text: string }[]> {
    return (await fetch(`${this.url}/dev/mailbox.json`)).json() as never
  }
}
